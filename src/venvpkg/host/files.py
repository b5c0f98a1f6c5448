"""Files on this machine: whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from venvpkg.host.oserrors import is_environment_error

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def written_whole(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Yield a file to write; it appears under ``path`` when the block ends without an exception, else never.

    The unfinished file is anonymous (O_TMPFILE), so that a kill leaves nothing behind; it gets a hidden name only for
    the moment between being complete and replacing ``path``. Parents are made.

    Raises:
        OSError: it cannot be written; with ``path`` as its file name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _told_of(path):
        try:
            descriptor = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode)
        except OSError as error:
            if is_environment_error(error):
                raise
            # a filesystem without O_TMPFILE (some NFS, overlay before Linux 6.2)
            with _written_beside(path, mode) as file:
                yield file
            return
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            complete = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
            _name(file, complete)
            complete.replace(path)


@contextlib.contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Give an error of write(2), which names no file, the file that people know; so too one of an unfinished file."""
    try:
        yield
    except OSError as error:
        # EIO may be that of a file that is read meanwhile.
        if is_environment_error(error) and error.errno != errno.EIO and error.filename in {None, str(path.parent)}:
            error.filename = str(path)
        raise


def _name(file: BinaryIO, path: Path) -> None:
    """Give an O_TMPFILE its name, by linkat(2) with AT_SYMLINK_FOLLOW on /proc/self/fd as open(2) documents.

    ``os.link`` uses linkat, and so follows the link, only when it is given a directory descriptor; the descriptor
    itself does not matter, because the path is absolute.
    """
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(directory)


@contextlib.contextmanager
def _written_beside(path: Path, mode: int) -> Iterator[BinaryIO]:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
        part.chmod(mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write ``content``; readers see the old file or the new one, never half of it."""
    with written_whole(path, mode) as file:
        file.write(content)


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Return the content of a regular file, one byte more than ``most_bytes`` when it is larger.

    A pipe or a device in its place is never waited for.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor; a directory is refused here
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read(most_bytes + 1)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
