"""Cache of files under keys; a key is a hash of everything that can change the file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, TypeAlias

from venvpkg.host.files import open_atomic
from venvpkg.store.directories import UNUSED_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


Json: TypeAlias = str | int | Sequence["Json"] | Mapping[str, "Json"] | None


def key_of(inputs: Mapping[str, Json]) -> str:
    """Return the hexadecimal sha256 of the inputs' canonical JSON."""
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


# A .part file of this age was left behind by a killed run, on a filesystem without O_TMPFILE.
_ABANDONED_S = 86400.0


class FileCache:
    """Cache of files, each at ``KEY[:2]/KEY`` below a directory.

    Readers need no lock: a file appears and is replaced by one rename, and one that is removed while it is read stays
    complete for its reader.

    Args:
        path: the directory; created with the first file.
        most_bytes: maximum total size after a sweep.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[IO[bytes] | None]:
        """Yield the file under a key, opened for reading; None if it does not exist or cannot be read."""
        path = self._path_of(key)
        try:
            stream = path.open("rb")
        except OSError:
            yield None
            return
        with stream:
            with contextlib.suppress(OSError):
                os.utime(path)  # marks it as used, for sweep
            yield stream

    def replace(self, key: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Return a context manager for a file to write, which then becomes that of the key; see ``open_atomic``.

        Raises:
            OSError: the file cannot be written.
        """
        return open_atomic(self._path_of(key))

    def drop(self, key: str) -> None:
        """Remove the file under a key."""
        with contextlib.suppress(OSError):
            self._path_of(key).unlink()

    def sweep(self) -> None:
        """Remove files unused for 90 days, then the least recently used until at most ``most_bytes`` are left."""
        now = time.time()
        found: list[tuple[float, int, Path]] = []
        for path in self._path.glob("??/[!.]*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((now - status.st_mtime, status.st_size, path))
        for part in self._path.glob("??/.*.part"):
            with contextlib.suppress(OSError):
                if now - part.stat().st_mtime > _ABANDONED_S:
                    part.unlink()
        total = 0
        for unused_s, size, path in sorted(found):
            total += size
            if unused_s > UNUSED_S or total > self._most_bytes:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _path_of(self, key: str) -> Path:
        return self._path / key[:2] / key
