"""Staged distributions of earlier builds, one file each, by everything that can change them."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import time
from typing import IO, TYPE_CHECKING

import venvpkg
from venvpkg.host.files import written_whole
from venvpkg.staging.stored import DamagedError, read_index, write_stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path, PurePosixPath

    from venvpkg.console import Report
    from venvpkg.model.target import Target
    from venvpkg.staging.stored import Index

# Whatever changes in staging and can change bytes, modes or names of what is stored needs a new number.
RECIPE = 2

# Of installed files: some hundred applications for one release, or a few for all of them.
_MOST_BYTES = 8 * 2**30
_UNUSED_S = 90 * 86400.0
# A part that is this old was left behind by a killed run, on a filesystem without O_TMPFILE.
_ABANDONED_S = 86400.0


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
        RECIPE,
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
    """Staged distributions in ``KEY[:2]/KEY``; nothing in it is missed when it goes.

    Readers need no lock: a file is published and replaced by one rename, and one that is removed while it is read stays
    whole for its reader. A cache that cannot be written costs time, not the build.

    Args:
        path: of the cache; made when the first distribution is stored.
        report: hears of damaged files, and when nothing can be stored.
    """

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        self._report = report

    @contextlib.contextmanager
    def opened(self, key: str) -> Iterator[tuple[IO[bytes], Index] | None]:
        """Yield the stored distribution of that key, at its first content; None when there is none.

        One whose index is damaged is dropped. Contents are checked by their reader (``stored.checked``), who drops the
        distribution when they are damaged.
        """
        path = self._of(key)
        try:
            stream = path.open("rb")
        except OSError:
            yield None
            return
        with stream:
            try:
                index = read_index(stream, key)
            except (OSError, DamagedError) as error:
                self.drop(key, error)
                yield None
                return
            with contextlib.suppress(OSError):
                os.utime(path)  # used now; see sweep
            yield stream, index

    def drop(self, key: str, why: Exception) -> None:
        """Remove a distribution that is damaged; the next build stores it again."""
        self._report.warn(f"staged distribution {key[:16]} in the cache is damaged ({why}); it is made again")
        with contextlib.suppress(OSError):
            self._of(key).unlink()

    def keep(self, index: Index, contents: Sequence[Path]) -> bool:
        """Store a distribution, whole or not at all; return whether it is stored.

        Args:
            index: what it holds.
            contents: where its files are staged; they are compared with ``index`` as they are read.
        """
        try:
            with written_whole(self._of(index.key)) as stream:
                write_stored(stream, index, contents)
        except (OSError, DamagedError) as error:
            self._report.detail(f"staged distributions are not kept for the next build: {error}")
            return False
        return True

    def sweep(self) -> None:
        """Remove what was not used for 90 days, then the longest unused until 8 GiB are left."""
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
            if unused_s > _UNUSED_S or total > _MOST_BYTES:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _of(self, key: str) -> Path:
        return self._path / key[:2] / key
