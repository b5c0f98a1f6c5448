"""The protocols that the modules of a package family implement, and the types in them."""

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
    from venvpkg.model.depends import DependencySet, NativePackage
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.package import Artifact, Inspection, PackageSpec
    from venvpkg.model.project import Project, Settings
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import BuildRootSettings, Interpreter, Recipe, Release, Target
    from venvpkg.model.wheels import SystemDistribution
    from venvpkg.targets.selection import Selection


# Installed packages: names with architectures, and full versions. Sorted, each name once.
Packages = tuple[tuple[str, str], ...]


class Purpose(StrEnum):
    """What a program is needed for."""

    ALWAYS = "every build"
    COMPILE = "compiling wheels"
    PROJECT = "this project's wheels"


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the target that a build runs.

    Attributes:
        name: name of the program, to be found in the directories of programs (``/usr/bin``).
        package: package that ships it.
        purpose: what it is needed for.
    """

    name: str
    package: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Identity:
    """Facts about a target that only the family's own tools know; see the attributes of ``Target``."""

    architecture: str
    multiarch: str = ""
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TargetContext:
    """A target, with what a family needs to work on it.

    Attributes:
        target: where the package will be installed.
        runner: runs programs on the target.
        reporter: receives events.
        cache: venvpkg's cache directory.
    """

    target: Target
    runner: Runner
    reporter: Reporter
    cache: Path


class BuildHost(Protocol):
    """Reads facts about a target: the module ``host`` of a family. ``runner`` runs programs on the target."""

    def read_identity(self, release: Release, multiarch: str, runner: Runner, kernel: str = "") -> Identity:
        """Return the family's name of the architecture, and related facts.

        Args:
            release: release of the target.
            multiarch: the interpreter's multiarch tuple, or empty.
            runner: runs the tools.
            kernel: the kernel's name for the processor of the target's programs; empty if unknown.

        Raises:
            MissingToolError: the tools are missing, or are configured for another processor.
        """

    def read_flags(self, runner: Runner) -> dict[str, str]:
        """Return the compiler flags with which the release builds its own packages: variable → flags.

        Raises:
            MissingToolError: the tool that prints them is not installed.
        """

    def build_packages(self, target: Target, runner: Runner) -> Packages:
        """Return the installed packages that can affect the output of a compiler.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def all_packages(self, target: Target, runner: Runner) -> Packages:
        """Return every installed package.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def not_installed(self, wanted: Iterable[str], runner: Runner) -> tuple[str, ...]:
        """Return those of ``wanted`` that are neither installed packages nor provided by one, in order.

        Raises:
            PackageDatabaseError: the package database is missing or damaged.
        """

    def programs(self) -> tuple[Program, ...]:
        """Return the programs that a build runs."""

    def headers_package(self, interpreter: Interpreter, release: Release) -> str | None:
        """Return the package with the interpreter's C headers; None if none is known."""

    def interpreter_packages(self, wanted: str, release: Release) -> tuple[str, ...]:
        """Return the packages of an interpreter, as written in the configuration, and of its C headers.

        Empty for an interpreter given by its path: its owner is only known once it is installed.
        """

    def install_command(self, release: Release) -> str:
        """Return the beginning of the command that installs packages."""


class PackageFormat(Protocol):
    """Makes and reads packages: the module ``format`` of a family."""

    def problems(self, project: Project) -> Iterator[str]:
        """Yield a message for each setting that is not valid for the family."""

    def warn_if_name_taken(self, name: str, context: TargetContext) -> None:
        """Warn if the release has its own package of this name."""

    def system_distributions(self, names: Sequence[str], context: TargetContext) -> tuple[SystemDistribution, ...]:
        """Return the distributions with these normalised names, and all they require, from the release's packages."""

    def derive_dependencies(
        self, elf: ElfReport, staged: StagedVenv, settings: Settings, context: TargetContext
    ) -> DependencySet:
        """Return the relations that the payload needs, after the user's changes, with their evidence."""

    def packages_shipping(
        self, paths: Sequence[PurePosixPath], target: Target, runner: Runner
    ) -> Mapping[PurePosixPath, NativePackage]:
        """Return the installed package that ships each path of the target; a path that none ships is left out."""

    def avoid_collisions(self, spec: PackageSpec, context: TargetContext) -> PackageSpec:
        """Return the spec with a conflict for each other package that ships one of its commands, and warn."""

    def assemble(
        self, spec: PackageSpec, destination: Path, earlier: ArtifactCache, context: TargetContext
    ) -> Artifact:
        """Write the package into the directory ``destination``, whole or not at all; reuse ``earlier`` ones."""

    def packaging_tool_versions(self, target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
        """Return names and versions of the tools that determine a package's bytes, apart from venvpkg."""

    def read_evidence(self, artifact: Path, runner: Streamer) -> bytes:
        """Return the evidence of the dependencies from a package that ``assemble`` wrote."""

    def differences(self, first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
        """Return the differences between two packages, one line per member; empty if there are none."""

    def inspect(self, artifact: Path, runner: Streamer) -> Inspection:
        """Return the facts about any package of the family, which may be untrusted."""


class Bootstrapper(Protocol):
    """Creates build roots: the module ``bootstrap`` of a family."""

    def recipe(self, selection: Selection, settings: BuildRootSettings, runner: Runner) -> Recipe:
        """Return the recipe of a build root.

        Raises:
            ConfigurationError: no repository for it is known, or a setting would have no effect.
        """

    def bootstrap(self, recipe: Recipe, work: Path, runner: Runner) -> Path:
        """Create the build root, and return it as a tarball compressed with zstd in the empty directory ``work``.

        Raises:
            MissingToolError: a program is not installed on this machine.
            TargetError: the build root could not be created.
        """

    def add_packages(self, root: Path, packages: Sequence[str], host: Streamer, environ: Mapping[str, str]) -> None:
        """Install packages into a root without other users.

        Raises:
            TargetError: they could not be installed.
        """
