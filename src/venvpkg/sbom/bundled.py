"""Which C libraries a distribution brought along: what its own SBOM says, and the objects under ``*.libs``."""

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


# What auditwheel writes has a few KiB; what a Rust program's tree of crates comes to, a few hundred.
_MOST_BYTES = 16 << 20
_MOST_COMPONENTS = 10_000
_LONGEST = 500
_OWN_PURL = "pkg:pypi/"


@dataclass(frozen=True, slots=True, order=True)
class Bundled:
    """A library inside a distribution.

    Attributes:
        distribution: normalised name of the one that brought it.
        name: as its SBOM says, or the file's.
        version: empty when nobody tells it.
        purl: package URL as that SBOM has it; may be empty, and may be none.
        sha256: of the file, when the file is all that is known.
    """

    distribution: str
    name: str
    version: str = ""
    purl: str = ""
    sha256: str = ""


def bundled_libraries(
    staged: StagedVenv, elf: ElfReport, wheels: Iterable[ReadyWheel], reporter: Reporter
) -> tuple[Bundled, ...]:
    """Return what the distributions brought along; sorted, unique.

    A vendor wheel's own SBOM is passed over: it names what the wheel is linked against and does not have in it.

    An SBOM that auditwheel wrote names the packages of its build image, not what was built from source beside them
    (libpq and libssl of psycopg2-binary): so the grafted objects are named too, by file and hash. Which object is of
    which of those packages nobody tells.

    Args:
        staged: the payload; SBOMs inside it are outside input.
        elf: its ELF files.
        wheels: what was installed; grafted objects are looked for in publishers' wheels only.
        reporter: hears of SBOMs that cannot be read.

    Source:
        PEP 770: SBOM documents in ``.dist-info/sboms``. auditwheel: grafted libraries lie in ``NAME.libs``.
    """
    binary = {each.name for each in wheels if each.origin is Action.BINARY}
    objects = [each.path for each in (*elf.objects, *elf.foreign)]
    found: set[Bundled] = set()
    for each in staged.distributions:
        found.update(_told(each, staged.destdir, reporter))
        if each.name in binary:
            found.update(_grafted(each, objects, staged.destdir))
    return tuple(sorted(found))


def _told(distribution: InstalledDistribution, destdir: Path, reporter: Reporter) -> Iterator[Bundled]:
    for path in distribution.files:
        if path.parent.name != "sboms" or not path.parent.parent.name.endswith(".dist-info") or path.name == OWN_SBOM:
            continue
        try:
            components = components_of((destdir / path.relative_to("/")).read_bytes())
        except ValueError as error:
            reporter.detail(f"{path}: passed over: {error}")
            continue
        own = f"{_OWN_PURL}{distribution.name}"
        for name, version, purl in components:
            kind, slash, told = purl.partition("@")[0].partition(_OWN_PURL)
            if kind or not slash or f"{_OWN_PURL}{canonicalize_name(told)}" != own:
                yield Bundled(distribution.name, name, version, purl)


def components_of(content: bytes) -> tuple[tuple[str, str, str], ...]:
    """Return name, version and purl of everything that an SBOM document lists; version and purl may be empty.

    Args:
        content: a CycloneDX or SPDX document in JSON, from a stranger.

    Raises:
        ValueError: it is neither, or absurd.

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
            listed = [(each.get("name"), each.get("version"), each.get("purl")) for each in _tables(entries)]
        case {"spdxVersion": str(), "packages": list(entries)}:
            listed = [(each.get("name"), each.get("versionInfo"), _spdx_purl(each)) for each in _tables(entries)]
        case _:
            raise ValueError("it is no CycloneDX or SPDX document with components")
    return tuple((_line(name), _line(version), _line(purl)) for name, version, purl in listed if _line(name))


def _tables(entries: list[object]) -> list[Mapping[str, object]]:
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


def _line(value: object) -> str:
    """Return a short printable line, or nothing."""
    return value if isinstance(value, str) and len(value) <= _LONGEST and value.isprintable() else ""


def _grafted(distribution: InstalledDistribution, objects: Iterable[PurePosixPath], destdir: Path) -> Iterator[Bundled]:
    files = set(distribution.files)
    for path in objects:
        if path in files and any(part.endswith(".libs") for part in path.parts):
            with (destdir / path.relative_to("/")).open("rb") as file:
                yield Bundled(distribution.name, path.name, sha256=hashlib.file_digest(file, "sha256").hexdigest())
