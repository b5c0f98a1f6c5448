"""Programs that come with venvpkg's own dependencies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uv  # noqa: TID251

from venvpkg.errors import MissingToolError
from venvpkg.host.runner import Command

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner


# ``libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)``, or the loader alone; not what the kernel itself provides.
_LOADED: Final = re.compile(r"\s+(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)")


def find_uv() -> Path:
    """Return the uv program that was installed with venvpkg.

    Raises:
        MissingToolError: the uv distribution is there, but its program is not.
    """
    try:
        return Path(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise MissingToolError(
            [f"the uv program: {error}"], resolution="Reinstall uv in venvpkg's environment."
        ) from error


def libraries_of(program: Path, runner: Runner) -> tuple[Path, ...]:
    """Return the loader of a program of this machine and the libraries that it loads; none for a static one.

    Raises:
        MissingToolError: ldd does not tell; it comes with the C library.

    Source:
        ldd(1).
    """
    done = runner.run(Command(("ldd", str(program)), timeout_s=60))
    if not done.ok and "not a dynamic executable" not in done.errors + done.text:
        raise MissingToolError(
            [f"ldd, which tells how {program.name} is loaded: {done.outcome()} {done.errors.strip()}"]
        )
    found = (_LOADED.fullmatch(line) for line in done.text.splitlines())
    return tuple(Path(each[1]) for each in found if each is not None)
