"""What a package family must be able to do: one protocol for each side of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.families.common.artifact_cache import ArtifactCache
    from venvpkg.host.runner import Runner, Streamer
    from venvpkg.model.depends import DependencySet, NativePackage
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.inspection import Inspection
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.project import Project, SonameRule
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Interpreter, Release, Target
    from venvpkg.model.wheels import SystemDistribution


# Each package that is installed: its name with its architecture, its whole version. Sorted, each name once.
Packages = tuple[tuple[str, str], ...]


class Purpose(StrEnum):
    """What something is needed for."""

    ALWAYS = "every build"
    COMPILE = "compiling wheels"
    PROJECT = "this project's wheels"


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the target that a build runs.

    Attributes:
        name: looked for where the system's programs are.
        package: that ships it.
        purpose: what needs it.
    """

    name: str
    package: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Identity:
    """What only the family's own tools know of a target; see the attributes of ``Target``."""

    architecture: str
    multiarch: str = ""
    dist: str = ""
    isa: str = ""


class Traits(Protocol):
    """A package with these functions describes a family. ``runner`` always runs programs on the target."""

    def read_identity(self, release: Release, multiarch: str, runner: Runner) -> Identity:
        """Return how the family's tools name the architecture.

        Raises:
            MissingToolError: the tools are not there.
        """

    def read_flags(self, runner: Runner) -> dict[str, str]:
        """Return the compiler's flags with which the release builds its own packages: variable → flags.

        Raises:
            MissingToolError: they cannot be had.
        """

    def build_packages(self, target: Target, runner: Runner) -> Packages:
        """Return every installed package that can change what a compiler makes.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def all_packages(self, target: Target, runner: Runner) -> Packages:
        """Return every installed package.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def not_installed(self, wanted: Iterable[str], runner: Runner) -> tuple[str, ...]:
        """Return those of ``wanted``, names of packages or of what packages provide, that are not there; in order.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def programs(self) -> tuple[Program, ...]:
        """Return what a build runs."""

    def headers_package(self, interpreter: Interpreter, release: Release) -> str | None:
        """Return the package with the interpreter's C headers; None when none is known."""

    def interpreter_packages(self, wanted: str, release: Release) -> tuple[str, ...]:
        """Return the package of an interpreter, named as in the configuration, and that of its C headers.

        Nothing for one that is named by its path: whose it is only shows when it is there.
        """

    def install_command(self, release: Release) -> str:
        """Return the beginning of the command that installs packages."""


class Backend(Protocol):
    """Makes packages of one family. A module with these functions is one."""

    def problems(self, project: Project) -> Iterator[str]:
        """Yield what the family would not accept, one sentence each."""

    def warn_if_name_taken(self, name: str, target: Target, runner: Runner, reporter: Reporter, *, cache: Path) -> None:
        """Warn when the release has a package of this name itself, and say what follows."""

    def system_distributions(
        self, names: Sequence[str], target: Target, runner: Runner, cache: Path
    ) -> tuple[SystemDistribution, ...]:
        """Return the distributions of those normalised names, and all they require, as the release's packages have."""

    def derive_dependencies(  # noqa: PLR0913 - a stage: payload, place, effects
        self,
        elf: ElfReport,
        staged: StagedVenv,
        target: Target,
        runner: Runner,
        reporter: Reporter,
        *,
        declared: Sequence[str] = (),
        sonames: Sequence[SonameRule] = (),
        with_floors: bool = False,
    ) -> DependencySet:
        """Return every relation that the payload needs, changed by what the user declared, with their evidence.

        ``with_floors`` asks for lowest versions where the family's own way of relating to libraries knows none.
        """

    def packages_shipping(
        self, paths: Sequence[PurePosixPath], target: Target, runner: Runner
    ) -> Mapping[PurePosixPath, NativePackage]:
        """Return the installed package that ships each path of the target; nothing for a path that none ships."""

    def avoid_collisions(
        self, spec: PackageSpec, target: Target, runner: Runner, reporter: Reporter, *, cache: Path
    ) -> PackageSpec:
        """Return the spec with a conflict, and a warning, for each other package that ships one of its commands."""

    def assemble(  # noqa: PLR0913 - a stage: package, place, effects
        self,
        spec: PackageSpec,
        target: Target,
        destination: Path,
        runner: Runner,
        reporter: Reporter,
        *,
        earlier: ArtifactCache,
    ) -> Artifact:
        """Write the package into the directory ``destination``, whole or not at all; not packed again if it was."""

    def read_evidence(self, artifact: Path, runner: Streamer) -> bytes:
        """Return the record of dependencies out of a package that ``assemble`` wrote."""

    def packaging_tool_versions(self, target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
        """Return name and version of what writes a package's bytes, beside venvpkg."""

    def differences(self, first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
        """Return where two packages differ, one line a member; empty when no member does."""

    def inspect(self, artifact: Path, runner: Streamer) -> Inspection:
        """Return what is in any package of the family, whoever made it."""
