"""Copy a staged distribution from the cache into the destdir, and know afterwards that every byte of it is right."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.staging.cache import DamagedError, checked
from venvpkg.staging.installed_paths import Content

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from venvpkg.staging.cache import Index, StagedCache, StoredFile
    from venvpkg.staging.installed_paths import Environment


def copied(key: str, owner: str, environment: Environment, cache: StagedCache) -> Index | None:
    """Copy what the cache has under ``key``; return its index, or None when it has nothing that is whole.

    A damaged one is dropped, and nothing of it stays in the destdir.

    Args:
        key: of the distribution.
        owner: its name.
        environment: gets the files; clashes are noted in it.
        cache: of earlier builds.

    Raises:
        StagingError: the destdir cannot be written.
    """
    with cache.opened(key) as found:
        if found is None:
            return None
        stream, index = found
        written: list[PurePosixPath] = []
        try:
            for file in index.files:
                _copy(stream, file, owner, environment, written)
            for path, points_to in index.links:
                _made_parent(environment.on_host(path)).symlink_to(points_to)
                _taken(path, Content(owner), environment, written)
        except DamagedError as error:
            for path in written:
                environment.on_host(path).unlink(missing_ok=True)
                environment.taken.pop(path, None)
            cache.drop(key, error)
            return None
        except OSError as error:
            raise StagingError(
                f"{owner or 'The environment'} cannot be staged: {error.strerror}.", details=f"  {error}"
            ) from error
        return index


def _copy(
    stream: IO[bytes], file: StoredFile, owner: str, environment: Environment, written: list[PurePosixPath]
) -> None:
    """Write the next file of the stream, unless there is one already."""
    path = file.path
    if path in environment.taken:
        # The bytecode of equal modules is equal.
        if file.installed:
            environment.meets(path, owner, file.sha256, file.size_bytes)
        stream.seek(file.size_bytes, os.SEEK_CUR)
        return
    try:
        descriptor = _created(environment.on_host(path), file.mode)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        environment.blocked(path, owner)
        stream.seek(file.size_bytes, os.SEEK_CUR)
        return
    _taken(path, Content(owner, file.sha256, file.size_bytes), environment, written)
    with os.fdopen(descriptor, "wb", buffering=0) as target:
        for chunk in checked(stream, file):
            target.write(chunk)


def _taken(path: PurePosixPath, content: Content, environment: Environment, written: list[PurePosixPath]) -> None:
    environment.taken[path] = content
    written.append(path)


def _created(place: Path, mode: int) -> int:
    """Return a descriptor of a new file; never one that is there, nor what a link points to."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(place, flags, mode)
    except FileNotFoundError:
        descriptor = os.open(_made_parent(place), flags, mode)
    os.fchmod(descriptor, mode)  # whatever the umask says
    return descriptor


def _made_parent(place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
