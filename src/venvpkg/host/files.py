"""Read and write files on this machine; a file is written completely or not at all."""

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

    from venvpkg.text import Secrets


@contextlib.contextmanager
def open_atomic(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Yield a file to write, which replaces ``path`` if the block ends without an exception.

    The unfinished file is anonymous (O_TMPFILE), so that a killed process leaves nothing behind. Once complete, it
    briefly has a hidden name before it replaces ``path``. Missing parent directories are created.

    Raises:
        OSError: the file cannot be written; its file name is ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with name_in_errors(path):
        try:
            descriptor = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode)
        except OSError as error:
            if is_environment_error(error):
                raise
            # a filesystem without O_TMPFILE (some NFS, overlay before Linux 6.2)
            with _open_temporary(path, mode) as file:
                yield file
            return
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            complete = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
            _link_anonymous(file, complete)
            complete.replace(path)


@contextlib.contextmanager
def name_in_errors(path: Path) -> Iterator[None]:
    """Set ``path`` as the file name of an OSError that has none, as from write(2), or that of the unfinished file."""
    try:
        yield
    except OSError as error:
        # EIO may come from another file, which is read in the meantime.
        if is_environment_error(error) and error.errno != errno.EIO and error.filename in {None, str(path.parent)}:
            error.filename = str(path)
        raise


def _link_anonymous(file: BinaryIO, path: Path) -> None:
    """Give an O_TMPFILE file a name, by linkat(2) with AT_SYMLINK_FOLLOW on /proc/self/fd as open(2) documents.

    ``os.link`` only uses linkat, which can follow the link, if it gets a directory descriptor. Which one does not
    matter, because the path is absolute.
    """
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(directory)


@contextlib.contextmanager
def _open_temporary(path: Path, mode: int) -> Iterator[BinaryIO]:
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
    """Write ``content`` to ``path``; readers see the old file or the complete new one."""
    with open_atomic(path, mode) as file:
        file.write(content)


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Return the content of a regular file, or its first ``most_bytes + 1`` bytes if it is larger.

    A pipe or device at ``path`` does not block.

    Raises:
        OSError: the file cannot be read, or is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor; fails for a directory
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read(most_bytes + 1)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_log(log: Path, kept: Path, secrets: Secrets) -> None:
    """Copy a log. A failure is ignored: an error without its log is better than an error about the log."""
    with contextlib.suppress(OSError), log.open("rb") as source, open_atomic(kept) as copy:
        for line in source:
            copy.write(secrets.hide(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))


def read_log_end(log: Path, secrets: Secrets, most_bytes: int) -> str:
    """Return the last ``most_bytes`` of a log without secrets; empty if there is no log."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - most_bytes))
        return secrets.hide(file.read().decode("utf-8", "replace"))
