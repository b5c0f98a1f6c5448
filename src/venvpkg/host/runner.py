"""The one door to other programs: every subprocess of venvpkg is started here."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shlex
import shutil
import signal
import subprocess  # noqa: TID251
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self, TypedDict, cast

from venvpkg.host.sandbox import isolated_argv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


# What a child may see of our environment: where to find programs and how to reach an index. Anything else would make
# its output depend on who runs venvpkg.
PASSED_ON = frozenset({
    "ALL_PROXY",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LOGNAME",
    "NETRC",
    "NO_PROXY",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "USER",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
})  # fmt: skip

# What a shell says of a program that is not there; a program's own 127 cannot be told from it.
NOT_FOUND = 127
# What timeout(1) says of a program that it ended.
OUT_OF_TIME = 124

# Before every program: the kernel kills it when the thread that started it ends, however venvpkg ended; setpriv(1).
_DIES_WITH_US = ("/usr/bin/setpriv", "--pdeathsig", "KILL", "--")

# Of what a program says on standard error while its output is streamed.
_MOST_ERROR_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Bind:
    """Something of this machine that a command is shown.

    Attributes:
        source: directory or file on this machine.
        mountpoint: where the command sees it; made when it is not there.
        writable: whether the command may change it.
    """

    source: Path
    mountpoint: PurePosixPath
    writable: bool = True

    @classmethod
    def in_place(cls, source: Path, *, writable: bool = True) -> Self:
        """Return what shows something under the path that it has here; on this machine it needs no mount."""
        return cls(source, PurePosixPath(source), writable)


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run.

    Attributes:
        argv: program and arguments; never a shell. Its paths are those of where it runs.
        cwd: where it runs; ``/`` inside a target and in namespaces of its own, unless it is given.
        env: added to the allow-listed environment; with ``clean`` it is the whole environment.
        clean: start from an empty environment.
        stdin: bytes to feed; closed otherwise.
        stdin_file: file of this machine that it reads as its standard input instead; it must be there.
        log: file that receives stdout and stderr, in order; nothing is captured then.
        binds: what of this machine it is shown, and where; a later one may lie in an earlier one.
        masked: directories that appear empty to it, such as ``/usr/local`` or ``/tmp``, but for what it is shown there.
        network: whether it may reach the network.
        many_users: whether it gives files to users, as a package manager does; where venvpkg is run by an ordinary
            user, it gets that user's subordinate ones.
        timeout_s: seconds until it is killed; None waits.
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
    def is_apart(self) -> bool:
        """Whether it needs namespaces of its own even on this machine."""
        moved = any(str(bind.source) != str(bind.mountpoint) for bind in self.binds)
        return moved or bool(self.masked) or not self.network or self.many_users

    def __str__(self) -> str:
        """Return the command as one can paste it."""
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended. ``returncode`` is 127 when it was not found, 124 when its time ran out, -N for signal N."""

    returncode: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.returncode == 0

    @property
    def not_found(self) -> bool:
        """Whether the program was not there, or could not be started."""
        return self.returncode == NOT_FOUND

    @property
    def text(self) -> str:
        """Standard output; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def errors(self) -> str:
        """Standard error; bytes that are no UTF-8 are replaced."""
        return self.stderr.decode("utf-8", "replace")

    def outcome(self) -> str:
        """Return in words how it ended: ``exit 3``, ``killed by SIGKILL``, ``not found``."""
        match self.returncode:
            case _ if self.not_found:
                return "not found (exit 127)"
            case code if code == OUT_OF_TIME:
                return "out of time"
            case code if code < 0:
                return f"killed by {signal.Signals(-code).name}"
            case code:
                return f"exit {code}"


class Runner(Protocol):
    """Runs a program and tells how it ended; the caller knows what failure means."""

    def run(self, command: Command) -> Completed:
        """Run to the end. Never raises on exit status, nor when the program is not there."""


class Streamer(Runner, Protocol):
    """A Runner that can also hand over a program's output while it runs."""

    def stream(self, command: Command) -> contextlib.AbstractContextManager[Stream]:
        """Start a program; it is killed at the end of the block when it still runs."""


