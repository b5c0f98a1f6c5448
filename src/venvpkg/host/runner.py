"""Run programs. Every subprocess of venvpkg is started by this module."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import signal
import subprocess  # noqa: TID251
import tempfile
import threading
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, TypedDict, cast

from venvpkg.host.command import NOT_FOUND, OUT_OF_TIME, Command, Completed, Stream
from venvpkg.host.oserrors import death_notice
from venvpkg.host.sandbox import isolated_argv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


# Variables that a child inherits: where programs are and how to reach an index. With any other, its output would depend
# on who runs venvpkg.
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


# Prefix of every command: the kernel kills the program when the thread that started it ends, for whatever reason;
# setpriv(1).
_DIES_WITH_US = ("/usr/bin/setpriv", "--pdeathsig", "KILL", "--")

# Limit for standard error of a program whose output is streamed.
_MOST_ERROR_BYTES = 1 << 16


class _Launch(TypedDict):
    """Keyword arguments for ``subprocess.Popen``."""

    args: tuple[str, ...]
    cwd: Path | PurePosixPath | None
    env: Mapping[str, str]


class StoppedError(Exception):
    """The run is being stopped (Ctrl-C): no program is started any more, and the results of the others are dropped."""


class SubprocessRunner:
    """A Runner for this machine. Once stopped, every call raises ``StoppedError``."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._is_stopped = False
        self._base = {key: value for key, value in environ.items() if key in PASSED_ON} | {"LC_ALL": "C.UTF-8"}
        self._live: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def run(self, command: Command) -> Completed:
        """Run a program to its end, in a process group of its own, so that it can be killed with its children."""
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
            with self._registered(process):
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
        notice = death_notice(command.argv[0], process.returncode)
        if command.log is not None and notice:
            with command.log.open("ab") as log:
                log.write(notice)
        return Completed(process.returncode, stdout or b"", (stderr or b"") + notice)

    @contextlib.contextmanager
    def stream(self, command: Command) -> Iterator[Stream]:
        """Start a program and stream its output; it is killed at the end of the block or after its timeout.

        Content for standard input is not written: the pipe stays open until the block or this process ends.
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
                notice = death_notice(command.argv[0], returncode)
                return Completed(returncode, stderr=errors.read(_MOST_ERROR_BYTES) + notice)

            watchdog = threading.Timer(command.timeout_s or threading.TIMEOUT_MAX, _kill_group, (process,))
            watchdog.daemon = True
            with self._registered(process), process:
                watchdog.start()
                try:
                    yield Stream(cast("BinaryIO", process.stdout), wait)
                finally:
                    watchdog.cancel()
                    if process.poll() is None:
                        _kill_group(process)

    def converse(self, command: Command) -> int:
        """Run an interactive program on venvpkg's own terminal, and return its exit status.

        Ctrl-C is meant for the program: the terminal sends it to both, and venvpkg ignores it.
        """
        with subprocess.Popen(**self._launch(command)) as process, self._registered(process):
            while True:
                with contextlib.suppress(KeyboardInterrupt):
                    return process.wait()

    def _launch(self, command: Command) -> _Launch:
        """Return the arguments to start a command so that it never outlives venvpkg.

        Raises:
            StoppedError: the runner was stopped.
            FileNotFoundError: the program does not exist. Checked here because setpriv would only report it by its
                exit status.
        """
        self._require_not_stopped()
        env = dict(command.env) if command.clean else self._base | dict(command.env)
        argv, cwd = (isolated_argv(command), None) if command.needs_namespaces else (command.argv, command.cwd)
        program = str(PurePosixPath(cwd or "", argv[0])) if "/" in argv[0] else argv[0]
        if shutil.which(program, path=env.get("PATH", os.defpath)) is None:
            raise FileNotFoundError(errno.ENOENT, "not found, or not executable", argv[0])
        return _Launch(args=(*_DIES_WITH_US, *argv), cwd=cwd, env=env)

    @property
    def is_stopped(self) -> bool:
        """Whether the runner was stopped."""
        return self._is_stopped

    def stop(self) -> None:
        """Kill all running programs with their children, and start no more.

        For Ctrl-C while other threads wait for programs. They must not mistake a killed program for one that answered,
        such as dpkg-query for "no package has this file", and continue with a wrong result.
        """
        self._is_stopped = True
        self.kill_all()

    def kill_all(self) -> None:
        """Kill all running programs with their children; for an error while other threads wait for programs."""
        with self._lock:
            for process in self._live:
                _kill_group(process)

    @contextlib.contextmanager
    def _registered(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        with self._lock:
            self._live.add(process)
            if self._is_stopped:  # after it was started
                _kill_group(process)
        try:
            yield
        finally:
            with self._lock:
                self._live.discard(process)
        self._require_not_stopped()

    def _require_not_stopped(self) -> None:
        if self._is_stopped:
            raise StoppedError


@contextlib.contextmanager
def _standard_input(command: Command) -> Iterator[int]:
    """Yield the child's standard input: a pipe for content, the file, or /dev/null."""
    if command.stdin_file is None:
        yield subprocess.DEVNULL if command.stdin is None else subprocess.PIPE
        return
    with command.stdin_file.open("rb") as file:
        yield file.fileno()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
