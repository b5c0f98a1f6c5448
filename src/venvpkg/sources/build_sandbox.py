"""Where one wheel is built: a directory that its programs see at a fixed neutral place, and without network."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.host.command import Bind, Command
from venvpkg.host.layers import LayeredRoot
from venvpkg.host.runner import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.target import Target


# Backends write this place into what they build, so it names nobody's machine. Its parent exists by the FHS.
MOUNTPOINT = PurePosixPath("/usr/src/venvpkg")
# What a distribution's own build would not find: programs, headers and settings of this machine's administrator.
MASKED = tuple(PurePosixPath(path) for path in ("/usr/local", "/usr/src", "/tmp", "/var/tmp", "/home", "/root"))  # noqa: S108


def shown_interpreter(target: Target) -> tuple[tuple[Path, str], ...]:
    """Return what of the target to show in a sandbox, and where, so that its interpreter is not hidden with the rest.

    One in ``/usr/local`` itself brings along all that is there: there are no borders between what it holds.
    """
    prefix = target.interpreter.prefix
    if not any(prefix.is_relative_to(each) for each in MASKED):
        return ()
    place = LayeredRoot(target.root).find(str(prefix))
    return ((target.on_host(PurePosixPath(place.path)), str(prefix)),) if place else ()


@dataclass(frozen=True, slots=True)
class BuildSandbox:
    """A job's workspace.

    Attributes:
        path: on this machine; shown as ``MOUNTPOINT`` to what runs in it.
        log: on this machine, outside the sandbox; receives what programs print.
        runner: runs them.
        variables: their whole environment.
        is_stopping: whether to start nothing more.
        tools: what of this machine they are shown, read-only, and where in the sandbox.
    """

    path: Path
    log: Path
    runner: Runner
    variables: Mapping[str, str]
    is_stopping: Callable[[], bool]
    tools: tuple[tuple[Path, str], ...] = ()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def fresh(self, name: str) -> Path:
        """Return an empty directory of the sandbox, whatever was there before."""
        directory = self.path / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return directory

    def run(self, argv: tuple[str, ...], *, inside: str = "", network: bool = False) -> Completed:
        """Run a program in the sandbox. What it prints goes to the log.

        Args:
            argv: relative paths are the sandbox's.
            inside: directory of the sandbox to run in; the sandbox itself by default.
            network: whether the program may reach the network.

        Raises:
            StoppedError: the run is being ended.
        """
        if self.is_stopping():
            raise StoppedError
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(argv)}\n")
        done = self.runner.run(
            Command(
                argv,
                cwd=MOUNTPOINT / inside,
                env=self.variables,
                clean=True,
                log=self.log,
                binds=(
                    Bind(self.path, MOUNTPOINT),
                    *(Bind(source, MOUNTPOINT / place, writable=False) for source, place in self.tools),
                ),
                masked=MASKED,
                network=network,
            )
        )
        if self.is_stopping():
            raise StoppedError
        return done