class Stream:
    """The standard output of a running program: nothing of it is kept, however much there is."""

    def __init__(self, output: BinaryIO, wait: Callable[[], Completed]) -> None:
        self._output = output
        self._wait = wait

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most ``size``; none at the end."""
        return self._output.read(size)

    def finish(self) -> Completed:
        """Close the output, wait for the end and tell how it ended; ``stdout`` is empty."""
        self._output.close()
        return self._wait()


class _Launch(TypedDict):
    """What ``subprocess.Popen`` is to start."""

    args: tuple[str, ...]
    cwd: Path | PurePosixPath | None
    env: Mapping[str, str]


class StoppedError(Exception):
    """The run is being ended (Ctrl-C): nothing is started any more, and nobody waits for what comes of the rest."""


class SubprocessRunner:
    """Runs programs on this machine, until it is stopped: then every call raises ``StoppedError``."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._is_stopped = False
        self._base = {key: value for key, value in environ.items() if key in PASSED_ON} | {"LC_ALL": "C.UTF-8"}
        self._live: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def run(self, command: Command) -> Completed:
        """Run to the end, in its own process group, so that it can be ended with all its children."""
        with contextlib.ExitStack() as stack:
            out: int = subprocess.PIPE
            err: int = subprocess.PIPE
            if command.log is not None:
                out, err = stack.enter_context(command.log.open("ab")).fileno(), subprocess.STDOUT
            try:
                process = subprocess.Popen(
                    **self._launch(command),
                    stdin=stack.enter_context(_standard_input(command)),
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
                return Completed(NOT_FOUND, stderr=f"{error}\n".encode())
            with self._alive(process):
                try:
                    stdout, stderr = process.communicate(command.stdin, timeout=command.timeout_s)
                except subprocess.TimeoutExpired:
                    _kill_group(process)
                    stdout, stderr = process.communicate()
                    return Completed(OUT_OF_TIME, stdout or b"", stderr or b"")
                except BaseException:
                    _kill_group(process)
                    process.wait()
                    raise
        return Completed(process.returncode, stdout or b"", stderr or b"")

    @contextlib.contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        """Start a program, give its output while it runs, and kill it at the end of the block or when time runs out.

        Standard input that is given is not fed: it stays open, and ends with the block, or with this process.
        """
        with tempfile.TemporaryFile() as errors, _standard_input(command) as stdin:
            try:
                process = subprocess.Popen(
                    **self._launch(command),
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
            except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
                missing = Completed(NOT_FOUND, stderr=f"{error}\n".encode())
                yield Stream(io.BytesIO(), lambda: missing)
                return

            def wait() -> Completed:
                returncode = process.wait()
                errors.seek(0)
                return Completed(returncode, stderr=errors.read(_MOST_ERROR_BYTES))

            watchdog = threading.Timer(command.timeout_s or threading.TIMEOUT_MAX, _kill_group, (process,))
            watchdog.daemon = True
            with self._alive(process), process:
                watchdog.start()
                try:
                    yield Stream(cast("BinaryIO", process.stdout), wait)
                finally:
                    watchdog.cancel()
                    if process.poll() is None:
                        _kill_group(process)

    def converse(self, command: Command) -> int:
        """Run a program that talks with the user on venvpkg's own terminal, and return its exit status.

        Ctrl-C is the program's: the terminal sends it to both, and venvpkg waits.
        """
        with subprocess.Popen(**self._launch(command)) as process, self._alive(process):
            while True:
                with contextlib.suppress(KeyboardInterrupt):
                    return process.wait()

    def _launch(self, command: Command) -> _Launch:
        """Return how to start a command, so that it does not outlive venvpkg, however that ends.

        Raises:
            StoppedError: nothing is started any more.
            FileNotFoundError: it is not there; setpriv would tell it by its exit status alone.
        """
        self._require_going_on()
        env = dict(command.env) if command.clean else self._base | dict(command.env)
        argv, cwd = (isolated_argv(command), None) if command.is_apart else (command.argv, command.cwd)
        program = str(PurePosixPath(cwd or "", argv[0])) if "/" in argv[0] else argv[0]
        if shutil.which(program, path=env.get("PATH", os.defpath)) is None:
            raise FileNotFoundError(errno.ENOENT, "not found, or not executable", argv[0])
        return _Launch(args=(*_DIES_WITH_US, *argv), cwd=cwd, env=env)

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is started any more."""
        return self._is_stopped

    def stop(self) -> None:
        """Kill every program that still runs, with its children, and start none any more.

        For Ctrl-C while other threads wait for theirs: those must not take a program that was killed for one that
        answered, such as dpkg-query for "no package has this file", and go on to a wrong end.
        """
        self._is_stopped = True
        self.end_all()

    def end_all(self) -> None:
        """Kill every program that still runs, with its children; for an error while other threads wait for theirs."""
        with self._lock:
            for process in self._live:
                _kill_group(process)

    @contextlib.contextmanager
    def _alive(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        with self._lock:
            self._live.add(process)
            if self._is_stopped:  # since it was started
                _kill_group(process)
        try:
            yield
        finally:
            with self._lock:
                self._live.discard(process)
        self._require_going_on()

    def _require_going_on(self) -> None:
        if self._is_stopped:
            raise StoppedError


@contextlib.contextmanager
def _standard_input(command: Command) -> Iterator[int]:
    """Yield what a child reads: a pipe for bytes, the file, or nothing."""
    if command.stdin_file is None:
        yield subprocess.DEVNULL if command.stdin is None else subprocess.PIPE
        return
    with command.stdin_file.open("rb") as file:
        yield file.fileno()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
