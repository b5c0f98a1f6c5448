"""Copy a staged distribution from the cache into the destdir, and verify every byte of it."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.host.files import name_in_errors
from venvpkg.host.oserrors import is_environment_error
from venvpkg.staging.cache import DamagedError, verified_chunks
from venvpkg.staging.installed_paths import Content

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from venvpkg.staging.cache import Index, StagedCache, StoredFile
    from venvpkg.staging.installed_paths import VenvTree


def copy_cached(key: str, owner: str, venv: VenvTree, cache: StagedCache) -> Index | None:
    """Copy a cached distribution into the destdir; return its index, or None when the cache has no intact entry.

    A damaged entry is dropped, and its files are removed from the destdir.

    Args:
        key: of the cache entry.
        owner: name of the distribution.
        venv: receives the files; file conflicts are noted in it.
        cache: filled by earlier builds.

    Raises:
        StagingError: a name is too long for the destdir.
        OSError: the destdir could not be written.
    """
    with cache.open_entry(key) as found:
        if found is None:
            return None
        stream, index = found
        written: list[PurePosixPath] = []
        try:
            for file in index.files:
                _copy_file(stream, file, owner, venv, written)
            for path, points_to in index.links:
                _ensure_parent(venv.on_host(path)).symlink_to(points_to)
                _note_written(path, Content(owner), venv, written)
        except DamagedError as error:
            for path in written:
                venv.on_host(path).unlink(missing_ok=True)
                venv.contents.pop(path, None)
            cache.drop(key, error)
            return None
        except OSError as error:
            if is_environment_error(error):
                raise
            raise StagingError(
                f"{owner or 'the virtual environment'} could not be staged: {error.strerror}.", details=f"  {error}"
            ) from error
        return index


def _copy_file(stream: IO[bytes], file: StoredFile, owner: str, venv: VenvTree, written: list[PurePosixPath]) -> None:
    """Write the next file of the stream, unless its path is taken."""
    path = file.path
    if path in venv.contents:
        # Equal modules have equal bytecode.
        if file.installed:
            venv.note_duplicate(path, owner, file.sha256, file.size_bytes)
        stream.seek(file.size_bytes, os.SEEK_CUR)
        return
    try:
        descriptor = _create_file(venv.on_host(path), file.mode)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        venv.note_conflict(path, owner)
        stream.seek(file.size_bytes, os.SEEK_CUR)
        return
    _note_written(path, Content(owner, file.sha256, file.size_bytes), venv, written)
    # Buffered, because a raw file's write() may stop at a limit or a quota without an error.
    with name_in_errors(venv.on_host(path)), os.fdopen(descriptor, "wb") as target:
        for chunk in verified_chunks(stream, file):
            target.write(chunk)


def _note_written(path: PurePosixPath, content: Content, venv: VenvTree, written: list[PurePosixPath]) -> None:
    venv.contents[path] = content
    written.append(path)


def _create_file(place: Path, mode: int) -> int:
    """Return a descriptor of a new file; fail when the path exists, even as a dangling link."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(place, flags, mode)
    except FileNotFoundError:
        descriptor = os.open(_ensure_parent(place), flags, mode)
    os.fchmod(descriptor, mode)  # whatever the umask says
    return descriptor


def _ensure_parent(place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
