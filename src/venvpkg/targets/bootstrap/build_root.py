"""A build root that was bootstrapped, and whether one can be here."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.families.registry import family_of_build_root
from venvpkg.host.runner import Command
from venvpkg.targets.processor import PROCESSORS, emulation_problem

if TYPE_CHECKING:
    from venvpkg.families.base import Bootstrapper, Packages
    from venvpkg.host.runner import Runner
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


def bootstrapper_of(selection: Selection) -> Bootstrapper:
    """Return what bootstraps a build root."""
    family = family_of_build_root(selection.kind)
    if family is None:
        raise ValueError(f"no family bootstraps {selection}")
    return family.bootstrap


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
