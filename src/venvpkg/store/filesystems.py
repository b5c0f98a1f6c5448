"""Filesystems of images and machines in the cache: each a directory named for what is in it, and a lock beside it."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from typing import TYPE_CHECKING, Final

from venvpkg.store.locks import locked_if_free

if TYPE_CHECKING:
    from pathlib import Path


_UNUSED_S: Final = 90 * 86400.0


def remove_unused(kept: Path, keep: Path) -> None:
    """Remove the filesystems that were last asked for long ago: the time of the lock file says when."""
    for file in kept.glob("*.lock"):
        root = file.with_suffix("")
        with contextlib.suppress(OSError), locked_if_free(file, made=False) as lock:
            if lock is not None and root != keep and time.time() - os.fstat(lock).st_mtime > _UNUSED_S:
                shutil.rmtree(root, ignore_errors=True)
                file.unlink()
