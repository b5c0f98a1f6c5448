"""Packages of earlier builds: the same tree is not packed twice in the same way by the same programs."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

from venvpkg.host.tree import sha256_of_tree
from venvpkg.store.filecache import FileCache
from venvpkg.store.key import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.store.key import Json


# Whatever changes in how a package is packed or checked, and is no input, needs a new number.
_KEY_FORMAT = 1
_FORMAT = b"venvpkg packed package 1\n"
_MOST_BYTES = 4 * 2**30
_MOST_SAID_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_HEADER_BYTES = 100


class _DamagedError(ValueError):
    """The file is not what was written."""


class ArtifactCache:
    """Packed packages by everything that can change them; nothing in it is missed when it goes.

    A cache that cannot be written costs time, not the build.

    Args:
        path: of the cache.
        packaging_tool_versions: name and version of what writes the bytes.
        reporter: hears of damaged packages, and when nothing can be stored.
    """

    def __init__(self, path: Path, packaging_tool_versions: Sequence[tuple[str, str]], reporter: Reporter) -> None:
        self._files = FileCache(path, _MOST_BYTES)
        self._tool_versions = packaging_tool_versions
        self._reporter = reporter

    def have(self, package: Path, tree: Path, inputs: Mapping[str, Json], make: Callable[[], str]) -> str:
        """Have ``tree`` packed as ``package``, by ``make`` if it was not packed before; return what its packer said.

        Args:
            package: file to write.
            tree: what is packed.
            inputs: everything else that what ``make`` writes, or refuses, depends on.
            make: packs and checks; returns what people may want to read of it. What it refuses is not kept.
        """
        key = self._key(tree, inputs)
        said = self._taken(key, package)
        if said is None:
            said = make()
            self._keep(key, package, said)
        else:
            self._reporter.detail(f"{package.name} was packed before, from the same files in the same way")
        return said

    def _key(self, tree: Path, inputs: Mapping[str, Json]) -> str:
        return key_of({"recipe": _KEY_FORMAT, "packers": self._tool_versions, "tree": sha256_of_tree(tree), **inputs})

    def _taken(self, key: str, package: Path) -> str | None:
        with self._files.opened(key) as stream:
            if stream is None:
                return None
            try:
                return _read(stream, key, package)
            except _DamagedError as error:
                package.unlink(missing_ok=True)
                self._reporter.warn(f"packed package {key[:16]} in the cache is damaged ({error}); it is packed again")
                self._files.drop(key)
                return None

    def _keep(self, key: str, package: Path, said: str) -> None:
        text = said.encode("utf-8", "replace")[-_MOST_SAID_BYTES:]
        try:
            digest = _digest(key, text)
            with package.open("rb") as source, self._files.written(key) as stream:
                # The line with the digest comes first and is known last.
                stream.write(bytes(_HEADER_BYTES) + text)
                while chunk := source.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    stream.write(chunk)
                stream.seek(0)
                stream.write(_header(digest.hexdigest(), len(text)))
        except OSError as error:
            self._reporter.detail(f"packed packages are not kept for the next build: {error}")
        else:
            self._files.sweep()


def _digest(key: str, said: bytes) -> hashlib._Hash:
    return hashlib.sha256(f"{key} {len(said)}\n".encode() + said)


def _header(digest: str, said_bytes: int) -> bytes:
    return _FORMAT + f"{digest} {said_bytes}".encode().ljust(_HEADER_BYTES - len(_FORMAT) - 1) + b"\n"


def _read(stream: IO[bytes], key: str, package: Path) -> str:
    """Write the package, and return what was said.

    Raises:
        _DamagedError: the file is not the one that was stored for that key; ``package`` is of no use then.
        OSError: the package cannot be written.
    """
    header = stream.read(_HEADER_BYTES)
    digest, _, length = header.removeprefix(_FORMAT).decode("ascii", "replace").partition(" ")
    if not length.strip().isdecimal() or header != _header(digest, int(length)):
        raise _DamagedError("its first lines are")
    text = stream.read(int(length))
    found = _digest(key, text)
    with package.open("wb") as file:
        while chunk := _chunk(stream):
            found.update(chunk)
            file.write(chunk)
    if found.hexdigest() != digest:
        raise _DamagedError("it does not have the sha256 that it should have")
    return text.decode("utf-8", "replace")


def _chunk(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_CHUNK_BYTES)
    except OSError as error:
        raise _DamagedError(f"it cannot be read: {error.strerror}") from error
