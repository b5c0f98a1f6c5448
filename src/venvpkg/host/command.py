"""Commands: what is run, what it is shown, how it ended, and who can run it. Pure."""

from __future__ import annotations

import shlex
import signal
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Mapping
    from pathlib import Path


# Exit status of a shell for a missing program; a program's own 127 cannot be distinguished from it.
NOT_FOUND = 127
# Exit status of timeout(1) for a program that timed out.
OUT_OF_TIME = 124


@dataclass(frozen=True, slots=True)
class Bind:
    """A bind mount that makes a file or directory of this machine visible to a command.

    Attributes:
        source: directory or file on this machine.
        mountpoint: path where the command sees it; created if missing.
        writable: whether the command may change it.
    """

    source: Path
    mountpoint: PurePosixPath
    writable: bool = True

    @classmethod
    def in_place(cls, source: Path, *, writable: bool = True) -> Self:
        """Return a bind mount at the same path as on this machine; without another root, it needs no mount."""
        return cls(source, PurePosixPath(source), writable)


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run.

    Attributes:
        argv: program and arguments; never run by a shell. Paths are those of the root where it runs.
        cwd: working directory; by default ``/`` inside a target and in namespaces of its own.
        env: variables added to the allow-listed ones; with ``clean``, its only variables.
        clean: start without inherited variables.
        stdin: content of standard input, which is closed otherwise.
        stdin_file: existing file of this machine to use as standard input instead.
        log: file that receives stdout and stderr, in order; nothing is captured then.
        binds: bind mounts; a later one may be inside an earlier one.
        masked: directories that are hidden from it, such as ``/usr/local`` or ``/tmp``, except for bind mounts there.
        network: whether it may access the network.
        many_users: whether it changes the owners of files, as a package manager does; if an ordinary user runs
            venvpkg, it can use that user's subordinate ids.
        timeout_s: seconds until it is killed; None for no limit.
    """

    argv: tuple[str, ...]
    cwd: Path | PurePosixPath | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    clean: bool = False
    stdin: bytes | None = None
    stdin_file: Path | None = None
    log: Path | None = None
    binds: tuple[Bind, ...] = ()
    masked: tuple[PurePosixPath, ...] = ()
    network: bool = True
    many_users: bool = False
    timeout_s: float | None = None

    @property
    def needs_namespaces(self) -> bool:
        """Whether it needs namespaces of its own even without another root."""
        moved = any(str(bind.source) != str(bind.mountpoint) for bind in self.binds)
        return moved or bool(self.masked) or not self.network or self.many_users

    def __str__(self) -> str:
        """Return the command, quoted for a shell."""
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True)
class Completed:
    """The result of a program. ``returncode`` is 127 if it was not found, 124 if it timed out, -N for signal N."""

    returncode: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether its exit status is 0."""
        return self.returncode == 0

    @property
    def not_found(self) -> bool:
        """Whether the program does not exist or could not be started."""
        return self.returncode == NOT_FOUND

    @property
    def text(self) -> str:
        """Standard output as text; invalid UTF-8 is replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def errors(self) -> str:
        """Standard error as text; invalid UTF-8 is replaced."""
        return self.stderr.decode("utf-8", "replace")

    def outcome(self) -> str:
        """Return a description of the exit status: ``exit 3``, ``killed by SIGKILL``, ``not found``."""
        match self.returncode:
            case _ if self.not_found:
                return "not found (exit 127)"
            case code if code == OUT_OF_TIME:
                return "timed out"
            case code if code < 0:
                return f"killed by {signal.Signals(-code).name}"
            case code:
                return f"exit {code}"


class Runner(Protocol):
    """Runs programs and returns their results; the caller knows what a failure means."""

    def run(self, command: Command) -> Completed:
        """Run a program to its end. Neither an exit status nor a missing program raises an exception."""


class Streamer(Runner, Protocol):
    """A Runner that can also stream a program's output."""

    def stream(self, command: Command) -> contextlib.AbstractContextManager[Stream]:
        """Start a program; it is killed if it is still running at the end of the block."""


class Stream:
    """The standard output of a running program; it is not buffered, whatever its size."""

    def __init__(self, output: BinaryIO, wait: Callable[[], Completed]) -> None:
        self._output = output
        self._wait = wait

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most ``size``; none at the end."""
        return self._output.read(size)

    def finish(self) -> Completed:
        """Close the output, wait for the program and return its result, with an empty ``stdout``."""
        self._output.close()
        return self._wait()
