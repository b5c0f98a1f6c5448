"""Bytecode comes from the target's interpreter; a module that does not compile is no failure of the build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.fakes import ScriptedRunner
from unit.samples import SITE, debian_12
from unit.staging.makers import interpreter
from venvpkg.errors import MachineError, StagingError
from venvpkg.host.command import Completed
from venvpkg.staging.bytecode import compile_bytecode

A, B = SITE / "a.py", SITE / "b.py"
DESTDIR = Path("/srv/job/destdir")
A_COMPILED = SITE / "__pycache__/a.cpython-311.pyc"


def test_modules_that_do_not_compile_are_left_out() -> None:
    runner = interpreter(Completed(0, json.dumps([str(A_COMPILED), None]).encode()), DESTDIR)

    compiled = compile_bytecode(DESTDIR, (A, B), debian_12(), runner)

    (command,) = runner.ran
    assert compiled == {A: A_COMPILED}
    assert json.loads(command.stdin or b"") == ["/srv/job/destdir", [str(A), str(B)]]


def test_no_interpreter_is_started_for_no_module() -> None:
    assert compile_bytecode(DESTDIR, (), debian_12(), ScriptedRunner({})) == {}


@pytest.mark.parametrize(
    "answer",
    [
        Completed(1, b"", b"Traceback\nBrokenProcessPool"),
        Completed(-9, b'["a.pyc", null]'),
        Completed(0, b'["a.pyc"]'),
        Completed(0, b"{}"),
        Completed(0, b"["),
        Completed(127),
        Completed(124),
    ],
)
def test_an_interpreter_that_fails_is_an_error(answer: Completed) -> None:
    with pytest.raises(StagingError, match="failed to compile bytecode"):
        compile_bytecode(DESTDIR, (A, B), debian_12(), interpreter(answer, DESTDIR))


def test_a_full_disk_is_told_rather_than_shipped_without_bytecode() -> None:
    said = b"Traceback (most recent call last):\n  ...\nOSError: [Errno 28] No space left on device: '/srv/job/a.pyc'\n"

    with pytest.raises(MachineError, match="No space left on device"):
        compile_bytecode(DESTDIR, (A, B), debian_12(), interpreter(Completed(1, stderr=said), DESTDIR))
