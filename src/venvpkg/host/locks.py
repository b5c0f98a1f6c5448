"""Locks on files, which the kernel lets go of however their holder ends.

Source:
    flock(2).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

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
def _opened(file: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(file, flags | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
