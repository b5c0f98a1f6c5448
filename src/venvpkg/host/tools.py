"""Find programs that are installed with venvpkg's own dependencies."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uv  # noqa: TID251

from venvpkg.errors import MissingToolError
from venvpkg.host.command import Command

if TYPE_CHECKING:
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
    """Return the path of this machine's git; None if there is none."""
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
