"""Run programs on a machine as in a root: over a throw-away overlay of its filesystem."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import threading
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.host.command import OUT_OF_TIME, Bind, Command
from venvpkg.host.runner import StoppedError
from venvpkg.host.sandbox import isolated_argv
from venvpkg.targets.machine.connection import LOST
from venvpkg.targets.machine.exchange import Exchange
from venvpkg.targets.root import base_environ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.host.command import Completed, Stream
    from venvpkg.targets.machine.connection import Connection
    from venvpkg.targets.machine.exchange import Copy


_GRACE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Job:
    """A command that is ready to run on the machine.

    Attributes:
        place: its directory on the machine.
        copies: copies of its bind mounts.
        command: command of this machine that runs it.
    """

    place: PurePosixPath
    copies: tuple[Copy, ...]
    command: Command


class MachineRunner:
    """Runs programs on a machine. What they write is discarded when they end, except in writable bind mounts.

    The sources of bind mounts are copied to the machine, and changes in writable ones are copied back.

    Args:
        connection: connection to the machine.
        root: copy of the machine's filesystem on this machine.
        environ: venvpkg's own environment variables.
    """

    def __init__(self, connection: Connection, root: Path, environ: Mapping[str, str]) -> None:
        self._connection = connection
        self._root = root
        self._base = base_environ(environ)
        self._exchange = Exchange(connection)
        self._numbers = itertools.count(1)

    def run(self, command: Command) -> Completed:
        """Run a program to its end. Programs, directories and paths are those of the machine.

        Raises:
            TargetError: the connection was lost, or files could not be copied.
        """
        job = self._prepare_job(command)
        try:
            with self._kill_on_timeout(job, command) as is_late:
                done = self._connection.host.run(job.command)
        except BaseException:
            self._kill(job)
            raise
        if done.returncode == LOST:
            self._connection.require()
        self._clean_up(job)
        return replace(done, returncode=OUT_OF_TIME) if is_late.is_set() else done

    @contextlib.contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        """Start a program; it is killed at the end of the block if it is still running.

        Raises:
            TargetError: files could not be copied.
        """
        job = self._prepare_job(command, is_stream=True)
        try:
            with self._kill_on_timeout(job, command), self._connection.host.stream(job.command) as stream:
                yield stream
        finally:
            self._kill(job)
        self._clean_up(job)

    def _prepare_job(self, command: Command, *, is_stream: bool = False) -> _Job:
        """Copy the files of a command to the machine, and return the job that runs it.

        The command is a script for a shell there, so that its values do not appear in process listings. The shell reads
        the script from standard input if that is free, which saves a round trip, else from a file.
        """
        place = self._connection.place / f"job-{next(self._numbers)}"
        copies = tuple(
            self._exchange.send(bind, place / str(number)) for number, bind in enumerate(command.binds, start=1)
        )
        script = self._script(command, copies, place)
        argv, stdin = self._connection.inside("sh", "-s"), command.stdin
        if is_stream or stdin is not None or command.stdin_file is not None:
            self._exchange.write(script.encode(), place, "run")
            argv = self._connection.inside("sh", str(place / "run"))
        else:
            stdin = f"{script} < /dev/null".encode()
        there = Command(
            argv,
            stdin=stdin,
            stdin_file=command.stdin_file,
            log=command.log,
            # Only for a machine that no longer answers; the job itself is killed by _kill_on_timeout.
            timeout_s=command.timeout_s and command.timeout_s + _GRACE_S,
        )
        return _Job(place, copies, there)

    def _script(self, command: Command, copies: tuple[Copy, ...], place: PurePosixPath) -> str:
        """Return the shell script that runs a command on the machine."""
        there = replace(
            command,
            cwd=PurePosixPath(command.cwd or "/"),
            binds=tuple(Bind(Path(copy.there), copy.bind.mountpoint, copy.bind.writable) for copy in copies),
        )
        env = dict(command.env) if command.clean else self._base | dict(command.env)
        argv = isolated_argv(there, self._root, elsewhere=self._connection.root)
        words = ("env", "-i", *(f"{key}={value}" for key, value in env.items()), *argv)
        own = shlex.quote(str(place))
        # The order of output from two pipes would be lost through ssh.
        log = " 2>&1" if command.log is not None else ""
        return f"umask 022; cd /; mkdir -p {own}; echo $$ > {own}/process; exec {shlex.join(words)}{log}"

    @contextlib.contextmanager
    def _kill_on_timeout(self, job: _Job, command: Command) -> Iterator[threading.Event]:
        """Kill a job that exceeds its time, and yield an event that is then set.

        Killing ssh on this machine would not end the job on the other.
        """
        is_late = threading.Event()

        def kill() -> None:
            is_late.set()
            with contextlib.suppress(StoppedError):
                self._kill(job)

        timer = threading.Timer(command.timeout_s or 0, kill)
        timer.daemon = True
        if command.timeout_s is not None:
            timer.start()
        try:
            yield is_late
        finally:
            timer.cancel()

    def _clean_up(self, job: _Job) -> None:
        """Copy back what a job changed, and remove its files from the machine."""
        for copy in job.copies:
            if copy.bind.writable:
                self._exchange.take_back(copy)
        if job.copies:
            remove = self._connection.inside("rm", "-rf", str(job.place))
            self._connection.host.run(Command(remove, timeout_s=_GRACE_S))

    def _kill(self, job: _Job) -> None:
        """Kill a job with everything it started: its first process is the init of a pid namespace."""
        kill = 'kill -KILL "$(cat "$1/process")"'
        self._connection.host.run(
            Command(self._connection.inside("sh", "-c", kill, "sh", str(job.place)), timeout_s=_GRACE_S)
        )
