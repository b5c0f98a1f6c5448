"""Staged distributions of earlier builds, one file each, by everything that can change them."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
from typing import IO, TYPE_CHECKING

import venvpkg
from venvpkg.host.kept import KeptFiles
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
    """Staged distributions by their keys. A cache that cannot be written costs time, not the build.

    Args:
        path: of the cache.
        report: hears of damaged files, and when nothing can be stored.
    """

    def __init__(self, path: Path, report: Report) -> None:
        self._files = KeptFiles(path, _MOST_BYTES)
        self._report = report

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
        self._report.warn(f"staged distribution {key[:16]} in the cache is damaged ({why}); it is made again")
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
            self._report.detail(f"staged distributions are not kept for the next build: {error}")
            return False
        return True

    def sweep(self) -> None:
        """Remove what was not used for long, and what is too much."""
        self._files.sweep()
