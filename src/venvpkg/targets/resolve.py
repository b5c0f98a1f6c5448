"""Resolve the target that the user selected, and the runner for programs in it."""

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
from venvpkg.targets.host import choose_release_python, resolve_host
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


_A_ROOT: Final = "Give the directory of a root, such as mmdebstrap or 'dnf --installroot' creates."


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """A target, and the runner of its programs.

    Attributes:
        target: the target.
        runner: runs programs on it.
        lease: keeps a build root from being removed as long as it exists; None for other targets.
    """

    target: Target
    runner: Streamer
    lease: RootLease | None = None


def resolve_target(
    selection: Selection,
    host: Streamer,
    environ: Mapping[str, str],
    cache: Path,
    choice: Choice = choose_release_python,
) -> ResolvedTarget:
    """Return the target that the user selected, unless it is a build root.

    Args:
        selection: the target as the user names it.
        host: runs programs on this machine.
        environ: venvpkg's own environment variables.
        cache: directory for files that can be recreated.
        choice: returns the interpreter that the user wants.

    Raises:
        ConfigurationError: the root, image or running machine does not exist, or its release cannot be detected.
        TargetError: the machine cannot be reached or used.
        MissingToolError: the interpreter or the tools of the family are missing, or programs cannot run on the target.
    """
    match selection.kind:
        case Kind.HOST:
            return ResolvedTarget(resolve_host(host, choice=choice), host)
        case Kind.ROOT:
            # Not Path.resolve, which raises for a loop of links.
            root = Path(os.path.realpath(Path(selection.place).expanduser()))
            if root.parent == root:
                return ResolvedTarget(resolve_host(host, choice=choice), host)
            return _resolve_root(_require_directory(root, selection), selection, host, environ, choice)
        case Kind.PODMAN | Kind.DOCKER:
            root = image_root(selection, host, environ, cache / "images")
            return _resolve_root(root, selection, host, environ, choice)
        case Kind.VAGRANT:
            return _resolve_machine(selection, host, environ, cache, choice)
        case _:
            raise ValueError(f"{selection} is a build root; see resolve_build_root")


def resolve_build_root(
    selection: Selection,
    lease: RootLease,
    host: Streamer,
    environ: Mapping[str, str],
    choice: Choice = choose_release_python,
) -> ResolvedTarget:
    """Return the target that a build root is.

    Raises:
        MissingToolError: programs cannot run in it.
    """
    return replace(_resolve_root(lease.path, selection, host, environ, choice), lease=lease)


def _resolve_root(
    root: Path, selection: Selection, host: Streamer, environ: Mapping[str, str], choice: Choice
) -> ResolvedTarget:
    runner = RootRunner(root, host, environ)
    with _report_if_nothing_runs(runner, selection, lambda: _how_to_run_programs(root)):
        return ResolvedTarget(resolve_host(runner, root, choice), runner)


def _resolve_machine(
    selection: Selection, host: Streamer, environ: Mapping[str, str], cache: Path, choice: Choice
) -> ResolvedTarget:
    connection = Connection(selection, ssh_settings(selection, host, environ), host, cache)
    root = machine_root(connection, cache / "machines")
    runner = MachineRunner(connection, root, environ)
    advice = "Allow the machine's administrator to create mounts and namespaces."
    with _report_if_nothing_runs(runner, selection, lambda: advice):
        return ResolvedTarget(resolve_host(runner, root, choice), runner)


def _require_directory(root: Path, selection: Selection) -> Path:
    if not root.is_dir():
        raise ConfigurationError(
            f"--target {selection}",
            [f"{root} is not a directory"],
            resolution=_A_ROOT,
        )
    return root


@contextlib.contextmanager
def _report_if_nothing_runs(runner: Runner, selection: Selection, advice: Callable[[], str]) -> Iterator[None]:
    """Replace any failure by one that says that no program runs on the target, if that is its cause."""
    try:
        yield
    except VenvpkgError:
        done = runner.run(Command(("true",), timeout_s=60))
        if done.ok:
            raise
        raise MissingToolError(
            [f"programs that run in {selection}: {done.outcome()}: {done.errors.strip()[-300:]}"],
            resolution=advice(),
        ) from None


def _how_to_run_programs(root: Path) -> str:
    """Return what to do if no program of a root runs."""
    if LayeredRoot(root).find(PROGRAM) is None:
        return f"{root} has no {PROGRAM}. {_A_ROOT}"
    processor = foreign_processor(root)
    if processor is None:
        return NAMESPACES_RESOLUTION
    advice = emulation_problem(processor, platform.machine())
    return f"The root is for {processor.kernel}. {advice or NAMESPACES_RESOLUTION}"
