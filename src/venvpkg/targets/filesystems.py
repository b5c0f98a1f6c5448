"""Filesystems of images and machines in the cache: each a directory named for what is in it, and a lock beside it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_UNUSED_S: Final = 90 * 86400.0


def remove_unused(kept: Path, keep: Path) -> None:
    """Remove the filesystems that were last asked for long ago: the time of the lock file says when."""
    for file in kept.glob("*.lock"):
        root = file.with_suffix("")
        with contextlib.suppress(OSError), file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if root != keep and time.time() - os.fstat(lock.fileno()).st_mtime > _UNUSED_S:
                shutil.rmtree(root, ignore_errors=True)
                file.unlink()
