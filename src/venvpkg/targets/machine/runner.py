"""Run programs in a machine as in a root of this one: below a layer over its filesystem that vanishes with them."""

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
from venvpkg.targets.root import base_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.host.command import Completed, Stream
    from venvpkg.targets.machine.connection import Connection
    from venvpkg.targets.machine.exchange import Copy


_GRACE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Job:
    """A command that is ready to run in the machine.

    Attributes:
        place: its directory there.
        copies: what it is shown.
        command: of this machine; runs it.
    """

    place: PurePosixPath
    copies: tuple[Copy, ...]
    command: Command


class MachineRunner:
    """Runs programs in a machine; what they write is gone when they end, but for what they are shown writable.

    What they are shown is copied there, and what they change in it is copied back.

    Args:
        connection: to the machine.
        root: copy of its filesystem on this machine.
        environment: venvpkg's own.
    """

    def __init__(self, connection: Connection, root: Path, environment: Mapping[str, str]) -> None:
        self._connection = connection
        self._root = root
        self._base = base_environment(environment)
        self._exchange = Exchange(connection)
        self._numbers = itertools.count(1)

    def run(self, command: Command) -> Completed:
        """Run to the end. Programs, directories and paths are the machine's.

        Raises:
            TargetError: the connection was lost, or files cannot be copied.
        """
        job = self._begun(command)
        try:
            with self._limited(job, command) as is_late:
                done = self._connection.host.run(job.command)
        except BaseException:
            self._kill(job)
            raise
        if done.returncode == LOST:
            self._connection.require()
        self._end(job)
        return replace(done, returncode=OUT_OF_TIME) if is_late.is_set() else done

    @contextlib.contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        """Start a program; it is killed at the end of the block when it still runs.

        Raises:
            TargetError: files cannot be copied.
        """
        job = self._begun(command, is_stream=True)
        try:
            with self._limited(job, command), self._connection.host.stream(job.command) as stream:
                yield stream
        finally:
            self._kill(job)
        self._end(job)

    def _begun(self, command: Command, *, is_stream: bool = False) -> _Job:
        """Return a command whose files are in the machine.

        A shell there reads how to run it, so that no value is seen in a list of processes: as its standard input where
        that is free, which saves a way there and back, else from a file.
        """
        place = self._connection.place / f"job-{next(self._numbers)}"
        copies = tuple(
            self._exchange.sent(bind, place / str(number)) for number, bind in enumerate(command.binds, start=1)
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
            # Only should the machine not answer any more; ssh alone cannot end what runs there.
            timeout_s=command.timeout_s and command.timeout_s + _GRACE_S,
        )
        return _Job(place, copies, there)

    def _script(self, command: Command, copies: tuple[Copy, ...], place: PurePosixPath) -> str:
        """Return what the shell there does."""
        there = replace(
            command,
            cwd=PurePosixPath(command.cwd or "/"),
            binds=tuple(Bind(Path(copy.there), copy.bind.mountpoint, copy.bind.writable) for copy in copies),
        )
        env = dict(command.env) if command.clean else self._base | dict(command.env)
        argv = isolated_argv(there, self._root, elsewhere=self._connection.root)
        words = ("env", "-i", *(f"{key}={value}" for key, value in env.items()), *argv)
        own = shlex.quote(str(place))
        # Through ssh, the order of what comes from two pipes would be lost.
        log = " 2>&1" if command.log is not None else ""
        return f"umask 022; cd /; mkdir -p {own}; echo $$ > {own}/process; exec {shlex.join(words)}{log}"

    @contextlib.contextmanager
    def _limited(self, job: _Job, command: Command) -> Iterator[threading.Event]:
        """Kill a job when its time runs out, and tell whether it did: without it, ssh here would wait for its end."""
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            with contextlib.suppress(StoppedError):
                self._kill(job)

        timer = threading.Timer(command.timeout_s or 0, end)
        timer.daemon = True
        if command.timeout_s is not None:
            timer.start()
        try:
            yield is_late
        finally:
            timer.cancel()

    def _end(self, job: _Job) -> None:
        """Bring back what a job changed, and remove its files there."""
        for copy in job.copies:
            if copy.bind.writable:
                self._exchange.take_back(copy)
        if job.copies:
            remove = self._connection.inside("rm", "-rf", str(job.place))
            self._connection.host.run(Command(remove, timeout_s=_GRACE_S))

    def _kill(self, job: _Job) -> None:
        """Kill a job; what it started dies with it, because its first process is the first of a namespace."""
        kill = 'kill -KILL "$(cat "$1/process")"'
        self._connection.host.run(
            Command(self._connection.inside("sh", "-c", kill, "sh", str(job.place)), timeout_s=_GRACE_S)
        )
