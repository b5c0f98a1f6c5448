"""What a package family must be able to do: one protocol for each side of it, which its modules satisfy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.families.common.artifact_cache import ArtifactCache
    from venvpkg.host.command import Runner, Streamer
    from venvpkg.model.build_root import BuildRootSettings, Recipe
    from venvpkg.model.depends import DependencySet, NativePackage
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.inspection import Inspection
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.project import Project, Settings
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Interpreter, Release, Target
    from venvpkg.model.wheels import SystemDistribution
    from venvpkg.targets.selection import Selection


# Each installed package: its name with its architecture, and its whole version. Sorted, each name once.
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
        name: looked for in the system's directories of programs.
        package: ships it.
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
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TargetContext:
    """A target, and what a family's code works with there.

    Attributes:
        target: where the package will be installed.
        runner: runs programs on the target.
        reporter: hears what happens.
        cache: venvpkg's cache directory.
    """

    target: Target
    runner: Runner
    reporter: Reporter
    cache: Path


class BuildHost(Protocol):
    """What a build needs to know of a target: the module ``host`` of a family. ``runner`` runs programs there."""

    def read_identity(self, release: Release, multiarch: str, runner: Runner, kernel: str = "") -> Identity:
        """Return how the family's tools name the architecture.

        Args:
            release: of the target.
            multiarch: the interpreter's multiarch tuple, or empty.
            runner: runs the tools.
            kernel: the kernel's word for the processor of the target's programs; empty if it is not known.

        Raises:
            MissingToolError: the tools are not installed, or configured for another processor.
        """

    def read_flags(self, runner: Runner) -> dict[str, str]:
        """Return the compiler flags with which the release builds its own packages: variable → flags.

        Raises:
            MissingToolError: the tool that knows them is not installed.
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
        """Return those of ``wanted``, names of packages or of what packages provide, that are not installed; in order.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def programs(self) -> tuple[Program, ...]:
        """Return the programs that a build runs."""

    def headers_package(self, interpreter: Interpreter, release: Release) -> str | None:
        """Return the package with the interpreter's C headers; None when none is known."""

    def interpreter_packages(self, wanted: str, release: Release) -> tuple[str, ...]:
        """Return the package of an interpreter, named as in the configuration, and that of its C headers.

        Empty for an interpreter that is named by its path: its owner is only known once it is installed.
        """

    def install_command(self, release: Release) -> str:
        """Return the beginning of the command that installs packages."""


class PackageFormat(Protocol):
    """Makes and reads packages: the module ``format`` of a family."""

    def problems(self, project: Project) -> Iterator[str]:
        """Yield what the family would not accept, one sentence each."""

    def warn_if_name_taken(self, name: str, context: TargetContext) -> None:
        """Warn when the release has a package of this name itself, and say what follows."""

    def system_distributions(self, names: Sequence[str], context: TargetContext) -> tuple[SystemDistribution, ...]:
        """Return the distributions of those normalised names, and all they require, as the release's packages have."""

    def derive_dependencies(
        self, elf: ElfReport, staged: StagedVenv, settings: Settings, context: TargetContext
    ) -> DependencySet:
        """Return every relation that the payload needs, changed by what the user declared, with their evidence."""

    def packages_shipping(
        self, paths: Sequence[PurePosixPath], target: Target, runner: Runner
    ) -> Mapping[PurePosixPath, NativePackage]:
        """Return the installed package that ships each path of the target; a path that none ships is left out."""

    def avoid_collisions(self, spec: PackageSpec, context: TargetContext) -> PackageSpec:
        """Return the spec with a conflict, and a warning, for each other package that ships one of its commands."""

    def assemble(
        self, spec: PackageSpec, destination: Path, earlier: ArtifactCache, context: TargetContext
    ) -> Artifact:
        """Write the package into the directory ``destination``, whole or not at all; ``earlier`` ones are reused."""

    def packaging_tool_versions(self, target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
        """Return name and version of what writes a package's bytes, apart from venvpkg."""

    def read_evidence(self, artifact: Path, runner: Streamer) -> bytes:
        """Return the evidence of its dependencies out of a package that ``assemble`` wrote."""

    def differences(self, first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
        """Return where two packages differ, one line a member; empty when no member does."""

    def inspect(self, artifact: Path, runner: Streamer) -> Inspection:
        """Return what is in any package of the family, whoever made it."""


class Bootstrapper(Protocol):
    """Makes build roots: the module ``bootstrap`` of a family."""

    def recipe(self, selection: Selection, settings: BuildRootSettings, runner: Runner) -> Recipe:
        """Return what a build root is made from.

        Raises:
            ConfigurationError: that is not known.
        """

    def bootstrap(self, recipe: Recipe, work: Path, runner: Runner) -> Path:
        """Make the build root and return it as a tarball, compressed with zstd, in the empty directory ``work``.

        Raises:
            MissingToolError: a program of this machine is missing.
            TargetError: it could not be made.
        """

    def add_packages(self, root: Path, packages: Sequence[str], host: Streamer, environment: Mapping[str, str]) -> None:
        """Install packages into a root that nobody else uses.

        Raises:
            TargetError: they could not be installed.
        """
