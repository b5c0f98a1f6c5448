"""A bootstrapped build root, and what a family must be able to do to make one."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from venvpkg.errors import MissingToolError
from venvpkg.families.deb import bootstrap as debian
from venvpkg.families.rpm import bootstrap as dnf
from venvpkg.host.runner import Command
from venvpkg.targets.processor import PROCESSORS, emulation_problem
from venvpkg.targets.selection import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from venvpkg.families.base import Packages
    from venvpkg.host.runner import Runner, Streamer
    from venvpkg.model.build_root import BuildRootSettings, Recipe
    from venvpkg.targets.selection import Selection


@dataclass(frozen=True, slots=True)
class BuildRoot:
    """A root that venvpkg bootstrapped to build in.

    Attributes:
        selection: how the user names it.
        id: name and content of its tarball.
        recipe: digest of what it was made from.
        made: seconds since 1970.
        size_bytes: of the tarball.
        packages: installed in it, without those that projects add.
    """

    selection: Selection
    id: str
    recipe: str
    made: float
    size_bytes: int
    packages: Packages


class Bootstrapper(Protocol):
    """A module with these functions bootstraps the build roots of a family."""

    def recipe(self, selection: Selection, settings: BuildRootSettings, runner: Runner) -> Recipe:
        """Return what a system is made from.

        Raises:
            ConfigurationError: that is not known.
        """

    def bootstrap(self, recipe: Recipe, work: Path, runner: Runner) -> Path:
        """Make the system and return it as a tarball, compressed with zstd, in the empty directory ``work``.

        Raises:
            MissingToolError: a program of this machine is missing.
            TargetError: it cannot be made.
        """

    def add_packages(self, root: Path, packages: Sequence[str], host: Streamer, environment: Mapping[str, str]) -> None:
        """Install packages into a root that nobody else uses.

        Raises:
            TargetError: they cannot be installed.
        """


def bootstrapper_of(selection: Selection) -> Bootstrapper:
    """Return what makes a system."""
    return debian if selection.kind in {Kind.DEBIAN, Kind.UBUNTU} else dnf


def require_able(selection: Selection, runner: Runner) -> None:
    """Raise when a system cannot be made here; found out before anything is downloaded.

    Raises:
        MissingToolError: its programs do not run here, or this user can neither be root nor several users.
    """
    processor = PROCESSORS.get(selection.architecture)
    advice = emulation_problem(processor, platform.machine()) if processor is not None else ""
    if advice:
        raise MissingToolError(
            [f"programs for {selection.architecture} that run here, for {selection}"], resolution=advice
        )
    if os.geteuid() == 0:
        return
    done = runner.run(Command(("true",), many_users=True, timeout_s=60))
    if not done.ok:
        raise MissingToolError(
            [f"several users for packages' files, to make {selection}: {done.outcome()}: {done.errors.strip()[-300:]}"],
            resolution="Run as root; or install uidmap and have an administrator give this user numbers in /etc/subuid"
            " and /etc/subgid (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER).",
        )
