"""What this machine refuses, told apart from what is wrong with a file: by errno, or in a program's words. Pure."""

from __future__ import annotations

import errno
import os

from venvpkg.errors import MachineError

_ERRNOS = frozenset({
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
})  # fmt: skip
# A program that fails says why in libc's words (LC_ALL=C.UTF-8), but not always for which path.
_TOLD = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def is_environment_error(error: BaseException) -> bool:
    """Return whether the machine is at fault, as with a full disk; never for the content of a file."""
    return isinstance(error, OSError) and error.errno in _ERRNOS


def environment_error_in(errors: str) -> MachineError | None:
    """Return the refusal that a failed program gives as its reason, with its own line for details; else None."""
    for code in _TOLD:
        lines = [line.strip() for line in errors.splitlines() if os.strerror(code) in line]
        if lines:
            told = MachineError.of(OSError(code, os.strerror(code)))
            return MachineError(told.brief, details=f"  {lines[-1][:1000]}", resolution=told.resolution)
    return None
