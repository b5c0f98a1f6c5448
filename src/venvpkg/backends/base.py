"""What a package family must be able to do. One module a family; each does the same things in its own format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from venvpkg.backends.packed import PackedPackages
    from venvpkg.console import Report
    from venvpkg.host.runner import Runner, Streamer
    from venvpkg.model.depends import DependencySet, NativePackage
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.inspection import Inspection
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.project import Project, SonameRule
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.system import SystemDistribution
    from venvpkg.model.target import Target


class Backend(Protocol):
    """Makes packages of one family. A module with these functions is one."""

    def problems(self, project: Project) -> Iterator[str]:
        """Yield what the family would not accept, one sentence each."""

    def warn_of_namesake(self, name: str, target: Target, runner: Runner, report: Report, *, cache: Path) -> None:
        """Warn when the release has a package of this name itself, and say what follows."""

    def system_distributions(
        self, names: Sequence[str], target: Target, runner: Runner, cache: Path
    ) -> tuple[SystemDistribution, ...]:
        """Return the distributions of those normalised names, and all they require, as the release's packages have."""

    def derive_dependencies(  # noqa: PLR0913 - a stage: payload, place, effects
        self,
        report: ElfReport,
        staged: StagedVenv,
        target: Target,
        runner: Runner,
        console_report: Report,
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
        self, spec: PackageSpec, target: Target, runner: Runner, report: Report, *, cache: Path
    ) -> PackageSpec:
        """Return the spec with a conflict, and a warning, for each other package that ships one of its commands."""

    def assemble(  # noqa: PLR0913 - a stage: package, place, effects
        self,
        spec: PackageSpec,
        target: Target,
        destination: Path,
        runner: Runner,
        report: Report,
        *,
        earlier: PackedPackages,
    ) -> Artifact:
        """Write the package into the directory ``destination``, whole or not at all; not packed again if it was."""

    def read_evidence(self, artifact: Path, runner: Streamer) -> bytes:
        """Return the record of dependencies out of a package that ``assemble`` wrote."""

    def packers(self, target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
        """Return name and version of what writes a package's bytes, beside venvpkg."""

    def differences(self, first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
        """Return where two packages differ, one line a member; empty when no member does."""

    def inspect(self, artifact: Path, runner: Streamer) -> Inspection:
        """Return what is in any package of the family, whoever made it."""
