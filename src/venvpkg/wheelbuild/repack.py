"""Turn a backend's wheel into a vendor wheel: tag it, strip it, add its bill of materials, normalise it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import stat
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from packaging.version import Version

from venvpkg.errors import WheelError
from venvpkg.model.tags import publisher_tags
from venvpkg.model.wheels import OWN_SBOM
from venvpkg.text import NO_SECRETS, Secrets, strip_credentials
from venvpkg.wheelbuild.debug_symbols import separate_debug, strip_files, write_debug
from venvpkg.wheelhouse.check import UNHASHED, check_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.model.target import Target
    from venvpkg.model.wheels import PlannedWheel
    from venvpkg.sources.build_sandbox import BuildSandbox
    from venvpkg.wheelbuild.context import WriteSbom
    from venvpkg.wheelhouse.check import WheelFacts


_EXECUTABLE = 0o111
# The fields of METADATA with URLs.
_WITH_URL = re.compile(rb"(Requires-Dist|Home-page|Download-URL|Project-URL):", re.IGNORECASE)
# The earliest time of a zip file.
_TIME = (1980, 1, 1, 0, 0, 0)
# direct_url.json has the path of the wheel on this machine, which does not belong in a package.
_DROPPED = ("direct_url.json", *UNHASHED)
_SBOM = f"sboms/{OWN_SBOM}"
# Any prefix will do: only the relative positions of the wheel's files matter. It appears in errors.
_ENVIRONMENTS = PurePosixPath("/opt/venvs")


class Repacked(NamedTuple):
    """A vendor wheel, the archive of its debug information if it had any, and whether its METADATA had passwords."""

    wheel: Path
    debug: Path | None
    has_credentials_removed: bool = False


def repack_wheel(  # noqa: PLR0913 - a wheel, and all that makes it a vendor wheel
    raw: Path,
    planned: PlannedWheel,
    *,
    target: Target,
    sandbox: BuildSandbox,
    write_sbom: WriteSbom,
    secrets: Secrets = NO_SECRETS,
) -> Repacked:
    """Repack ``raw`` as a vendor wheel in the sandbox's directory ``repacked``, and separate its debug information.

    The bytes of the wheel only depend on its members' names, contents and executable bits. Members are sorted, with
    .dist-info last; modes are 0644 and 0755, all times are equal. Nothing is compressed, because the output of deflate
    depends on its implementation (zlib, zlib-ng). A wheel with a platform tag or with ELF files gets the target's
    platform tag; one with ELF files also gets a bill of materials. Users and passwords are removed from the URLs in
    METADATA, where every user of the package could read them.

    Args:
        raw: the wheel that the backend built.
        planned: the expected wheel; an empty version allows any.
        target: its platform tag is used.
        sandbox: where strip and objcopy run.
        write_sbom: writes the bill of materials.
        secrets: passwords that none of its files may contain.

    Raises:
        WheelError: the wheel is damaged, hostile, of another distribution or version, not for the target's interpreter,
            or contains a secret.
        MissingToolError: strip or objcopy is not installed.
        VenvpkgError: from ``write_sbom``.

    Source:
        PEP 770, for the bill of materials.
    """
    facts = check_wheel(raw)
    _require_expected(raw, facts, planned, target)
    is_pure = not facts.elf and all(tag.platform == "any" for tag in facts.tags)
    *identity, pythons, abis, platforms = raw.stem.split("-")
    platform = platforms if is_pure else target.platform_tag
    executables, members = _read_members(raw, facts.dist_info, (*_DROPPED, _SBOM))
    metadata_file = f"{facts.dist_info}/METADATA"
    metadata = members[metadata_file]
    members[metadata_file] = _without_credentials(metadata)
    _require_no_secret(raw, members, secrets)
    objects = {each: members[each] for each in facts.elf}
    debug = separate_debug(objects, sandbox, target)
    members |= strip_files(objects, sandbox, target)
    wheel_file = f"{facts.dist_info}/WHEEL"
    members[wheel_file] = _replace_tags(members[wheel_file], pythons, abis, platform)
    if objects:
        tree = sandbox.recreate("linked")
        _write_objects({name: members[name] for name in objects}, facts, target, tree)
        members[f"{facts.dist_info}/{_SBOM}"] = write_sbom(facts.name, str(facts.version), planned.source, tree)
    result = sandbox.recreate("repacked") / f"{'-'.join((*identity, pythons, abis, platform))}.whl"
    _write_wheel(result, facts.dist_info, members, executables)
    return Repacked(result, write_debug(debug, result), members[metadata_file] != metadata)


def retag(wheel: Path, platforms: str, destination: Path) -> Path:
    """Write a copy of a vendor wheel with other platform tags in its name and WHEEL file, and return its path.

    Args:
        wheel: a wheel written by ``repack_wheel``.
        platforms: one platform tag, or several joined by dots (PEP 425's compressed set).
        destination: directory of the copy.

    Raises:
        WheelError: the wheel is damaged.
    """
    facts = check_wheel(wheel)
    *identity, pythons, abis, _ = wheel.stem.split("-")
    executables, members = _read_members(wheel, facts.dist_info, _DROPPED)
    wheel_file = f"{facts.dist_info}/WHEEL"
    members[wheel_file] = _replace_tags(members[wheel_file], pythons, abis, platforms)
    result = destination / f"{'-'.join((*identity, pythons, abis, platforms))}.whl"
    _write_wheel(result, facts.dist_info, members, executables)
    return result


def _require_expected(raw: Path, facts: WheelFacts, planned: PlannedWheel, target: Target) -> None:
    problems = []
    if facts.name != planned.name:
        problems.append(f"it is a wheel of {facts.name}, not of {planned.name}")
    if planned.version and facts.version != Version(planned.version):
        problems.append(f"its version is {facts.version}, not {planned.version}")
    usable = {(tag.interpreter, tag.abi) for tag in publisher_tags(target)}
    if not any((tag.interpreter, tag.abi) in usable for tag in facts.tags):
        problems.append(f"it is not for {target.interpreter.title}")
    if problems:
        raise WheelError(
            f"the backend built {raw.name}, which cannot be used.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Report it to its publisher, or use another version.",
        )


def _without_credentials(metadata: bytes) -> bytes:
    """Return METADATA without users and passwords in its URLs; the description after the fields is unchanged."""
    fields, blank, description = metadata.partition(b"\n\n")
    lines = fields.split(b"\n")
    stripped = [
        strip_credentials(line.decode("latin-1")).encode("latin-1") if _WITH_URL.match(line) else line for line in lines
    ]
    return b"\n".join(stripped) + blank + description


def _require_no_secret(raw: Path, members: Mapping[str, bytes], secrets: Secrets) -> None:
    leaks = [name for name, content in members.items() if secrets.are_in(content)]
    if leaks:
        raise WheelError(
            f"{raw.name} contains a password or token that this run uses, so it was discarded.",
            details="\n".join(f"  {name}" for name in sorted(leaks)),
            resolution="Omit these files from the wheel, or remove the secret from its source, and keep it in netrc.",
        )


def _write_objects(objects: Mapping[str, bytes], facts: WheelFacts, target: Target, tree: Path) -> None:
    """Write the ELF files of a wheel below ``tree`` as in a virtual environment, so that they find each other."""
    prefix = _ENVIRONMENTS / facts.name
    site = prefix / "lib" / target.interpreter.name / "site-packages"
    data = facts.dist_info.removesuffix(".dist-info") + ".data"
    schemes = {"scripts": prefix / "bin", "data": prefix, "headers": prefix / "include"}
    for name, content in objects.items():
        top, _, inside = name.partition("/")
        scheme, _, rest = inside.partition("/")
        place = schemes.get(scheme, site) / rest if top == data and rest else site / name
        path = tree / place.relative_to("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _read_members(raw: Path, dist_info: str, left_out: Iterable[str]) -> tuple[frozenset[str], dict[str, bytes]]:
    dropped = {f"{dist_info}/{name}" for name in left_out}
    executables, members = set(), {}
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            if info.is_dir() or info.filename in dropped:
                continue
            members[info.filename] = archive.read(info)
            if (info.external_attr >> 16) & _EXECUTABLE:
                executables.add(info.filename)
    return frozenset(executables), members


def _replace_tags(wheel_file: bytes, pythons: str, abis: str, platforms: str) -> bytes:
    """Return the WHEEL file with the tags of the new file name, one line for each combination."""
    kept = [
        line
        for line in wheel_file.decode("utf-8", "replace").splitlines()
        if line.strip() and not line.lower().startswith("tag:")
    ]
    tags = [
        f"Tag: {python}-{abi}-{platform}"
        for python in sorted(pythons.split("."))
        for abi in sorted(abis.split("."))
        for platform in sorted(platforms.split("."))
    ]
    return "".join(f"{line}\n" for line in (*kept, *tags)).encode()


def _write_wheel(path: Path, dist_info: str, members: Mapping[str, bytes], executables: frozenset[str]) -> None:
    order = sorted(members, key=lambda name: (name.startswith(f"{dist_info}/"), name))
    record = f"{dist_info}/RECORD"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in order:
            archive.writestr(_zip_info(name, is_executable=name in executables), members[name])
        archive.writestr(_zip_info(record), _compose_record(record, ((name, members[name]) for name in order)))


def _compose_record(record: str, members: Iterable[tuple[str, bytes]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for name, content in members:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        writer.writerow((name, f"sha256={digest}", len(content)))
    writer.writerow((record, "", ""))
    return text.getvalue().encode()


def _zip_info(name: str, *, is_executable: bool = False) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.create_system = 3  # Unix: the upper half of external_attr is a mode
    info.external_attr = (stat.S_IFREG | (0o755 if is_executable else 0o644)) << 16
    return info
