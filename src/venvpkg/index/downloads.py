"""Fetch and verify the files of a lock into a store addressed by sha256."""

from __future__ import annotations

import contextlib
import hashlib
import queue
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import unquote, urlsplit

from venvpkg.console import Work
from venvpkg.errors import DownloadError
from venvpkg.host.files import open_atomic, sha256_of
from venvpkg.text import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from venvpkg.console import Reporter, Task
    from venvpkg.index.pip_settings import UvSettings
    from venvpkg.model.lock import RemoteFile


_CHUNK: Final = 2**20
_PROGRESS_INTERVAL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on downloads.

    Attributes:
        largest: maximum size of a file in bytes; the lock does not contain sizes.
        threads: maximum number of concurrent downloads.
        tries: maximum number of attempts for one file after transient errors.
        pause_s: pause before the second attempt; doubled before each further one.
        slowest: minimum average rate in bytes per second, enforced after ``patience_s`` seconds; no read timeout
            notices a server that sends single bytes.
        patience_s: seconds before ``slowest`` is enforced.
    """

    largest: int = 2 * 2**30
    threads: int = 8
    tries: int = 4
    pause_s: float = 0.5
    slowest: float = 1024.0
    patience_s: float = 120.0


class _FetchError(Exception):
    """A file could not be fetched; the text is for people."""


class Downloads:
    """Fetches files into ``STORE/aa/SHA256/FILENAME``, each only once per machine.

    A file is added to the store after its hash was verified, and is verified again each time it is used.
    """

    def __init__(
        self,
        store: Path,
        settings: UvSettings,
        reporter: Reporter,
        *,
        offline: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._reporter = reporter
        self._offline = offline
        self._limits = limits or Limits()

    def path_of(self, file: RemoteFile) -> Path:
        """Return the path of a file in the store, whether it exists or not."""
        return self._store / file.sha256[:2] / file.sha256 / file.filename

    def fetch(self, files: Iterable[RemoteFile]) -> dict[RemoteFile, Path]:
        """Return the path of each file on this machine, after fetching missing ones.

        Raises:
            DownloadError: files could not be fetched or have another hash; lists all of them.
        """
        requested = tuple(dict.fromkeys(files))
        by_path = {self.path_of(file): file for file in reversed(requested)}
        wanted = sorted(by_path.items())
        client = _LazyClient(lambda: self._open_client(wanted))
        failures: list[str] = []
        started = time.monotonic()
        with self._reporter.task(Work.DOWNLOAD, f"fetching {len(wanted)} file{'s' * (len(wanted) != 1)}") as task:
            progress = _Progress(task, len(wanted))
            run = _Run(client, self._reporter, self._limits, progress, offline=self._offline)
            for file, problem in run.outcomes(wanted):
                progress.finish_file()
                if problem is not None:
                    failures.append(f"  {file.filename}: {problem}\n    from {redact(file.url)}")
        client.close()  # not after an interrupt: a thread may still use it
        if failures:
            raise self._error(sorted(failures), len(wanted))
        if run.fetched:
            size = sum(path.stat().st_size for path in run.fetched) / 1e6
            took = time.monotonic() - started
            count = len(run.fetched)
            self._reporter.step(f"downloaded {count} file{'s' * (count != 1)}, {size:.1f} MB in {took:.1f} s")
        return {file: self.path_of(file) for file in requested}

    def _open_client(self, wanted: list[tuple[Path, RemoteFile]]) -> Client:
        from venvpkg.index.client import open_client  # noqa: PLC0415 - start-up time: most commands fetch nothing

        return open_client(self._settings, [file.url for _, file in wanted if _is_http(file)], self._reporter)

    def _error(self, failures: list[str], count: int) -> DownloadError:
        if self._offline:
            return DownloadError(
                f"{len(failures)} of {count} files are not on this machine and cannot be fetched with --offline.",
                details="\n".join(failures),
                resolution="Run once without --offline.",
            )
        return DownloadError(
            f"{len(failures)} of {count} files could not be downloaded and verified.",
            details="\n".join(failures),
            resolution="A different sha256 means that the file is not the one that was locked: find out why before you"
            " lock again.\nFor other errors, check that the index can be reached, and run the command again.",
        )


class _LazyClient:
    """A client shared by all threads that is opened when the first thread needs it."""

    def __init__(self, open_client: Callable[[], Client]) -> None:
        self._open = open_client
        self._lock = threading.Lock()
        self._client: Client | None = None

    def get(self) -> Client:
        """Return the client."""
        with self._lock:
            if self._client is None:
                self._client = self._open()
            return self._client

    def close(self) -> None:
        """Close the client if it was opened."""
        with self._lock:
            if self._client is not None:
                self._client.close()


class _Progress:
    """Reports the progress of one fetch to a task, at most a few times per second."""

    def __init__(self, task: Task, total: int) -> None:
        self._task = task
        self._total = total
        self._lock = threading.Lock()
        self._done = 0
        self._size = 0
        self._reported = time.monotonic()

    def add_bytes(self, size: int) -> None:
        """Count received bytes."""
        with self._lock:
            self._size += size
            if time.monotonic() - self._reported < _PROGRESS_INTERVAL_S:
                return
        self._report()

    def finish_file(self) -> None:
        """Count a file that was fetched or failed."""
        with self._lock:
            self._done += 1
            is_last = self._done == self._total
        if not is_last:
            self._report()

    def _report(self) -> None:
        with self._lock:
            self._reported = time.monotonic()
            size = f", {self._size / 1e6:.1f} MB" if self._size else ""
            self._task.now(f"{self._done} of {self._total}{size}")


class _Run:
    """One fetch by several threads that share a client and a stop event."""

    def __init__(
        self, client: _LazyClient, reporter: Reporter, limits: Limits, progress: _Progress, *, offline: bool
    ) -> None:
        self.fetched: list[Path] = []
        self._client = client
        self._reporter = reporter
        self._limits = limits
        self._progress = progress
        self._offline = offline
        self._stop = threading.Event()

    def outcomes(self, wanted: list[tuple[Path, RemoteFile]]) -> Iterator[tuple[RemoteFile, str | None]]:
        """Yield each file with its problem, or None, in the order of completion.

        The threads are daemons and are not joined: after Ctrl-C, a thread that waits for a silent server must not
        delay the end of the program. Its unfinished file is anonymous.
        """
        jobs: queue.SimpleQueue[tuple[Path, RemoteFile]] = queue.SimpleQueue()
        ended: queue.SimpleQueue[tuple[RemoteFile, str | BaseException | None]] = queue.SimpleQueue()
        for job in wanted:
            jobs.put(job)

        def work() -> None:
            with contextlib.suppress(queue.Empty):
                while not self._stop.is_set():
                    path, file = jobs.get_nowait()
                    ended.put((file, self._attempt(path, file)))

        for _ in range(min(self._limits.threads, len(wanted))):
            threading.Thread(target=work, name="venvpkg-download", daemon=True).start()
        try:
            for _ in wanted:
                file, problem = ended.get()
                if isinstance(problem, BaseException):
                    raise problem
                yield file, problem
        finally:
            self._stop.set()

    def _attempt(self, path: Path, file: RemoteFile) -> str | BaseException | None:
        try:
            self._ensure(path, file)
        except _FetchError as error:
            return str(error)
        except BaseException as error:  # noqa: BLE001 - a bug, or a full disk: raised again in the waiting thread
            return error
        return None

    def _ensure(self, path: Path, file: RemoteFile) -> None:
        if path.is_file():
            if path.stat().st_size and sha256_of(path) == file.sha256:
                return
            self._reporter.warn(f"{path} was damaged after it was stored; fetching it again")
            path.unlink(missing_ok=True)
        if not _is_http(file):
            self._copy(path, file)
        elif self._offline:
            raise _FetchError("not in the store")
        else:
            self._fetch(path, file)
        self.fetched.append(path)

    def _fetch(self, path: Path, file: RemoteFile) -> None:
        pause = self._limits.pause_s
        for left in reversed(range(self._limits.tries)):
            try:
                with self._client.get().stream(file.url) as chunks:
                    self._store(path, file, chunks)
            except TransientTransferError as error:
                if not left:
                    raise _FetchError(f"{error} (tried {self._limits.tries} times)") from error
                self._reporter.detail(f"{file.filename}: {error}; retrying")
                if self._stop.wait(pause):
                    raise _FetchError("interrupted") from error
                pause *= 2
            except TransferError as error:
                raise _FetchError(str(error)) from error
            else:
                return

    def _copy(self, path: Path, file: RemoteFile) -> None:
        source = Path(unquote(urlsplit(file.url).path))
        try:
            if not stat.S_ISREG(source.stat().st_mode):
                raise _FetchError("not a regular file")
            with source.open("rb") as opened:
                self._store(path, file, iter(lambda: opened.read(_CHUNK), b""))
        except ValueError as error:  # a NUL in the path
            raise _FetchError("not a valid path") from error
        except FileNotFoundError as error:
            raise _FetchError("the file does not exist") from error

    def _store(self, path: Path, file: RemoteFile, chunks: Iterator[bytes]) -> None:
        digest, size, started = hashlib.sha256(), 0, time.monotonic()
        with open_atomic(path) as out:
            for chunk in chunks:
                digest.update(chunk)
                out.write(chunk)
                size += len(chunk)
                self._progress.add_bytes(len(chunk))
                self._check_progress(size, time.monotonic() - started)
            actual = digest.hexdigest()
            if actual != file.sha256:
                # Raised inside the block, so that the file is discarded.
                raise _FetchError(
                    f"not the locked file ({size} bytes)\n"
                    f"    expected sha256 {file.sha256}\n    actual   sha256 {actual}"
                )

    def _check_progress(self, size: int, elapsed_s: float) -> None:
        limits = self._limits
        if self._stop.is_set():
            raise _FetchError("interrupted")
        if size > limits.largest:
            raise _FetchError(f"larger than {limits.largest} bytes")
        if elapsed_s > limits.patience_s and size < limits.slowest * elapsed_s:
            raise _FetchError(f"too slow: {size} bytes in {elapsed_s:.0f} s")


def _is_http(file: RemoteFile) -> bool:
    return file.url.startswith(("http://", "https://"))


class TransferError(Exception):
    """A transfer failed; the text is a clause without credentials."""


class TransientTransferError(TransferError):
    """A transfer failed, but may succeed when retried."""


class Client(Protocol):
    """Streams files from indexes; thread-safe."""

    def stream(self, url: str) -> AbstractContextManager[Iterator[bytes]]:
        """Yield an iterator over a file's bytes in chunks; raises TransferError."""

    def close(self) -> None:
        """Close all connections; no stream may be open."""
