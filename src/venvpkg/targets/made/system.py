"""A system that was made, and which module makes those of a family."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from venvpkg.errors import MissingToolError
from venvpkg.targets.made import debian, dnf
from venvpkg.targets.selection import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from venvpkg.host.runner import Runner, Streamer
    from venvpkg.model.recipe import Recipe, SystemSettings
    from venvpkg.targets.selection import Selection
    from venvpkg.targets.traits import Packages


@dataclass(frozen=True, slots=True)
class System:
    """A system to build in.

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


class Maker(Protocol):
    """A module with these functions makes the systems of a family."""

    def recipe(self, selection: Selection, settings: SystemSettings, runner: Runner) -> Recipe:
        """Return what a system is made from.

        Raises:
            ConfigurationError: that is not known.
        """

    def bootstrap(self, made: Recipe, work: Path, runner: Runner) -> Path:
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


def family_module(selection: Selection) -> Maker:
    """Return what makes a system."""
    return debian if selection.kind in {Kind.DEBIAN, Kind.UBUNTU} else dnf


def require_root(selection: Selection) -> None:
    """Raise when this process may not make a system.

    Raises:
        MissingToolError: it is not root's.
    """
    if os.geteuid() != 0:
        raise MissingToolError([f"the permission to make {selection}"], resolution="Run as root.")
