"""Directories that take long to make and are kept: whole or not there at all, made once however many want them."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from acceptance.cleanroot import locked

if TYPE_CHECKING:
    from collections.abc import Callable


def have(directory: Path, make: Callable[[Path], None]) -> None:
    """Have the directory that ``make`` fills, now or from before; other processes wait meanwhile.

    Raises:
        Exception: what ``make`` raises; nothing is left of the directory then.
    """
    with locked(directory.with_name(f"{directory.name}.lock")):
        if directory.is_dir():
            return
        for left_behind in directory.parent.glob(f"{directory.name}.part-*"):
            shutil.rmtree(left_behind)
        part = Path(tempfile.mkdtemp(prefix=f"{directory.name}.part-", dir=directory.parent))
        try:
            whole = part / "whole"
            whole.mkdir(mode=0o755)
            make(whole)
            whole.rename(directory)
        finally:
            shutil.rmtree(part)


def remove_unused(parent: Path, prefix: str, kept_s: float) -> None:
    """Remove the directories of that prefix whose own time, which their users set, is longer ago than ``kept_s``."""
    for directory in parent.glob(f"{prefix}*/"):
        if time.time() - directory.stat().st_mtime > kept_s:
            shutil.rmtree(directory)
