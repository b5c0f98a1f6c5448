"""Parse the core metadata of installed distributions: hostile text in, safe lines and paragraphs out."""

from __future__ import annotations

import email.errors
import re
from dataclasses import dataclass
from email.utils import getaddresses
from typing import TYPE_CHECKING

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from venvpkg.errors import StagingError, WheelError
from venvpkg.host.oserrors import is_environment_error
from venvpkg.model.staged import ApplicationMetadata, InstalledDistribution
from venvpkg.text import one_line, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path, PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.model.target import Interpreter
    from venvpkg.staging.installed_paths import InstalledWheel


_MOST_BYTES = 16 * 2**20

_ADDRESS = re.compile(r"[^<>@\s,;:\"()\[\]\\]+@[A-Za-z0-9][A-Za-z0-9.-]*")
# The name in a Maintainer field would have to be quoted with these, and not every reader undoes the quotes.
_NOT_IN_NAME = re.compile(r"[<>@,;:\"()\[\]\\]")
_HOMEPAGE_LABELS = ("homepage", "home", "repository", "source", "sourcecode", "github", "documentation")
_URL = re.compile(r"https?://[!-~]+")
_NO_HOMEPAGE = frozenset({"UNKNOWN", ""})
# Some authors paste a whole licence into License. It begins with a title, which is short.
_LONGEST_LICENCE = 120
_MOST_LICENCE_BYTES = 256 * 1024
_MOST_COPYRIGHT_LINES = 50
# The © sign, or the word and a year; neither the "Copyright [yyyy] [name]" of a form, nor "the copyright notice".
# Every repetition is bounded, because the text is hostile.
_COPYRIGHT_LINE = re.compile(
    r"^[^\w\n]{0,20}?((?:copyright[ \t:]{1,9}(?:\(c\)|©)|©)[ \t]{1,9}[\w].*"
    r"|(?:copyright|\(c\))[ \t:]{1,9}[^\[<{\n]{0,40}?\b(?:19|20)\d\d\b.*)$",
    re.IGNORECASE | re.MULTILINE,
)
# Longer than the numbers of any version. int() refuses text beyond 4,300 digits, and packaging calls it.
_ABSURD_NUMBER = re.compile(r"[0-9]{100}")


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """The metadata of one distribution.

    Attributes:
        name: as its author spells it.
        version: PEP 440, as spelled.
        requires_python: None when it accepts every version, or is not a valid specifier.
        requires: its requirements, in order.
        raw: every field as packaging read it; none of it is safe to print.
    """

    name: str
    version: str
    requires_python: SpecifierSet | None
    requires: tuple[Requirement, ...]
    raw: RawMetadata


def read_metadata(installed: InstalledWheel, destdir: Path, reporter: Reporter) -> CoreMetadata:
    """Return the core metadata of an installed wheel.

    Raises:
        WheelError: METADATA is missing or absurdly large, names another distribution or version than the lock, or has
            an invalid requirement; the error lists every problem.

    Source:
        PyPA core metadata specification; PEP 345, PEP 566, PEP 639 for its older and newer forms.
    """
    wheel = installed.wheel
    try:
        with (destdir / (installed.dist_info / "METADATA").relative_to("/")).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        if is_environment_error(error):
            raise
        raise WheelError(f"{wheel.path.name} has no METADATA.", details=f"  {error}") from error
    problems = []
    if len(content) > _MOST_BYTES:
        problems.append(f"METADATA is larger than {_MOST_BYTES} bytes")
        content = b""
    try:
        raw, _ = parse_email(content)
    except (ValueError, LookupError, AssertionError, email.errors.MessageError) as error:
        raise WheelError(f"{wheel.path.name} has a METADATA that could not be parsed.", details=f"  {error}") from error
    name, version = raw.get("name", ""), raw.get("version", "")
    if canonicalize_name(name) != wheel.name:
        problems.append(f"METADATA has the name {one_line(name)!r}, not {wheel.name!r}")
    if not _same_version(version, wheel.version):
        problems.append(f"METADATA has the version {one_line(version)!r}, not {wheel.version!r}")
    requires = []
    for text in raw.get("requires_dist", ()):
        try:
            requires.append(_parse_requirement(text))
        except (InvalidRequirement, RecursionError):
            problems.append(f"Requires-Dist {one_line(text)!r} is not a valid requirement")
    if problems:
        raise WheelError(f"{wheel.path.name} is malformed.", details="\n".join(f"  {each}" for each in problems))
    return CoreMetadata(name, version, _parse_requires_python(raw, wheel.name, reporter), tuple(requires), raw)


def _parse_requirement(text: str) -> Requirement:
    if _ABSURD_NUMBER.search(text):
        raise InvalidRequirement("a number of more than 99 digits")
    return Requirement(text)


def _same_version(first: str, second: str) -> bool:
    try:
        return not _ABSURD_NUMBER.search(first) and Version(first) == Version(second)
    except InvalidVersion:
        return False


def _parse_requires_python(raw: RawMetadata, name: str, reporter: Reporter) -> SpecifierSet | None:
    text = raw.get("requires_python", "")
    try:
        if _ABSURD_NUMBER.search(text):
            raise InvalidSpecifier(text)  # noqa: TRY301 - handled like the specifiers that packaging refuses
        return SpecifierSet(text) if text.strip() else None
    except InvalidSpecifier:
        # Such as ">=3.6.*", valid until PEP 440 was tightened. Installers ignore it too.
        reporter.detail(f"{name}: ignoring Requires-Python {one_line(text)!r}, which is not a valid specifier")
        return None


