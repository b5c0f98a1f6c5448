"""The package, described independently of its family, the build record, and what is found in any package."""

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
        directories_of_others: directories of its files that other packages of the target own.
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
    directories_of_others: frozenset[PurePosixPath] = frozenset()


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


# The results of ``inspect`` on any package. Nothing in a package is trusted: every text may be hostile.


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A regular file of a package and its size."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PackedDistribution:
    """A Python distribution inside a package, according to its metadata directory."""

    name: str
    version: str
    path: str


@dataclass(frozen=True, slots=True)
class PackedLink:
    """A command on the administrator's PATH; ``points_to`` is empty for a regular file."""

    path: str
    points_to: str


@dataclass(frozen=True, slots=True)
class PackedElf:
    """The dynamic section of an ELF file; ``problem`` describes a damaged one."""

    path: str
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Leak:
    """A file that contains paths or names of the build machine: the first such text, and the number of them."""

    path: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """The report of ``venvpkg inspect``; each group is sorted.

    Attributes:
        filename: file name of the package.
        sha256: hash of the package, hexadecimal.
        size_bytes: size of the package.
        fields: names and values of its metadata, in the package's order.
        scripts: names of maintainer scripts and triggers.
        configuration: files whose local changes are kept (deb: conffiles).
        counts: kind (files, directories, links, others) and number.
        payload_bytes: total size of the regular files.
        largest: the largest files, largest first.
        distributions: Python distributions.
        commands: commands on the PATH.
        services: units and init scripts.
        elf: ELF files.
        leaks: files that contain paths or names of the build machine.
        is_ours: whether the package identifies venvpkg as its builder.
        own_documents: files that venvpkg adds to its packages; empty for a package built by another program, and for
            one of debug symbols.
    """

    filename: str
    sha256: str
    size_bytes: int
    fields: tuple[tuple[str, str], ...]
    scripts: tuple[str, ...]
    configuration: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    payload_bytes: int
    largest: tuple[PackedFile, ...]
    distributions: tuple[PackedDistribution, ...]
    commands: tuple[PackedLink, ...]
    services: tuple[str, ...]
    elf: tuple[PackedElf, ...]
    leaks: tuple[Leak, ...]
    is_ours: bool
    own_documents: tuple[str, ...]
