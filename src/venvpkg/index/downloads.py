"""Files of a lock, fetched and verified into a store addressed by sha256."""

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
from venvpkg.index.urls import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from venvpkg.console import Reporter, Task
    from venvpkg.index.pip_settings import UvSettings
    from venvpkg.model.lock import RemoteFile


_CHUNK: Final = 2**20
_TELL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server may do to us.

    Attributes:
        largest: bytes of one file; the lock does not tell sizes.
        threads: files at once.
        tries: of one file, when the server fails in a way that may pass.
        pause_s: before the second try; doubled before each further one.
        slowest: bytes a second on average, after ``patience_s`` seconds; a server that drips is silent to no timeout.
        patience_s: see there.
    """

    largest: int = 2 * 2**30
    threads: int = 8
    tries: int = 4
    pause_s: float = 0.5
    slowest: float = 1024.0
    patience_s: float = 120.0


class _FetchError(Exception):
    """One file could not be had; the text is for people."""


class Downloads:
    """Fetches files, each once on this machine: ``STORE/aa/SHA256/FILENAME``.

    A file appears in the store only after its hash was found right, and is verified again when it is used.
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

    def place(self, file: RemoteFile) -> Path:
        """Return where a file is, or will be."""
        return self._store / file.sha256[:2] / file.sha256 / file.filename

    def fetch(self, files: Iterable[RemoteFile]) -> dict[RemoteFile, Path]:
        """Return where each file is on this machine, after fetching what is not there yet.

        Raises:
            DownloadError: files that could not be had, or are not what the lock names; all of them.
        """
        asked = tuple(dict.fromkeys(files))
        by_place = {self.place(file): file for file in reversed(asked)}
        wanted = sorted(by_place.items())
        wire = _LazyWire(lambda: self._open_wire(wanted))
        failures: list[str] = []
        started = time.monotonic()
        with self._reporter.task(Work.DOWNLOAD, f"getting {len(wanted)} file{'s' * (len(wanted) != 1)}") as task:
            progress = _Progress(task, len(wanted))
            run = _Run(wire, self._reporter, self._limits, progress, offline=self._offline)
            for file, problem in run.outcomes(wanted):
                progress.end_of_one()
                if problem is not None:
                    failures.append(f"  {file.filename}: {problem}\n    from {redact(file.url)}")
        wire.close()  # not after an interrupt: a thread may still be on it
        if failures:
            raise self._error(sorted(failures), len(wanted))
        if run.fetched:
            size = sum(place.stat().st_size for place in run.fetched) / 1e6
            took = time.monotonic() - started
            count = len(run.fetched)
            self._reporter.step(f"downloaded {count} file{'s' * (count != 1)}, {size:.1f} MB in {took:.1f} s")
        return {file: self.place(file) for file in asked}

    def _open_wire(self, wanted: list[tuple[Path, RemoteFile]]) -> Wire:
        from venvpkg.index.client import open_wire  # noqa: PLC0415  - see HttpClient

        return open_wire(self._settings, [file.url for _, file in wanted if _is_http(file)], self._reporter)

    def _error(self, failures: list[str], count: int) -> DownloadError:
        if self._offline:
            return DownloadError(
                f"{len(failures)} of {count} files are not on this machine, and --offline forbids to fetch them.",
                details="\n".join(failures),
                resolution="Run once without --offline.",
            )
        return DownloadError(
            f"{len(failures)} of {count} files could not be downloaded and verified.",
            details="\n".join(failures),
            resolution="A wrong sha256 means that the file is not the one that was locked: find out why before you lock"
            " again.\nFor the rest, see that the index can be reached, and run the command again.",
        )


class _LazyWire:
    """A wire that is opened when a thread first needs it, and is then every thread's."""

    def __init__(self, open_wire: Callable[[], Wire]) -> None:
        self._open = open_wire
        self._lock = threading.Lock()
        self._wire: Wire | None = None

    def get(self) -> Wire:
        """Return the wire."""
        with self._lock:
            if self._wire is None:
                self._wire = self._open()
            return self._wire

    def close(self) -> None:
        """Close the wire, if there is one."""
        with self._lock:
            if self._wire is not None:
                self._wire.close()


class _Progress:
    """How far one fetch is, told to a task; not with each piece, of which there may be thousands a second."""

    def __init__(self, task: Task, total: int) -> None:
        self._task = task
        self._total = total
        self._lock = threading.Lock()
        self._done = 0
        self._size = 0
        self._told = time.monotonic()

    def piece(self, size: int) -> None:
        """Count bytes that came."""
        with self._lock:
            self._size += size
            if time.monotonic() - self._told < _TELL_S:
                return
        self._tell()

    def end_of_one(self) -> None:
        """Count a file that is here, or cannot be had."""
        with self._lock:
            self._done += 1
            is_last = self._done == self._total
        if not is_last:
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            self._told = time.monotonic()
            come = f", {self._size / 1e6:.1f} MB" if self._size else ""
            self._task.now(f"{self._done} of {self._total}{come}")


