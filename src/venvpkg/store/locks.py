"""Locks on files and leases on directories, which the kernel releases however their holder ends.

They are locks of flock(2). Shell scripts that outlive venvpkg take locks on the same files with flock(1)
(targets/image.py, targets/machine/filesystem.py).
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
    """Hold the lock on ``file``, and yield its descriptor; a missing file is created, and never removed.

    Args:
        file: lock file in an existing directory.
        shared: hold the lock together with other shared holders.
        waiting: context to enter while another process holds the lock.

    Raises:
        OSError: the file cannot be created or opened.
    """
    with _open_descriptor(file, os.O_CREAT) as descriptor:
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            with waiting or contextlib.nullcontext():
                fcntl.flock(descriptor, how)
        yield descriptor


@contextlib.contextmanager
def locked_if_free(file: Path, *, create: bool = True) -> Iterator[int | None]:
    """Hold the exclusive lock on ``file``, and yield its descriptor; None if another process holds a lock.

    Args:
        file: lock file in an existing directory.
        create: create a missing file.

    Raises:
        FileNotFoundError: the file does not exist, and ``create`` is false.
        OSError: the file cannot be created or opened.
    """
    with _open_descriptor(file, os.O_CREAT if create else 0) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor


@contextlib.contextmanager
def locked_directory(directory: Path) -> Iterator[None]:
    """Hold the lock on a directory itself, for places where a lock file next to it or in it would disturb.

    Raises:
        OSError: the directory does not exist or cannot be read.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def lock_if_same(file: Path, *, shared: bool) -> int | None:
    """Return a descriptor that holds the lock on a file until it is closed, or None.

    None means that another process holds the lock, that the file cannot be opened, or that it is no longer the file
    under that name: between open and flock, it may have been removed or replaced.

    Args:
        file: existing file whose content is read, or whose directory is removed, under the lock.
        shared: hold the lock together with other shared holders. An exclusive lock needs a file that is open for
            writing, because NFS requires it.
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
def _open_descriptor(file: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(file, flags | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class RootLease:
    """A root that no run removes as long as this object exists."""

    def __init__(self, path: Path, lock: contextlib.ExitStack) -> None:
        self.path = path
        weakref.finalize(self, lock.close)


def acquire(root: Path) -> RootLease:
    """Return a lease on a root, and set the time of its last use, which is that of its lock file.

    Raises:
        TargetError: another run has just removed the root.
    """
    lock = contextlib.ExitStack()
    os.utime(lock.enter_context(locked(_lock_of(root), shared=True)))
    lease = RootLease(root, lock)
    if not root.is_dir():
        raise TargetError(f"{root} has just been removed by another run.", resolution="Run the command again.")
    return lease


@contextlib.contextmanager
def try_exclusive(root: Path) -> Iterator[bool]:
    """Yield whether no run uses a root; if so, no run can start to use it within the block."""
    with locked_if_free(_lock_of(root)) as lock:
        yield lock is not None


def unused_s(root: Path) -> float:
    """Return the number of seconds since a run last started to use a root; 0 if none has."""
    try:
        return max(time.time() - _lock_of(root).stat().st_mtime, 0)
    except FileNotFoundError:
        return 0


def _lock_of(root: Path) -> Path:
    # Never removed: a process that waits for the lock would get one on a file that no other process sees.
    return root.with_name(f"{root.name}.lock")
