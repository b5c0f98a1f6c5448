"""Describe a bootstrapped build root, check its settings, and check that this machine can bootstrap it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, MissingToolError, TargetError
from venvpkg.families.registry import family_of_build_root
from venvpkg.host.command import Command
from venvpkg.host.oserrors import environment_error_in
from venvpkg.targets.processor import PROCESSORS, emulation_problem
from venvpkg.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.errors import MachineError
    from venvpkg.families.base import Bootstrapper, Packages
    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.target import BuildRootSettings
    from venvpkg.targets.selection import Selection


DATE: Final = "{snapshot}"


def reject_unused_settings(
    selection: Selection, settings: BuildRootSettings, places: Iterable[str], *, of_others: Iterable[str]
) -> None:
    """Refuse settings without effect, because a user who sets a date or a keyring relies on it.

    Args:
        selection: the build root.
        settings: the user's settings for it.
        places: sources of packages, with ``{snapshot}`` for the date.
        of_others: settings that only another family uses.

    Raises:
        ConfigurationError: with all of them.
    """
    problems = [f"{key}: not used for a build root of {selection.kind}" for key in of_others if getattr(settings, key)]
    is_dated = any(DATE in each for each in places)
    if settings.snapshot and not is_dated:
        problems.append(f"snapshot: none of the build root's URLs contains {DATE}")
    if is_dated and not settings.snapshot:
        problems.append(f"a URL contains {DATE}, but no snapshot is set")
    if problems:
        raise ConfigurationError(
            f"targets.toml, {selection}", problems, resolution="README, Build for another release, lists the keys."
        )


_MOST_LINES = 12


def stderr_tail(text: str) -> str:
    """Return the last lines of a program's standard error, indented, without terminal control characters."""
    lines = [line for line in text.splitlines() if line.strip()][-_MOST_LINES:]
    return "\n".join(f"  {printable(line)}" for line in lines)


def installation_failed(program: str, packages: Iterable[str], done: Completed) -> TargetError | MachineError:
    """Return the error of a package manager that could not install the packages of a project."""
    return environment_error_in(done.errors) or TargetError(
        f"{program} could not install {', '.join(packages)}: {done.outcome()}.",
        details=stderr_tail(done.errors),
        resolution="Fix build-depends; a package may have another name in this release"
        " ([tool.venvpkg.target.RELEASE] in the configuration).",
    )


@dataclass(frozen=True, slots=True)
class BuildRoot:
    """A bootstrapped build root.

    Attributes:
        selection: the target as the user names it.
        id: its name and the hash of its tarball.
        recipe: digest of the inputs that it was bootstrapped from.
        made: time of creation, in seconds since 1970.
        size_bytes: size of the tarball.
        packages: packages installed in it, without those that projects add.
    """

    selection: Selection
    id: str
    recipe: str
    made: float
    size_bytes: int
    packages: Packages


def bootstrapper_of(selection: Selection) -> Bootstrapper:
    """Return the bootstrapper of a build root."""
    family = family_of_build_root(selection.kind)
    if family is None:
        raise ValueError(f"no family bootstraps {selection}")
    return family.bootstrap


def require_able(selection: Selection, runner: Runner) -> None:
    """Raise if this machine cannot bootstrap a build root; nothing is downloaded for the check.

    Raises:
        MissingToolError: its programs do not run here, or this user is not root and has no subordinate user ids.
    """
    processor = PROCESSORS.get(selection.architecture)
    advice = emulation_problem(processor, platform.machine()) if processor is not None else ""
    if advice:
        raise MissingToolError(
            [f"support for running {selection.architecture} programs, for {selection}"], resolution=advice
        )
    if os.geteuid() == 0:
        return
    done = runner.run(Command(("true",), many_users=True, timeout_s=60))
    if not done.ok:
        raise MissingToolError(
            [f"subordinate user ids, to create {selection}: {done.outcome()}: {done.errors.strip()[-300:]}"],
            resolution="Run as root; or install uidmap and have an administrator add ids for this user to /etc/subuid"
            " and /etc/subgid (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER).",
        )
