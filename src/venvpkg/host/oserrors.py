"""Distinguish errors of the machine, such as a full disk, from errors in a file's content. Pure."""

from __future__ import annotations

import errno
import os
import signal

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
# A failing program prints libc's message (LC_ALL=C.UTF-8), but not always the path concerned.
_PRINTED_BY_PROGRAMS = {
    code: (os.strerror(code),)
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
} | {
    # Python reports the last one for truncated bytecode that it wrote itself.
    errno.EFBIG: (os.strerror(errno.EFBIG), signal.strsignal(signal.SIGXFSZ) or "", "EOFError: marshal data too short")
}
_OF_SANDBOXES = frozenset({errno.EROFS, errno.EIO})


def is_environment_error(error: BaseException) -> bool:
    """Return whether an exception has its cause in the machine, such as a full disk, and not in a file's content."""
    return isinstance(error, OSError) and error.errno in _ERRNOS


def environment_error_in(errors: str, *, is_sandboxed: bool = False) -> MachineError | None:
    """Return the error of the machine that a failed program reports, with the program's line as details; else None.

    Args:
        errors: standard error of the program.
        is_sandboxed: whether it ran in the sandbox, which is mostly read-only on purpose and has no terminal. These two
            are then not errors of the machine.
    """
    for code, messages in _PRINTED_BY_PROGRAMS.items():
        if is_sandboxed and code in _OF_SANDBOXES:
            continue
        lines = [line.strip() for line in errors.splitlines() if any(message in line for message in messages)]
        if lines:
            general = MachineError.of(OSError(code, os.strerror(code)))
            return MachineError(general.brief, details=f"  {lines[-1][:1000]}", resolution=general.resolution)
    return None


def require_no_environment_error(errors: str, *, is_sandboxed: bool = False) -> None:
    """Raise the error of the machine that a failed program reports, if any; see ``environment_error_in``.

    Raises:
        MachineError: the program reports one; the error contains its line.
    """
    refusal = environment_error_in(errors, is_sandboxed=is_sandboxed)
    if refusal is not None:
        raise refusal


def death_notice(program: str, returncode: int) -> bytes:
    """Return the line that a shell would print for a program killed at the file size limit.

    Empty for any other exit status. It lets ``environment_error_in`` recognise such a program. Python ignores the
    signal, but the programs that it starts do not.

    Source:
        setrlimit(2), RLIMIT_FSIZE.
    """
    return f"{program}: {signal.strsignal(signal.SIGXFSZ)}\n".encode() if returncode == -signal.SIGXFSZ else b""


def require_utf8_names(encoding: str) -> None:
    """Refuse to run where Python's file names are not UTF-8, as those of wheels and packages are.

    Args:
        encoding: encoding of file names, ``sys.getfilesystemencoding()``.

    Raises:
        MachineError: the encoding is not UTF-8.
    """
    if encoding != "utf-8":
        raise MachineError(
            f"Python decodes file names as {encoding} in this locale, but file names in packages are UTF-8.",
            resolution="Set the environment variable PYTHONUTF8=1, or start the program with python -X utf8.",
        )
