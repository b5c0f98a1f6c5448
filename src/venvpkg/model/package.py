"""The package, described without the words of a family, and the record of its build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvpkg.model.elf import ElfReport
from venvpkg.model.project import ProjectFiles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath

    from venvpkg.model.depends import DependencySet
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.wheels import ReadyWheel


@dataclass(frozen=True, slots=True)
class Relations:
    """Relations that only the user declares, in the family's spelling; Depends are ``DependencySet``."""

    recommends: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class StatePath:
    """A path that is not in the payload: the application makes it when it runs, and it goes with the package.

    Attributes:
        path: on the target, absolute.
        is_directory: which goes only when it is empty by then.
    """

    path: PurePosixPath
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class PackageSpec:
    """Everything a family's assemble needs.

    Attributes:
        name: of the package.
        epoch: 0 for none.
        upstream_version: PEP 440.
        revision: the user's revision, ``1``.
        maintainer: ``Name <address>``.
        summary: one line.
        description: text of several lines; may be empty.
        homepage: URL or empty.
        license_expression: SPDX expression, free text, or empty.
        section: archive section.
        dependencies: what was derived and what the user declared, with the evidence.
        evidence: the record of that derivation, as it is shipped below the prefix.
        sbom: the bill of materials, as it is shipped below the prefix; empty for none.
        links: link on the target → what it points to, sorted.
        source_date_epoch: build time, seconds since 1970 UTC.
        staged: the payload.
        relations: what else the user declared.
        project_files: maintainer scripts and templates; the files are in the payload already.
        target_revision: of a rebuild for this target alone; 0 for none.
        elf: every ELF file of the payload.
        state: what the application makes when it runs, sorted.
        debug: build-id and separate debug file on this machine, sorted by build-id; empty for no package of them.
    """

    name: str
    epoch: int
    upstream_version: str
    revision: str
    maintainer: str
    summary: str
    description: str
    homepage: str
    license_expression: str
    section: str
    dependencies: DependencySet
    evidence: bytes
    sbom: bytes
    links: tuple[tuple[PurePosixPath, PurePosixPath], ...]
    source_date_epoch: int
    staged: StagedVenv
    relations: Relations = field(default_factory=Relations)
    project_files: ProjectFiles = field(default_factory=ProjectFiles)
    target_revision: int = 0
    elf: ElfReport = field(default_factory=lambda: ElfReport(()))
    state: tuple[StatePath, ...] = ()
    debug: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A package that was written, whole and read back.

    Attributes:
        path: on this machine, absolute.
        sha256: hexadecimal.
        size_bytes: of the file.
        spec: what it was made from.
        wheels: what its environment was made of, sorted by name; none where only the package is known.
        debug_packages: packages of debug symbols built along with it, in any directory.
    """

    path: Path
    sha256: str
    size_bytes: int
    spec: PackageSpec
    wheels: tuple[ReadyWheel, ...] = ()
    debug_packages: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """One build, as it is written beside its package.

    Attributes:
        name: normalised name of the application's distribution.
        requirement: what was asked for (PEP 508), without credentials; None for a project's own tree.
        settings: the table ``[tool.venvpkg]`` that was in force, every key of it.
        source_date_epoch: the time in the package, seconds since 1970 UTC.
        lock: text of the lock (PEP 751), without credentials.
        build_lock: text of the pinned build requirements; empty when nothing was compiled.
        inputs: section → name → value: everything else that can change the package's bytes, by hash or version.
        artifact: file name of the package.
        sha256: of the package, hexadecimal.
        size_bytes: of the package.
        debug_packages: file name of each package of debug symbols built along with it → its sha256, hexadecimal.
    """

    name: str
    requirement: str | None
    settings: Mapping[str, object]
    source_date_epoch: int
    lock: str
    build_lock: str
    inputs: Mapping[str, Mapping[str, str]]
    artifact: str
    sha256: str
    size_bytes: int
    debug_packages: Mapping[str, str] = field(default_factory=dict)
