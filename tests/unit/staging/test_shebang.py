"""The options of a script's interpreter."""

from __future__ import annotations

import io

import pytest

from venvpkg.staging.shebang import with_shebang_options

PYTHON = "/opt/venvs/app/bin/python"
BODY = b"import sys\nprint(sys.flags)\n"


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"#!python -E\n", b"#!/opt/venvs/app/bin/python -E\n"),
        (b"#!python  -IS \r\n", b"#!/opt/venvs/app/bin/python -IS\n"),
        (b"#!pythonw -I\n", b"#!/opt/venvs/app/bin/python -I\n"),
        (b"#!python -E -s\n", b"#!/bin/sh\n'''exec' /opt/venvs/app/bin/python -E -s \"$0\" \"$@\"\n' '''\n"),
        (b"#!python -X utf8\n", b"#!/bin/sh\n'''exec' /opt/venvs/app/bin/python -X utf8 \"$0\" \"$@\"\n' '''\n"),
    ],
)
def test_they_are_kept_behind_the_interpreter_of_the_environment(first: bytes, expected: bytes) -> None:
    assert with_shebang_options(io.BytesIO(first + BODY), PYTHON).read() == expected + BODY


@pytest.mark.parametrize(
    "first", [b"#!python\n", b"#!/bin/sh -e\n", b"#!python -c 'x'; id\n", b"#!python $(id)\n", b""]
)
def test_a_script_without_options_that_are_known_is_as_it_was(first: bytes) -> None:
    stream = io.BytesIO(first + BODY)

    assert with_shebang_options(stream, PYTHON) is stream
    assert stream.tell() == 0


def test_a_line_that_the_kernel_would_cut_goes_through_a_shell() -> None:
    python = "/" + "a" * 120 + "/python"

    assert with_shebang_options(io.BytesIO(b"#!python -E\n"), python).readline() == b"#!/bin/sh\n"
