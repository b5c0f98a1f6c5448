"""Staged distributions of earlier builds, one file each, by everything that can change them."""

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
    """The file is not what was written."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A regular file.

    Attributes:
        path: on the target.
        mode: permission bits as packed.
        size_bytes: of its content.
        sha256: as RECORD spells it.
        installed: whether the wheel has it, rather than our bytecode.
    """

    path: PurePosixPath
    mode: int
    size_bytes: int
    sha256: str
    installed: bool = True


@dataclass(frozen=True, slots=True)
class Index:
    """What a stored distribution holds.

    Attributes:
        key: what it was made from.
        files: in the order of their contents.
        links: path on the target and what the link says.
        dist_info: of a distribution; ``/`` for the empty environment.
        notes: what people were told when it was made.
    """

    key: str
    files: tuple[StoredFile, ...]
    links: tuple[tuple[PurePosixPath, str], ...]
    dist_info: PurePosixPath
    notes: tuple[str, ...]


def write_stored(stream: IO[bytes], index: Index, contents: Sequence[Path]) -> None:
    """Write ``index`` and the content of each of its files.

    Raises:
        DamagedError: a file is no longer the one that the index describes.
    """
    text = _dumped(index)
    stream.write(_FORMAT + f"{hashlib.sha256(text).hexdigest()} {len(text)}\n".encode() + text)
    for file, path in zip(index.files, contents, strict=True):
        with path.open("rb", buffering=0) as source:
            for chunk in checked(source, file):
                stream.write(chunk)
            if source.read(1):
                raise DamagedError(f"{file.path} has grown")


def read_index(stream: IO[bytes], key: str) -> Index:
    """Return the index; the stream is then at the first content.

    Raises:
        DamagedError: it is not what ``write_stored`` wrote for that key.
    """
    if stream.readline(len(_FORMAT)) != _FORMAT:
        raise DamagedError("it has another format")
    digest, _, length = stream.readline(100).decode("ascii", "replace").strip().partition(" ")
    if not length.isdecimal() or int(length) > _MOST_INDEX_BYTES:
        raise DamagedError("its second line is damaged")
    text = stream.read(int(length))
    if hashlib.sha256(text).hexdigest() != digest:
        raise DamagedError("its index does not have the sha256 that it should have")
    index = _loaded(text)
    if index.key != key:
        raise DamagedError("it is another distribution's")
    return index


def checked(stream: IO[bytes], file: StoredFile) -> Iterator[bytes]:
    """Yield the content of ``file`` from where the stream is, in chunks.

    Raises:
        DamagedError: after the last chunk, when the content was another; during it, when it is too short.
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
        raise DamagedError(f"{file.path} does not have the sha256 that it should have")


def record_hash(digest: bytes) -> str:
    """Return a digest as RECORD spells it.

    Source:
        PyPA specification of recorded projects, The RECORD file.
    """
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _dumped(index: Index) -> bytes:
    document = {
        "key": index.key,
        "dist_info": str(index.dist_info),
        "notes": index.notes,
        "links": [(str(path), points_to) for path, points_to in index.links],
        "files": [(str(each.path), each.mode, each.size_bytes, each.sha256, each.installed) for each in index.files],
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _loaded(text: bytes) -> Index:
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
        raise DamagedError("its index has paths that cannot be")
    return index


# Whatever changes in staging and can change bytes, modes or names of what is stored needs a new number.
FORMAT = 2

# Of installed files: some hundred applications for one release, or a few for all of them.
_MOST_BYTES = 8 * 2**30


def staged_key(content: str, prefix: PurePosixPath, target: Target) -> str:
    """Return the key of what is staged from ``content``; 64 hexadecimal digits.

    Args:
        content: sha256 and name of a wheel, or what else the files come from.
        prefix: place of the environment on the target; it is in scripts and in bytecode.
        target: whose interpreter compiles. Its file counts, not only its version: a security update of the release
            changes the compiler and leaves the version as it is.
    """
    interpreter = target.interpreter
    try:
        status = target.on_host(interpreter.path).stat()
        identity = [status.st_size, status.st_mtime_ns]
    except OSError:  # it will be missed when something is compiled
        identity = []
    inputs = [
        FORMAT,
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
    """Staged distributions by their keys. A cache that cannot be written costs time, not the build.

    Args:
        path: of the cache.
        reporter: hears of damaged files, and when nothing can be stored.
    """

    def __init__(self, path: Path, reporter: Reporter) -> None:
        self._files = FileCache(path, _MOST_BYTES)
        self._reporter = reporter

    @contextlib.contextmanager
    def opened(self, key: str) -> Iterator[tuple[IO[bytes], Index] | None]:
        """Yield the stored distribution of that key, at its first content; None when there is none.

        One whose index is damaged is dropped. Contents are checked by their reader (``stored.checked``), who drops the
        distribution when they are damaged.
        """
        with self._files.opened(key) as stream:
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
        """Remove a distribution that is damaged; the next build stores it again."""
        self._reporter.warn(f"staged distribution {key[:16]} in the cache is damaged ({why}); it is made again")
        self._files.drop(key)

    def keep(self, index: Index, contents: Sequence[Path]) -> bool:
        """Store a distribution, whole or not at all; return whether it is stored.

        Args:
            index: what it holds.
            contents: where its files are staged; they are compared with ``index`` as they are read.
        """
        try:
            with self._files.written(index.key) as stream:
                write_stored(stream, index, contents)
        except (OSError, DamagedError) as error:
            self._reporter.detail(f"staged distributions are not kept for the next build: {error}")
            return False
        return True

    def sweep(self) -> None:
        """Remove what was not used for long, and what is too much."""
        self._files.sweep()
