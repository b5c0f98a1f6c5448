"""A build root that was bootstrapped, whether one can be here, and checks of what the user says of it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, MissingToolError, TargetError
from venvpkg.families.registry import family_of_build_root
from venvpkg.host.command import Command
from venvpkg.targets.processor import PROCESSORS, emulation_problem
from venvpkg.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.families.base import Bootstrapper, Packages
    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.build_root import BuildRootSettings
    from venvpkg.targets.selection import Selection


DATE: Final = "{snapshot}"


def reject_unused_settings(
    selection: Selection, settings: BuildRootSettings, places: Iterable[str], *, of_others: Iterable[str]
) -> None:
    """Refuse what would have no effect: whoever names a date or a keyring relies on it.

    Args:
        selection: the system.
        settings: the user's for it.
        places: where packages come from, with ``{snapshot}`` for the date.
        of_others: settings that only another family has.

    Raises:
        ConfigurationError: with all of them.
    """
    problems = [f"{key}: a system of {selection.kind} has none" for key in of_others if getattr(settings, key)]
    is_dated = any(DATE in each for each in places)
    if settings.snapshot and not is_dated:
        problems.append(f"snapshot: {DATE} is in no URL that is named for the system")
    if is_dated and not settings.snapshot:
        problems.append(f"{DATE} is in a URL, and no snapshot is named")
    if problems:
        raise ConfigurationError(
            f"targets.toml, {selection}", problems, resolution="README, Build for another release, has the keys."
        )


_MOST_LINES = 12


def stderr_tail(text: str) -> str:
    """Return the last lines of a program's standard error, indented, with nothing that a terminal would act on."""
    lines = [line for line in text.splitlines() if line.strip()][-_MOST_LINES:]
    return "\n".join(f"  {printable(line)}" for line in lines)


def installation_failed(program: str, packages: Iterable[str], done: Completed) -> TargetError:
    """Return the error of a package manager that could not install what a project asks for."""
    return TargetError(
        f"{program} cannot install {', '.join(packages)}: {done.outcome()}.",
        details=stderr_tail(done.errors),
        resolution="Correct build-depends; a release may have it under another name"
        " ([tool.venvpkg.target.RELEASE] in the configuration).",
    )


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
