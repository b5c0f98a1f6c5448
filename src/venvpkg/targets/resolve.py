"""Find out what a target is, and how programs run there."""

from __future__ import annotations

import contextlib
import os
import platform
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, MissingToolError, VenvpkgError
from venvpkg.host.command import Command
from venvpkg.host.layers import LayeredRoot
from venvpkg.host.sandbox import NAMESPACES_RESOLUTION
from venvpkg.targets.host import release_own, resolve_host
from venvpkg.targets.image import image_root
from venvpkg.targets.machine.connection import Connection, ssh_settings
from venvpkg.targets.machine.filesystem import machine_root
from venvpkg.targets.machine.runner import MachineRunner
from venvpkg.targets.processor import PROGRAM, emulation_problem, foreign_processor
from venvpkg.targets.root import RootRunner
from venvpkg.targets.selection import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from venvpkg.host.command import Runner, Streamer
    from venvpkg.model.target import Target
    from venvpkg.store.locks import RootLease
    from venvpkg.targets.interpreter import Choice
    from venvpkg.targets.selection import Selection


_A_ROOT: Final = "Name the directory of a root, as mmdebstrap or 'dnf --installroot' make one."


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """A target, and the runner of programs there.

    Attributes:
        target: what it is.
        runner: runs programs there.
        held: keeps a root that venvpkg made from being removed, as long as it lives; None for other targets.
    """

    target: Target
    runner: Streamer
    lease: RootLease | None = None


def resolve_target(
    selection: Selection, host: Streamer, environment: Mapping[str, str], cache: Path, choice: Choice = release_own
) -> ResolvedTarget:
    """Return the target that the user names.

    Args:
        selection: as the user names it.
        host: runs programs of this machine.
        environment: venvpkg's own variables.
        cache: directory of what can be had again.
        choice: which interpreter the user wants there.

    Raises:
        ConfigurationError: there is no such root, image or running machine, or its release cannot be told.
        TargetError: the machine cannot be reached or used.
        MissingToolError: it has no interpreter or no tools of its family, or programs cannot run there.
    """
    match selection.kind:
        case Kind.HOST:
            return ResolvedTarget(resolve_host(host, choice=choice), host)
        case Kind.ROOT:
            # Not Path.resolve, which raises for a loop of links.
            root = Path(os.path.realpath(Path(selection.place).expanduser()))
            if root.parent == root:
                return ResolvedTarget(resolve_host(host, choice=choice), host)
            return _in_root(_required(root, selection), selection, host, environment, choice)
        case Kind.PODMAN | Kind.DOCKER:
            root = image_root(selection, host, environment, cache / "images")
            return _in_root(root, selection, host, environment, choice)
        case Kind.VAGRANT:
            return _in_machine(selection, host, environment, cache, choice)
        case _:
            raise ValueError(f"{selection} is resolved by the root that was made for it")


def resolve_made(
    selection: Selection, lease: RootLease, host: Streamer, environment: Mapping[str, str], choice: Choice = release_own
) -> ResolvedTarget:
    """Return the target that a root is which venvpkg made.

    Raises:
        MissingToolError: programs cannot run there.
    """
    return replace(_in_root(lease.path, selection, host, environment, choice), lease=lease)


def _in_root(
    root: Path, selection: Selection, host: Streamer, environment: Mapping[str, str], choice: Choice
) -> ResolvedTarget:
    runner = RootRunner(root, host, environment)
    with _told_if_nothing_runs(runner, selection, lambda: _way_to_run(root)):
        return ResolvedTarget(resolve_host(runner, root, choice), runner)


def _in_machine(
    selection: Selection, host: Streamer, environment: Mapping[str, str], cache: Path, choice: Choice
) -> ResolvedTarget:
    connection = Connection(selection, ssh_settings(selection, host, environment), host, cache)
    root = machine_root(connection, cache / "machines")
    runner = MachineRunner(connection, root, environment)
    way_out = "Give the machine what its administrator needs for mounts and namespaces."
    with _told_if_nothing_runs(runner, selection, lambda: way_out):
        return ResolvedTarget(resolve_host(runner, root, choice), runner)


def _required(root: Path, selection: Selection) -> Path:
    if not root.is_dir():
        raise ConfigurationError(
            f"--target {selection}",
            [f"{root} is no directory"],
            resolution=_A_ROOT,
        )
    return root


@contextlib.contextmanager
def _told_if_nothing_runs(runner: Runner, selection: Selection, way_out: Callable[[], str]) -> Iterator[None]:
    """Tell of any failure that no program runs there, when that is so: it is the reason then."""
    try:
        yield
    except VenvpkgError:
        done = runner.run(Command(("true",), timeout_s=60))
        if done.ok:
            raise
        raise MissingToolError(
            [f"programs that run in {selection}: {done.outcome()}: {done.errors.strip()[-300:]}"],
            resolution=way_out(),
        ) from None


def _way_to_run(root: Path) -> str:
    """Return what to do where no program of a root runs."""
    if LayeredRoot(root).find(PROGRAM) is None:
        return f"{root} has no {PROGRAM}. {_A_ROOT}"
    processor = foreign_processor(root)
    if processor is None:
        return NAMESPACES_RESOLUTION
    advice = emulation_problem(processor, platform.machine())
    return f"It is a system for {processor.kernel}. {advice or NAMESPACES_RESOLUTION}"
