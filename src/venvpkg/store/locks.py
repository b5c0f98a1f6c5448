"""Locks on files and leases on directories: the kernel releases both however their holder ends.

They are those of flock(2), and every process that keeps something takes part: shell programs that outlive venvpkg take
the same lock files with flock(1) (targets/image.py, targets/machine/filesystem.py).
"""

from __future__ import annotations

import contextlib
import fcntl  # noqa: TID251
import os
import time
import weakref
from typing import TYPE_CHECKING

from venvpkg.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def locked(
    file: Path, *, shared: bool = False, waiting: contextlib.AbstractContextManager[object] | None = None
) -> Iterator[int]:
    """Hold the lock on ``file``, and yield its descriptor; the file is made where it is not there, and stays.

    Args:
        file: whose directory is there.
        shared: together with others who hold it shared.
        waiting: entered as long as somebody else holds it.

    Raises:
        OSError: the file cannot be made or opened.
    """
    with _opened(file, os.O_CREAT) as descriptor:
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            with waiting or contextlib.nullcontext():
                fcntl.flock(descriptor, how)
        yield descriptor


@contextlib.contextmanager
def locked_if_free(file: Path, *, made: bool = True) -> Iterator[int | None]:
    """Hold the lock on ``file`` alone, and yield its descriptor; None where somebody else holds it.

    Args:
        file: whose directory is there.
        made: whether the file is made where it is not there.

    Raises:
        OSError: the file cannot be made or opened; FileNotFoundError when it is not to be made.
    """
    with _opened(file, os.O_CREAT if made else 0) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor


@contextlib.contextmanager
def locked_directory(directory: Path) -> Iterator[None]:
    """Hold the lock on a directory itself, where a file beside or in it would be in the way.

    Raises:
        OSError: there is no such directory, or it cannot be read.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def lock_if_same(file: Path, *, shared: bool) -> int | None:
    """Return a descriptor that holds the lock on a file until it is closed.

    None where somebody else holds it, where it cannot be opened, and where the file is no longer the one under that
    name: between open and flock somebody may have removed it, and another one may stand in its place.

    Args:
        file: whose content is read or whose directory is removed under the lock; it is never made.
        shared: together with others. Else it is opened for writing, because over NFS only a file that is open for
            writing can be locked so.
    """
    try:
        descriptor = os.open(file, (os.O_RDONLY if shared else os.O_RDWR) | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        is_same = os.path.samestat(os.fstat(descriptor), file.stat())
    except OSError:
        is_same = False
    if is_same:
        return descriptor
    os.close(descriptor)
    return None


@contextlib.contextmanager
def _opened(file: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(file, flags | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class RootLease:
    """A root that nobody removes as long as this object lives."""

    def __init__(self, path: Path, lock: contextlib.ExitStack) -> None:
        self.path = path
        weakref.finalize(self, lock.close)


def acquire(root: Path) -> RootLease:
    """Return the root, held; its lock then has the time of its last use.

    Raises:
        TargetError: somebody removed it just now.
    """
    lock = contextlib.ExitStack()
    os.utime(lock.enter_context(locked(_lock_of(root), shared=True)))
    lease = RootLease(root, lock)
    if not root.is_dir():
        raise TargetError(f"{root} was removed by another run just now.", resolution="Run the command again.")
    return lease


@contextlib.contextmanager
def try_exclusive(root: Path) -> Iterator[bool]:
    """Yield whether nobody uses a root; then nobody begins to, as long as the block runs."""
    with locked_if_free(_lock_of(root)) as lock:
        yield lock is not None


def unused_s(root: Path) -> float:
    """Return for how many seconds nobody has begun to use a root; 0 when nobody ever has."""
    try:
        return max(time.time() - _lock_of(root).stat().st_mtime, 0)
    except FileNotFoundError:
        return 0


def _lock_of(root: Path) -> Path:
    # Never removed: whoever waits for it would hold a lock that nobody else sees.
    return root.with_name(f"{root.name}.lock")
