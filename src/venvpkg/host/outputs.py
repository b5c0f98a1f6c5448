"""Files that the command line itself writes, such as ``build.log`` of ``venvpkg build 2>&1 | tee build.log``."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


_PROC: Final = Path("/proc")
_STANDARD: Final = ("1", "2")


def pipeline_outputs(proc: Path = _PROC) -> tuple[Path, ...]:
    """Return the regular files that this process or another of its pipeline has open for writing; sorted.

    A shell starts the programs of a pipeline in one process group. Of this process itself, only standard output and
    standard error count.

    Source:
        proc(5), ``/proc/PID/fd``, ``/proc/PID/fdinfo`` and ``/proc/PID/stat``.
    """
    found: set[Path] = set()
    group = os.getpgrp()
    for process in proc.iterdir() if proc.is_dir() else ():
        if process.name.isdecimal():
            # Processes end meanwhile, and those of other users cannot be asked.
            with contextlib.suppress(OSError, ValueError, IndexError):
                if int((process / "stat").read_text("utf-8").rpartition(")")[2].split()[2]) == group:
                    found.update(_written_by(process, is_own=process.name == str(os.getpid())))
    return tuple(sorted(found))


def _written_by(process: Path, *, is_own: bool) -> Iterator[Path]:
    for descriptor in sorted((process / "fd").iterdir()):
        if is_own and descriptor.name not in _STANDARD:
            continue
        with contextlib.suppress(OSError, ValueError, StopIteration):
            info = (process / "fdinfo" / descriptor.name).read_text("ascii")
            flags = next(line.split()[1] for line in info.splitlines() if line.startswith("flags:"))
            path = descriptor.readlink()
            if int(flags, 8) & os.O_ACCMODE != os.O_RDONLY and path.is_file():
                yield path
