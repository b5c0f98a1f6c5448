"""Cache of packed packages: the same tree is not packed twice in the same way by the same programs."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

from venvpkg.host.tree import sha256_of_tree
from venvpkg.store.filecache import FileCache, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.store.filecache import Json


# Increase it with every change to packing or checking that is not visible in the inputs.
_KEY_FORMAT = 1
_FORMAT = b"venvpkg packed package 1\n"
_MOST_BYTES = 4 * 2**30
_MOST_OUTPUT_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_HEADER_BYTES = 100


class _DamagedError(ValueError):
    """A cached file does not hold what was written to it."""


class ArtifactCache:
    """Cache of packed packages, keyed by everything that can change their bytes.

    It can be deleted at any time. When it cannot be written, builds are slower but succeed.

    Args:
        path: directory of the cache.
        packaging_tool_versions: name and version of the programs that write the bytes.
        reporter: receives a warning for each damaged package, and a note when nothing can be stored.
    """

    def __init__(self, path: Path, packaging_tool_versions: Sequence[tuple[str, str]], reporter: Reporter) -> None:
        self._files = FileCache(path, _MOST_BYTES)
        self._tool_versions = packaging_tool_versions
        self._reporter = reporter

    def get_or_build(self, package: Path, tree: Path, inputs: Mapping[str, Json], build: Callable[[], str]) -> str:
        """Write ``package`` from the cache, or with ``build``; return the output of the packing program.

        Args:
            package: file to write.
            tree: directory to pack.
            inputs: everything else that determines what ``build`` writes or rejects.
            build: packs and checks the package, and returns the output of the program. If it raises, nothing is cached.
        """
        key = self._key(tree, inputs)
        output = self._fetch(key, package)
        if output is None:
            output = build()
            self._store(key, package, output)
        else:
            self._reporter.detail(f"{package.name}: reused from the cache, packed from the same files in the same way")
        return output

    def _key(self, tree: Path, inputs: Mapping[str, Json]) -> str:
        return key_of({"recipe": _KEY_FORMAT, "packers": self._tool_versions, "tree": sha256_of_tree(tree), **inputs})

    def _fetch(self, key: str, package: Path) -> str | None:
        with self._files.open(key) as stream:
            if stream is None:
                return None
            try:
                return _unpack_entry(stream, key, package)
            except _DamagedError as error:
                package.unlink(missing_ok=True)
                self._reporter.warn(f"packed package {key[:16]} in the cache is damaged ({error}); packing it again")
                self._files.drop(key)
                return None

    def _store(self, key: str, package: Path, output: str) -> None:
        text = output.encode("utf-8", "replace")[-_MOST_OUTPUT_BYTES:]
        try:
            digest = _start_digest(key, text)
            with package.open("rb") as source, self._files.replace(key) as stream:
                # The digest is in the first line, but only known at the end.
                stream.write(bytes(_HEADER_BYTES) + text)
                while chunk := source.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    stream.write(chunk)
                stream.seek(0)
                stream.write(_header(digest.hexdigest(), len(text)))
        except OSError as error:
            self._reporter.detail(f"could not cache packed packages for the next build: {error}")
        else:
            self._files.sweep()


def _start_digest(key: str, output: bytes) -> hashlib._Hash:
    return hashlib.sha256(f"{key} {len(output)}\n".encode() + output)


def _header(digest: str, output_bytes: int) -> bytes:
    return _FORMAT + f"{digest} {output_bytes}".encode().ljust(_HEADER_BYTES - len(_FORMAT) - 1) + b"\n"


def _unpack_entry(stream: IO[bytes], key: str, package: Path) -> str:
    """Write the cached package, and return the output that was stored with it.

    Raises:
        _DamagedError: the file was not stored for that key, or is damaged; ``package`` is invalid then.
        OSError: the package could not be written.
    """
    header = stream.read(_HEADER_BYTES)
    digest, _, length = header.removeprefix(_FORMAT).decode("ascii", "replace").partition(" ")
    if not length.strip().isdecimal() or header != _header(digest, int(length)):
        raise _DamagedError("its header is malformed")
    text = stream.read(int(length))
    found = _start_digest(key, text)
    with package.open("wb") as file:
        while chunk := _read_chunk(stream):
            found.update(chunk)
            file.write(chunk)
    if found.hexdigest() != digest:
        raise _DamagedError("it does not match its sha256")
    return text.decode("utf-8", "replace")


def _read_chunk(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_CHUNK_BYTES)
    except OSError as error:
        raise _DamagedError(f"it could not be read: {error.strerror}") from error
