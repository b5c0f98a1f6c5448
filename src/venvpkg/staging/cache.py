"""Cache of staged distributions: one file each, keyed by everything that can change the staged files."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.metadata
import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

import venvpkg
from venvpkg.store.filecache import FileCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.model.target import Target


_FORMAT = b"venvpkg staged distribution 1\n"
_CHUNK_BYTES = 1 << 20
# An index has about 150 bytes a file, and a wheel at most 200,000 files.
_MOST_INDEX_BYTES = 1 << 28


class DamagedError(ValueError):
    """A cached file does not hold what was written to it."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A regular file of a cached distribution.

    Attributes:
        path: on the target.
        mode: permission bits as packed.
        size_bytes: of its content.
        sha256: as RECORD spells it.
        installed: True for a file of the wheel, False for bytecode that was compiled from one.
    """

    path: PurePosixPath
    mode: int
    size_bytes: int
    sha256: str
    installed: bool = True


@dataclass(frozen=True, slots=True)
class Index:
    """Table of contents of a cached distribution.

    Attributes:
        key: of the cache entry.
        files: in the order in which their contents follow.
        links: path on the target and the text of the link.
        dist_info: metadata directory of the distribution; ``/`` for the empty virtual environment.
        notes: messages that were reported when it was staged; reported again when it is copied.
    """

    key: str
    files: tuple[StoredFile, ...]
    links: tuple[tuple[PurePosixPath, str], ...]
    dist_info: PurePosixPath
    notes: tuple[str, ...]


def write_entry(stream: IO[bytes], index: Index, contents: Sequence[Path]) -> None:
    """Write ``index``, then the content of each of its files.

    Raises:
        DamagedError: a file no longer matches the index.
    """
    text = _dump_index(index)
    stream.write(_FORMAT + f"{hashlib.sha256(text).hexdigest()} {len(text)}\n".encode() + text)
    for file, path in zip(index.files, contents, strict=True):
        with path.open("rb", buffering=0) as source:
            for chunk in verified_chunks(source, file):
                stream.write(chunk)
            if source.read(1):
                raise DamagedError(f"{file.path} is longer than its index says")


def read_index(stream: IO[bytes], key: str) -> Index:
    """Return the index, and leave the stream at the first content.

    Raises:
        DamagedError: ``write_entry`` did not write this file, or not for that key.
    """
    if stream.readline(len(_FORMAT)) != _FORMAT:
        raise DamagedError("it has another format")
    digest, _, length = stream.readline(100).decode("ascii", "replace").strip().partition(" ")
    if not length.isdecimal() or int(length) > _MOST_INDEX_BYTES:
        raise DamagedError("its second line is damaged")
    text = stream.read(int(length))
    if hashlib.sha256(text).hexdigest() != digest:
        raise DamagedError("its index does not match its sha256")
    index = _load_index(text)
    if index.key != key:
        raise DamagedError("it belongs to another distribution")
    return index


def verified_chunks(stream: IO[bytes], file: StoredFile) -> Iterator[bytes]:
    """Yield the content of ``file`` in chunks, from the current position of the stream.

    Raises:
        DamagedError: the content is cut off; or, after the last chunk, it does not match the sha256.
    """
    digest = hashlib.sha256()
    left = file.size_bytes
    while left:
        try:
            chunk = stream.read(min(left, _CHUNK_BYTES))
        except OSError as error:
            raise DamagedError(f"{file.path} cannot be read: {error.strerror}") from error
        if not chunk:
            raise DamagedError(f"{file.path} is cut off")
        digest.update(chunk)
        left -= len(chunk)
        yield chunk
    if record_hash(digest.digest()) != file.sha256:
        raise DamagedError(f"{file.path} does not match its sha256")


def record_hash(digest: bytes) -> str:
    """Return a digest in the spelling of RECORD: base64 for URLs, without padding.

    Source:
        PyPA specification of recorded projects, The RECORD file.
    """
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _dump_index(index: Index) -> bytes:
    document = {
        "key": index.key,
        "dist_info": str(index.dist_info),
        "notes": index.notes,
        "links": [(str(path), points_to) for path, points_to in index.links],
        "files": [(str(each.path), each.mode, each.size_bytes, each.sha256, each.installed) for each in index.files],
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _load_index(text: bytes) -> Index:
    try:
        document = json.loads(text)
        index = Index(
            key=str(document["key"]),
            files=tuple(
                StoredFile(PurePosixPath(path), int(mode), int(size), str(sha256), bool(installed))
                for path, mode, size, sha256, installed in document["files"]
            ),
            links=tuple((PurePosixPath(path), str(points_to)) for path, points_to in document["links"]),
            dist_info=PurePosixPath(document["dist_info"]),
            notes=tuple(str(each) for each in document["notes"]),
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedError("its index is malformed") from error
    paths = [*(each.path for each in index.files), *(path for path, _ in index.links)]
    if not all(path.is_absolute() and ".." not in path.parts for path in paths):
        raise DamagedError("its index has paths that are not absolute, or contain '..'")
    return index


# Increase it with every change to staging that affects bytes, modes or names of cached files.
_RECIPE = 4

# Enough for the installed files of a few hundred applications for one release, or of a few for every release.
_MOST_BYTES = 8 * 2**30


def staged_key(content: str, prefix: PurePosixPath, target: Target) -> str:
    """Return the cache key of the files staged from ``content``, 64 hexadecimal digits.

    Args:
        content: sha256 and name of a wheel, or another name for the origin of the files.
        prefix: place of the virtual environment on the target; scripts and bytecode contain it.
        target: its interpreter compiles. The size and time of the interpreter's file are part of the key next to its
            version, which a security update of the release leaves as it is.
    """
    interpreter = target.interpreter
    try:
        status = target.on_host(interpreter.path).stat()
        identity = [status.st_size, status.st_mtime_ns]
    except OSError:  # compiling will report it
        identity = []
    inputs = [
        _RECIPE,
        venvpkg.__version__,
        importlib.metadata.version("installer"),
        importlib.metadata.version("virtualenv"),
        content,
        str(prefix),
        target.name,
        [str(interpreter.path), *interpreter.version, *identity],
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


class StagedCache:
    """Cache of staged distributions. When it cannot be written, builds are slower but succeed.

    Args:
        path: directory of the cache.
        reporter: receives a warning for each damaged file, and a note when nothing can be stored.
    """

    def __init__(self, path: Path, reporter: Reporter) -> None:
        self._files = FileCache(path, _MOST_BYTES)
        self._reporter = reporter

    @contextlib.contextmanager
    def open_entry(self, key: str) -> Iterator[tuple[IO[bytes], Index] | None]:
        """Yield the entry's stream, at its first content, and its index; or None when the cache has no such entry.

        An entry with a damaged index is dropped. The reader checks the contents with ``verified_chunks``, and drops
        the entry when they are damaged.
        """
        with self._files.open(key) as stream:
            if stream is None:
                yield None
                return
            try:
                index = read_index(stream, key)
            except (OSError, DamagedError) as error:
                self.drop(key, error)
                yield None
                return
            yield stream, index

    def drop(self, key: str, why: Exception) -> None:
        """Remove a damaged entry; the next build stores it again."""
        self._reporter.warn(f"staged distribution {key[:16]} in the cache is damaged ({why}); staging it again")
        self._files.drop(key)

    def store(self, index: Index, contents: Sequence[Path]) -> bool:
        """Store a distribution, whole or not at all, and return whether it was stored.

        Args:
            index: its table of contents.
            contents: its staged files on this machine; each is compared with ``index`` while it is read.
        """
        try:
            with self._files.replace(index.key) as stream:
                write_entry(stream, index, contents)
        except (OSError, DamagedError) as error:
            self._reporter.detail(f"could not cache staged distributions for the next build: {error}")
            return False
        return True

    def sweep(self) -> None:
        """Remove entries unused for long, and the least recently used ones above the size limit."""
        self._files.sweep()
