"""A log that the command line writes is known by who has it open, whatever it is called."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from venvpkg.host.tools import pipeline_outputs

if TYPE_CHECKING:
    from pathlib import Path


def process(proc: Path, number: int, group: int, files: dict[str, tuple[Path, int]]) -> None:
    for name in ("fd", "fdinfo"):
        (proc / str(number) / name).mkdir(parents=True)
    (proc / str(number) / "stat").write_text(f"{number} (a ) b) S 1 {group} 1 0 -1")
    for descriptor, (path, flags) in files.items():
        (proc / str(number) / "fd" / descriptor).symlink_to(path)
        (proc / str(number) / "fdinfo" / descriptor).write_text(f"pos:\t0\nflags:\t0{flags:o}\n")


def test_what_the_pipeline_writes_is_found_and_what_it_reads_is_not(tmp_path: Path) -> None:
    log, read, other, own = (tmp_path / name for name in ("build.log", "read.txt", "other.txt", "own.txt"))
    for each in (log, read, other, own):
        each.touch()
    proc = tmp_path / "proc"
    process(proc, 1, os.getpgrp(), {"0": (read, os.O_RDONLY), "3": (log, os.O_WRONLY), "4": (tmp_path, os.O_RDWR)})
    process(proc, 2, os.getpgrp() + 1, {"1": (other, os.O_WRONLY)})
    process(proc, os.getpid(), os.getpgrp(), {"2": (own, os.O_RDWR), "5": (other, os.O_RDWR)})
    (proc / "self").mkdir()

    assert pipeline_outputs(proc) == (log, own)
