"""Find the C libraries bundled in distributions: listed in their SBOMs, or present as objects under ``*.libs``."""

from __future__ import annotations

import hashlib
import json
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
    from venvpkg.model.wheels import ReadyWheel


# auditwheel writes a few KiB; the crates of a Rust program take a few hundred.
_MOST_BYTES = 16 << 20
_MOST_COMPONENTS = 10_000
_LONGEST = 500
_OWN_PURL = "pkg:pypi/"


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
