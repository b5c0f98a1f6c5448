"""Find programs of this machine, and the files that venvpkg's own shell pipeline writes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uv  # noqa: TID251

from venvpkg.errors import MissingToolError
from venvpkg.host.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.host.command import Runner


# ``libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)``, or only the loader; not the kernel's own vdso.
_LDD_LINE: Final = re.compile(r"\s+(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)")


def find_uv() -> Path:
    """Return the path of the uv program that was installed with venvpkg.

    Raises:
        MissingToolError: the uv distribution is installed, but its program is missing.
    """
    try:
        return Path(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise MissingToolError(
            [f"the uv program: {error}"], resolution="Reinstall uv in venvpkg's virtual environment."
        ) from error


def find_git() -> Path | None:
    """Return the path of this machine's git; None if it is not installed."""
    found = shutil.which("git")
    return Path(found).resolve() if found else None


def libraries_of(program: Path, runner: Runner) -> tuple[Path, ...]:
    """Return the loader and libraries of a program of this machine; none for a static program.

    Raises:
        MissingToolError: ldd, which is part of the C library, failed.

    Source:
        ldd(1).
    """
    done = runner.run(Command(("ldd", str(program)), timeout_s=60))
    if not done.ok and "not a dynamic executable" not in done.errors + done.text:
        raise MissingToolError(
            [f"ldd, which lists the libraries of {program.name}: {done.outcome()} {done.errors.strip()}"]
        )
    matches = (_LDD_LINE.fullmatch(line) for line in done.text.splitlines())
    return tuple(Path(match[1]) for match in matches if match is not None)


_PROC: Final = Path("/proc")
_STANDARD: Final = ("1", "2")


def pipeline_outputs(proc: Path = _PROC) -> tuple[Path, ...]:
    """Return the regular files that this process or its pipeline has open for writing, sorted.

    A shell starts the programs of a pipeline in one process group. Of this process itself, only standard output and
    standard error count.

    Source:
        proc(5), ``/proc/PID/fd``, ``/proc/PID/fdinfo`` and ``/proc/PID/stat``.
    """
    found: set[Path] = set()
    group = os.getpgrp()
    for process in proc.iterdir() if proc.is_dir() else ():
        if process.name.isdecimal():
            # The process has ended meanwhile, or belongs to another user.
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
