"""Find native code that was not compiled here: C libraries bundled in distributions, and files in pure wheels."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from venvpkg.model.wheels import OWN_SBOM, Action

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.staged import InstalledDistribution, StagedVenv
    from venvpkg.model.wheels import ReadyWheel, WheelPlan


# auditwheel writes a few KiB; the crates of a Rust program take a few hundred.
_MOST_BYTES = 16 << 20
_MOST_COMPONENTS = 10_000
_LONGEST = 500
_OWN_PURL = "pkg:pypi/"
# Warnings name only some: the SBOM of a Rust program lists hundreds of crates. The package's own SBOM has all.
_MOST_FILES = 3
_MOST_NAMES = 20
# auditwheel adds a part of the file's sha256 to its name: libssl-81ffa89e.so.3
_MANGLED = re.compile(r"-[0-9a-f]{8}(?=\.so)")


@dataclass(frozen=True, slots=True, order=True)
class Bundled:
    """A library inside a distribution.

    Attributes:
        distribution: normalised name of the distribution.
        name: in the SBOM, or of the file.
        version: empty when unknown.
        purl: package URL in the SBOM; may be empty or malformed.
        sha256: of the file, when no SBOM lists the library.
    """

    distribution: str
    name: str
    version: str = ""
    purl: str = ""
    sha256: str = ""


def bundled_libraries(
    staged: StagedVenv, elf: ElfReport, wheels: Iterable[ReadyWheel], reporter: Reporter
) -> tuple[Bundled, ...]:
    """Return the bundled libraries of all distributions, sorted and unique.

    The SBOM of a vendor wheel is skipped: it lists libraries that the wheel is linked against, not bundled ones.

    auditwheel's SBOMs list the packages of its build image, but not libraries built from source (libpq and libssl of
    psycopg2-binary). So the grafted objects are included, too, by file and hash. Nothing connects an object with the
    package it comes from.

    Args:
        staged: the payload; SBOMs in it are untrusted.
        elf: its ELF files.
        wheels: installed wheels; only publishers' wheels are searched for grafted objects.
        reporter: receives a note for each SBOM that could not be read.

    Source:
        PEP 770: SBOM documents in ``.dist-info/sboms``. auditwheel: grafted libraries in ``NAME.libs``.
    """
    binary = {each.name for each in wheels if each.origin is Action.BINARY}
    objects = [each.path for each in (*elf.objects, *elf.foreign)]
    found: set[Bundled] = set()
    for each in staged.distributions:
        found.update(_libraries_of_sboms(each, staged.destdir, reporter))
        if each.name in binary:
            found.update(_grafted_libraries(each, objects, staged.destdir))
    return tuple(sorted(found))


def _libraries_of_sboms(distribution: InstalledDistribution, destdir: Path, reporter: Reporter) -> Iterator[Bundled]:
    for path in distribution.files:
        if path.parent.name != "sboms" or not path.parent.parent.name.endswith(".dist-info") or path.name == OWN_SBOM:
            continue
        try:
            components = components_of((destdir / path.relative_to("/")).read_bytes())
        except ValueError as error:
            reporter.detail(f"{path}: skipped: {error}")
            continue
        own = f"{_OWN_PURL}{distribution.name}"
        for name, version, purl in components:
            kind, slash, package = purl.partition("@")[0].partition(_OWN_PURL)
            if kind or not slash or f"{_OWN_PURL}{canonicalize_name(package)}" != own:
                yield Bundled(distribution.name, name, version, purl)


def components_of(content: bytes) -> tuple[tuple[str, str, str], ...]:
    """Return name, version and purl of every component in an SBOM document; version and purl may be empty.

    Args:
        content: a CycloneDX or SPDX document in JSON; untrusted.

    Raises:
        ValueError: it is neither, or absurdly large.

    Source:
        CycloneDX 1.4 to 1.7: ``components``. SPDX 2.3: ``packages``, ``externalRefs`` of type ``purl``.
    """
    if len(content) > _MOST_BYTES:
        raise ValueError("it is absurdly large")
    try:
        document = json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    match document:
        case {"bomFormat": "CycloneDX", "components": list(entries)}:
            listed = [(each.get("name"), each.get("version"), each.get("purl")) for each in _component_tables(entries)]
        case {"spdxVersion": str(), "packages": list(entries)}:
            listed = [
                (each.get("name"), each.get("versionInfo"), _spdx_purl(each)) for each in _component_tables(entries)
            ]
        case _:
            raise ValueError("it is not a CycloneDX or SPDX document with components")
    return tuple(
        (_printable_line(name), _printable_line(version), _printable_line(purl))
        for name, version, purl in listed
        if _printable_line(name)
    )


def _component_tables(entries: list[object]) -> list[Mapping[str, object]]:
    if len(entries) > _MOST_COMPONENTS:
        raise ValueError(f"it lists {len(entries)} components")
    return [each for each in entries if isinstance(each, Mapping)]


def _spdx_purl(package: Mapping[str, object]) -> object:
    references = package.get("externalRefs")
    for each in references if isinstance(references, list) else ():
        match each:
            case {"referenceType": "purl", "referenceLocator": locator}:
                return locator
            case _:
                continue
    return None


def _printable_line(value: object) -> str:
    """Return ``value`` if it is a short printable line; else an empty line."""
    return value if isinstance(value, str) and len(value) <= _LONGEST and value.isprintable() else ""


def _grafted_libraries(
    distribution: InstalledDistribution, objects: Iterable[PurePosixPath], destdir: Path
) -> Iterator[Bundled]:
    files = set(distribution.files)
    for path in objects:
        if path in files and any(part.endswith(".libs") for part in path.parts):
            with (destdir / path.relative_to("/")).open("rb") as file:
                yield Bundled(distribution.name, path.name, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def native_code_in_pure_wheels(
    elf: ElfReport, distributions: Iterable[InstalledDistribution], wheels: Iterable[ReadyWheel]
) -> tuple[str, ...]:
    """Return a warning for each publisher's wheel with a pure tag that contains ELF files for the target.

    Such a file was compiled elsewhere, unlike the other native code; debugpy's ``py2.py3-none-any`` wheel has one. Its
    dependencies are computed all the same. ELF files for another machine are harmless and cause no warning.

    Args:
        elf: every ELF file of the payload.
        distributions: installed distributions.
        wheels: that they were installed from.
    """
    pure = {wheel.name for wheel in wheels if wheel.origin is Action.PURE}
    native = {each.path for each in elf.objects}
    sentences = []
    for distribution in distributions:
        names = [path.name for path in distribution.files if path in native]
        if names and distribution.name in pure:
            named = ", ".join(names[:_MOST_FILES]) + (", …" if len(names) > _MOST_FILES else "")
            sentences.append(
                f"{distribution.name} {distribution.version}: the publisher's wheel is tagged as pure Python and holds"
                f" native code ({named}) that was not compiled here"
            )
    return tuple(sentences)


def binary_warnings(plan: WheelPlan, staged: StagedVenv, elf: ElfReport, bundled: Iterable[Bundled]) -> Iterator[str]:
    """Yield a warning for each prebuilt wheel: why it is used, and the libraries bundled in it.

    The objects under ``*.libs`` are the complete list of grafted libraries, while auditwheel's SBOMs list only those
    owned by a package of its build image. So the SBOM is used only for wheels without such objects.

    Args:
        plan: has the reasons.
        staged: has the files of each distribution.
        elf: ELF files of the payload.
        bundled: libraries listed in SBOMs.
    """
    owners = staged.owners()
    grafted: dict[str, set[str]] = {}
    for each in (*elf.objects, *elf.foreign):
        if each.path in owners and any(part.endswith(".libs") for part in each.path.parts):
            grafted.setdefault(owners[each.path], set()).add(_MANGLED.sub("", each.path.name))
    named_by_sbom: dict[str, set[str]] = {}
    for library in bundled:
        if canonicalize_name(library.name) != library.distribution:
            named_by_sbom.setdefault(library.distribution, set()).add(f"{library.name} {library.version}".rstrip())
    for wheel in plan.by_action(Action.BINARY):
        names = sorted(grafted.get(wheel.name) or named_by_sbom.get(wheel.name) or ())
        yield f"{wheel.name} {wheel.version}: {wheel.reason}; {_describe_libraries(names)}"


def _describe_libraries(names: list[str]) -> str:
    if not names:
        return "it lists no bundled libraries, but may have some linked into its modules"
    more = len(names) - _MOST_NAMES
    return f"it bundles {', '.join(names[:_MOST_NAMES])}{f' and {more} more' if more > 0 else ''}"
