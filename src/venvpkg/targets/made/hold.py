"""Roots that somebody uses: a lock on a file beside each, which the kernel lets go of however the holder ends."""

from __future__ import annotations

import contextlib
import os
import time
import weakref
from typing import TYPE_CHECKING

from venvpkg.errors import TargetError
from venvpkg.host.locks import locked, locked_if_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class HeldRoot:
    """A root that nobody removes as long as this object lives."""

    def __init__(self, path: Path, lock: contextlib.ExitStack) -> None:
        self.path = path
        weakref.finalize(self, lock.close)


def hold(root: Path) -> HeldRoot:
    """Return the root, held; its lock then has the time of its last use.

    Raises:
        TargetError: somebody removed it just now.
    """
    lock = contextlib.ExitStack()
    os.utime(lock.enter_context(locked(_lock_of(root), shared=True)))
    held = HeldRoot(root, lock)
    if not root.is_dir():
        raise TargetError(f"{root} was removed by another run just now.", resolution="Run the command again.")
    return held


@contextlib.contextmanager
def alone(root: Path) -> Iterator[bool]:
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
