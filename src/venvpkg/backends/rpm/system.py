"""The distributions that packages of Fedora, EL and their relatives install for the release's interpreter."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.backends.rpm.owners import list_files, owners_of
from venvpkg.backends.rpm.relations import MINVER
from venvpkg.backends.rpm.versions import to_rpm, version_key, without_release
from venvpkg.backends.system import Spelling, find_system

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from venvpkg.host.runner import Runner
    from venvpkg.model.depends import NativePackage
    from venvpkg.model.system import SystemDistribution
    from venvpkg.model.target import Target

SPELLING: Final = Spelling(to_rpm, version_key, without_release, MINVER)


def system_distributions(
    names: Sequence[str], target: Target, runner: Runner, cache: Path
) -> tuple[SystemDistribution, ...]:
    """Return the distributions of those normalised names, and all that they require and packages have; sorted.

    Raises:
        PackageDatabaseError: some are not installed, or belong to no package.
    """
    del cache  # the package manager keeps its own
    return find_system(names, target, _Packages(target, runner)) if names else ()


class _Packages:
    """The rpmdb."""

    def __init__(self, target: Target, runner: Runner) -> None:
        self._interpreter = target.interpreter
        self._runner = runner

    @property
    def directories(self) -> tuple[PurePosixPath, ...]:
        # Fedora Python Packaging Guidelines, %python3_sitearch and %python3_sitelib; where both are one, once.
        return tuple(PurePosixPath(f"/usr/{each}/{self._interpreter.name}/site-packages") for each in ("lib64", "lib"))

    def owner(self, path: PurePosixPath) -> NativePackage | None:
        return next(iter(owners_of(path, self._runner)), None)

    def files(self, package: NativePackage) -> tuple[PurePosixPath, ...]:
        return list_files(package, self._runner)

    def advice(self, names: Sequence[str]) -> str:
        # Fedora Python Packaging Guidelines, machine-readable provides.
        wanted = " ".join(f"'python{self._interpreter.minor}dist({name})'" for name in names)
        return f"Run: dnf install {wanted}"