def python_floor(distributions: Iterable[CoreMetadata], interpreter: Interpreter) -> str:
    """Return the lowest patch release that every distribution accepts, ``3.11.0``.

    All releases between it and the target's own are accepted, too.

    Raises:
        StagingError: distributions do not accept the target's interpreter; the error lists all of them.
    """
    picky = [each for each in distributions if each.requires_python is not None]
    minor, current = interpreter.minor, interpreter.version[2]
    refused = [each for each in picky if not _accepts(each, f"{minor}.{current}")]
    if refused:
        some = "1 distribution does" if len(refused) == 1 else f"{len(refused)} distributions do"
        raise StagingError(
            f"{some} not accept Python {minor}.{current}.",
            details="\n".join(f"  {one_line(each.name)} {each.version}: {each.requires_python}" for each in refused),
            resolution="Lock again for this target.",
        )
    patch = current
    while patch > 0 and all(_accepts(each, f"{minor}.{patch - 1}") for each in picky):
        patch -= 1
    return f"{minor}.{patch}"


def _accepts(metadata: CoreMetadata, version: str) -> bool:
    return metadata.requires_python is None or metadata.requires_python.contains(version, prereleases=True)


def installed_distribution(
    installed: InstalledWheel, metadata: CoreMetadata, destdir: Path, requires: tuple[str, ...] = ()
) -> InstalledDistribution:
    """Return an installed wheel with its metadata, for the later stages."""
    license_files = _find_license_files(installed, metadata.raw)
    return InstalledDistribution(
        name=installed.wheel.name,
        version=installed.wheel.version,
        wheel_sha256=installed.wheel.sha256,
        files=installed.files,
        license_expression=license_of(metadata.raw),
        license_files=license_files,
        author=one_line(metadata.raw.get("author", "") or _first_address(metadata.raw.get("author_email", ""))[0]),
        copyright=_copyright_lines(destdir / path.relative_to("/") for path in license_files),
        requires=requires,
    )


def application_metadata(
    installed: InstalledWheel, metadata: CoreMetadata, programs: PurePosixPath
) -> ApplicationMetadata:
    """Return the metadata of the application.

    Args:
        installed: the application's wheel.
        metadata: from its METADATA.
        programs: the ``bin`` of the virtual environment; every file that the application installed there is a command.
    """
    raw = metadata.raw
    return ApplicationMetadata(
        name=one_line(metadata.name),
        version=metadata.version,
        summary=one_line(raw.get("summary", "")),
        description=plain_text(raw.get("description", "")),
        homepage=_homepage(raw),
        maintainer=_first_person(raw.get("maintainer", ""), raw.get("maintainer_email", ""))
        or _first_person(raw.get("author", ""), raw.get("author_email", "")),
        license_expression=license_of(raw),
        commands=tuple(sorted(path.name for path in installed.files if path.parent == programs)),
    )


def license_of(raw: RawMetadata) -> str:
    """Return the SPDX expression, else the first line of License, else the licence classifiers; else empty."""
    if expression := one_line(raw.get("license_expression", "")):
        return expression
    first = next((line for line in plain_text(raw.get("license", "")).splitlines() if line.strip()), "")
    if first and first.strip().upper() != "UNKNOWN":
        return one_line(first, _LONGEST_LICENCE)
    names = [each.rpartition("::")[2].strip() for each in raw.get("classifiers", ()) if each.startswith("License ::")]
    return one_line(", ".join(name for name in names if name != "OSI Approved"), _LONGEST_LICENCE)


_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|copyright|authors)([.-].*)?", re.IGNORECASE)


def _find_license_files(installed: InstalledWheel, raw: RawMetadata) -> tuple[PurePosixPath, ...]:
    """Return the licence files: those that License-File lists, in either of the places where backends put them.

    Without License-File, the files of the metadata directory with a name such as ``LICENSE`` or ``COPYING``.
    """
    named = raw.get("license_files", [])
    declared = {installed.dist_info / "licenses" / name for name in named} | {
        installed.dist_info / name for name in named
    }
    return tuple(
        path
        for path in installed.files
        if path in declared
        or (installed.dist_info in path.parents and not named and _LICENCE_FILE.fullmatch(path.name))
    )


def _copyright_lines(files: Iterable[Path]) -> tuple[str, ...]:
    """Return the copyright statements in the files, without comment characters around them."""
    lines: dict[str, None] = {}
    for file in files:
        with file.open("rb") as stream:
            text = plain_text(stream.read(_MOST_LICENCE_BYTES).decode("utf-8", "replace"))
        lines |= dict.fromkeys(one_line(match[1], 200) for match in _COPYRIGHT_LINE.finditer(text))
    return tuple(lines)[:_MOST_COPYRIGHT_LINES]


def _homepage(raw: RawMetadata) -> str:
    labelled = {re.sub(r"[\W_]", "", label).lower(): url.strip() for label, url in raw.get("project_urls", {}).items()}
    candidates = (raw.get("home_page", "").strip(), *(labelled.get(label, "") for label in _HOMEPAGE_LABELS))
    return next((url for url in candidates if _URL.fullmatch(url)), "")


def _first_person(names: str, addresses: str) -> str:
    """Return ``Name <address>`` of the first person; empty when there is no address."""
    name, address = _first_address(addresses)
    if not address:
        return ""
    # "Author" can be a list too; its first entry belongs to the first address.
    name = name or " ".join(_NOT_IN_NAME.sub(" ", one_line(names.partition(",")[0], 100)).split())
    return f"{name or address.partition('@')[0]} <{address}>"


def _first_address(field: str) -> tuple[str, str]:
    """Return name and address of the first usable entry of an e-mail field; either may be empty."""
    for name, address in getaddresses([one_line(field, 2000)]):
        if _ADDRESS.fullmatch(address):
            return " ".join(_NOT_IN_NAME.sub(" ", one_line(name, 100)).split()), address
    return "", ""
