"""The sandbox of a build: a directory that its programs see at a fixed, neutral path, without network."""

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


# Backends write this path into their output, so it must not identify a machine. The FHS guarantees its parent.
MOUNTPOINT = PurePosixPath("/usr/src/venvpkg")
# Places of the administrator's programs, headers and settings, which a distribution's own build would not see.
MASKED = tuple(PurePosixPath(path) for path in ("/usr/local", "/usr/src", "/tmp", "/var/tmp", "/home", "/root"))  # noqa: S108


def shown_interpreter(target: Target) -> tuple[tuple[Path, str], ...]:
    """Return the directory to show in a sandbox, and where, if the interpreter's prefix would be hidden there.

    For an interpreter in ``/usr/local`` itself that is all of ``/usr/local``: nothing separates it from the rest.

    Returns:
        One pair of a path on this machine and a path in the sandbox; none if the interpreter is visible anyway.
    """
    prefix = target.interpreter.prefix
    if not any(prefix.is_relative_to(each) for each in MASKED):
        return ()
    place = LayeredRoot(target.root).find(str(prefix))
    return ((target.on_host(PurePosixPath(place.path)), str(prefix)),) if place else ()


@dataclass(frozen=True, slots=True)
class BuildSandbox:
    """A directory in which the programs of a build run.

    Attributes:
        path: directory on this machine, which its programs see as ``MOUNTPOINT``.
        log: file on this machine, outside the sandbox, for the programs' output.
        runner: runs programs on the target.
        variables: the programs' environ, in full.
        is_stopping: whether the run is ending and no further program may start.
        tools: paths on this machine to show read-only, each with its path in the sandbox.
    """

    path: Path
    log: Path
    runner: Runner
    variables: Mapping[str, str]
    is_stopping: Callable[[], bool]
    tools: tuple[tuple[Path, str], ...] = ()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def recreate(self, name: str) -> Path:
        """Create an empty directory in the sandbox, in place of an existing one, and return it."""
        directory = self.path / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return directory

    def run(self, argv: tuple[str, ...], *, inside: str = "", network: bool = False) -> Completed:
        """Run a program in the sandbox, with its output in the log.

        Args:
            argv: command; relative paths refer to the sandbox.
            inside: working directory in the sandbox; the sandbox itself by default.
            network: whether the program has network access.

        Raises:
            StoppedError: the run is ending.
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