class _Run:
    """One fetch: threads that share a wire and a wish to stop."""

    def __init__(
        self, wire: _LazyWire, reporter: Reporter, limits: Limits, progress: _Progress, *, offline: bool
    ) -> None:
        self.fetched: list[Path] = []
        self._wire = wire
        self._reporter = reporter
        self._limits = limits
        self._progress = progress
        self._offline = offline
        self._stop = threading.Event()

    def outcomes(self, wanted: list[tuple[Path, RemoteFile]]) -> Iterator[tuple[RemoteFile, str | None]]:
        """Yield each file with what went wrong, or None, in the order in which they end.

        The threads are daemons and nobody joins them: after Ctrl-C, one that waits for a silent server must not hold
        up the end of the program. The unfinished file of such a thread has no name.
        """
        jobs: queue.SimpleQueue[tuple[Path, RemoteFile]] = queue.SimpleQueue()
        ended: queue.SimpleQueue[tuple[RemoteFile, str | BaseException | None]] = queue.SimpleQueue()
        for job in wanted:
            jobs.put(job)

        def work() -> None:
            with contextlib.suppress(queue.Empty):
                while not self._stop.is_set():
                    place, file = jobs.get_nowait()
                    ended.put((file, self._attempt(place, file)))

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

    def _attempt(self, place: Path, file: RemoteFile) -> str | BaseException | None:
        try:
            self._have(place, file)
        except _FetchError as error:
            return str(error)
        except BaseException as error:  # noqa: BLE001  a bug, or a full disk, raised again where it is seen: in the thread that waits
            return error
        return None

    def _have(self, place: Path, file: RemoteFile) -> None:
        if place.is_file():
            if place.stat().st_size and sha256_of(place) == file.sha256:
                return
            self._reporter.warn(f"{place} was damaged after it was stored; fetching it again")
            place.unlink(missing_ok=True)
        if not _is_http(file):
            self._copy(place, file)
        elif self._offline:
            raise _FetchError("not in the store")
        else:
            self._fetch(place, file)
        self.fetched.append(place)

    def _fetch(self, place: Path, file: RemoteFile) -> None:
        pause = self._limits.pause_s
        for left in reversed(range(self._limits.tries)):
            try:
                with self._wire.get().stream(file.url) as pieces:
                    self._keep(place, file, pieces)
            except TransientWireError as error:
                if not left:
                    raise _FetchError(f"{error} (tried {self._limits.tries} times)") from error
                self._reporter.detail(f"{file.filename}: {error}; trying again")
                if self._stop.wait(pause):
                    raise _FetchError("interrupted") from error
                pause *= 2
            except WireError as error:
                raise _FetchError(str(error)) from error
            else:
                return

    def _copy(self, place: Path, file: RemoteFile) -> None:
        path = Path(unquote(urlsplit(file.url).path))
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise _FetchError("no regular file is there")
            with path.open("rb") as source:
                self._keep(place, file, iter(lambda: source.read(_CHUNK), b""))
        except ValueError as error:  # a NUL in the path
            raise _FetchError("no path of a file") from error
        except FileNotFoundError as error:
            raise _FetchError("no file is there") from error

    def _keep(self, place: Path, file: RemoteFile, pieces: Iterator[bytes]) -> None:
        digest, size, started = hashlib.sha256(), 0, time.monotonic()
        with open_atomic(place) as out:
            for piece in pieces:
                digest.update(piece)
                out.write(piece)
                size += len(piece)
                self._progress.piece(len(piece))
                self._check_progress(size, time.monotonic() - started)
            found = digest.hexdigest()
            if found != file.sha256:
                # Raised inside the block, so that the file never gets its name.
                raise _FetchError(
                    f"not the file that the lock names ({size} bytes)\n"
                    f"    expected sha256 {file.sha256}\n    found    sha256 {found}"
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


class WireError(Exception):
    """A transfer failed; the text is a sentence without credentials."""


class TransientWireError(WireError):
    """A transfer failed in a way that another try may not."""


class Wire(Protocol):
    """Streams files of indexes, from several threads at once."""

    def stream(self, url: str) -> AbstractContextManager[Iterator[bytes]]:
        """Yield a file's bytes, in pieces; raises WireError."""

    def close(self) -> None:
        """Let go of the connections; no stream may be open."""
