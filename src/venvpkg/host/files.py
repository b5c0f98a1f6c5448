"""Files on this machine: whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def written_whole(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Yield a file to write; it appears under ``path`` when the block ends without an exception, else never.

    The unfinished file is anonymous (O_TMPFILE), so that a kill leaves nothing behind; it gets a hidden name only for
    the moment between being complete and replacing ``path``. Parents are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode)
    except OSError:  # a filesystem without O_TMPFILE (some NFS, overlay before Linux 6.2)
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


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
