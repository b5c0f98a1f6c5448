"""The package, described independently of its family, and the build record."""

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
    """Relations that only the user declares, in the family's syntax; for Depends see ``DependencySet``."""

    recommends: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class StatePath:
    """A path that the application creates at run time, and that is removed with the package.

    Attributes:
        path: absolute path on the target.
        is_directory: whether it is a directory, which is removed only if empty.
    """

    path: PurePosixPath
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class PackageSpec:
    """Everything that a family's ``assemble`` needs.

    Attributes:
        name: name of the package.
        epoch: 0 for none.
        upstream_version: PEP 440.
        revision: the user's revision, ``1``.
        maintainer: ``Name <address>``.
        summary: one line.
        description: text of several lines; may be empty.
        homepage: URL or empty.
        license_expression: SPDX expression, free text, or empty.
        section: archive section.
        dependencies: derived and declared dependencies, with their evidence.
        evidence: the evidence document as shipped below the prefix.
        sbom: the SBOM as shipped below the prefix; empty for none.
        links: link on the target → its destination, sorted.
        source_date_epoch: build time, seconds since 1970 UTC.
        staged: the payload.
        relations: the user's other relations.
        project_files: maintainer scripts and templates; the extra files are part of the payload already.
        target_revision: number of a rebuild for this target only; 0 for none.
        elf: all ELF files of the payload.
        state: paths that the application creates at run time, sorted.
        debug: build-id and separate debug file on this machine, sorted by build-id; empty if there is no package of
            debug symbols.
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
    """A complete package file that was read back and verified.

    Attributes:
        path: absolute path on this machine.
        sha256: hexadecimal.
        size_bytes: size of the file.
        spec: the specification that it was assembled from.
        wheels: the wheels in its virtual environment, sorted by name; empty if only the package is known.
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
    """The record of one build, written next to its package.

    Attributes:
        name: normalised name of the application's distribution.
        requirement: the requested requirement (PEP 508), without credentials; None for a project's own tree.
        settings: the effective table ``[tool.venvpkg]`` with every key.
        source_date_epoch: build time, seconds since 1970 UTC.
        lock: text of the lockfile (PEP 751), without credentials.
        build_lock: text of the pinned build requirements; empty if nothing was compiled.
        inputs: section → name → value, a hash or version: everything else that can change the package's bytes.
        artifact: file name of the package.
        sha256: hash of the package, hexadecimal.
        size_bytes: size of the package.
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
