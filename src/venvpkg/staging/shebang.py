"""Keep the interpreter's options in the first line of a wheel's scripts. Pure.

Build backends turn ``#!/usr/bin/python3 -E`` into ``#!python -E``, where the installing tool puts its interpreter. pip
and installer drop the options there, so a script that asks for ``-I`` runs without it.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO


# Options of python(1), and values of -W and -X; nothing that a shell or the kernel could misinterpret.
_OPTIONS: Final = re.compile(rb"#!pythonw?((?:[ \t]+-[A-Za-z]+(?:[ \t]*[A-Za-z0-9][A-Za-z0-9:=._,]*)?)+)[ \t]*\r?\n")
_LONGEST_LINE: Final = 4096
# The same limit as in installer: before Linux 5.1, the kernel read 127 bytes.
_MOST_BYTES: Final = 127


def with_shebang_options(stream: BinaryIO, interpreter: str) -> BinaryIO:
    """Return the script with the interpreter and the options in its first line; the same stream if there are none.

    The kernel passes everything after the interpreter as one argument, so several words, or too long a line, need a
    shell.

    Args:
        stream: the script, at its beginning.
        interpreter: path on the target, without blanks.

    Source:
        execve(2), Interpreter scripts; the shell form is the one that pip and installer use for long paths.
    """
    first = stream.readline(_LONGEST_LINE)
    found = _OPTIONS.fullmatch(first)
    if not found:
        stream.seek(0)
        return stream
    options = b" ".join(found[1].split())
    line = b"#!%s %s\n" % (interpreter.encode(), options)
    if b" " in options or len(line) > _MOST_BYTES:
        line = b"#!/bin/sh\n'''exec' %s %s \"$0\" \"$@\"\n' '''\n" % (interpreter.encode(), options)
    return io.BytesIO(line + stream.read())
