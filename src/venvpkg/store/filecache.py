"""Files of earlier runs in the cache, one a key: a hash over everything that can change them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, TypeAlias

from venvpkg.host.files import open_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


Json: TypeAlias = str | int | Sequence["Json"] | Mapping[str, "Json"] | None


def key_of(inputs: Mapping[str, Json]) -> str:
    """Return the hexadecimal sha256 of the inputs' canonical JSON."""
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


_UNUSED_S = 90 * 86400.0
# A part that is this old was left behind by a killed run, on a filesystem without O_TMPFILE.
_ABANDONED_S = 86400.0


class FileCache:
    """Files in ``KEY[:2]/KEY`` below a directory.

    Readers need no lock: a file is published and replaced by one rename, and one that is removed while it is read stays
    whole for its reader.

    Args:
        path: the directory; made when the first file is kept.
        most_bytes: that stay after a sweep.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes

    @contextlib.contextmanager
    def opened(self, key: str) -> Iterator[IO[bytes] | None]:
        """Yield the file of that key, at its beginning; None when there is none that can be read."""
        path = self._of(key)
        try:
            stream = path.open("rb")
        except OSError:
            yield None
            return
        with stream:
            with contextlib.suppress(OSError):
                os.utime(path)  # used now; see sweep
            yield stream

    def written(self, key: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Return, as a context, the file to write for that key; see ``open_atomic``.

        Raises:
            OSError: it cannot be written.
        """
        return open_atomic(self._of(key))

    def drop(self, key: str) -> None:
        """Remove the file of that key."""
        with contextlib.suppress(OSError):
            self._of(key).unlink()

    def sweep(self) -> None:
        """Remove what was not used for 90 days, then the longest unused until no more than ``most_bytes`` are left."""
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
            if unused_s > _UNUSED_S or total > self._most_bytes:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _of(self, key: str) -> Path:
        return self._path / key[:2] / key
