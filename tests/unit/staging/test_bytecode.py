"""Bytecode comes from the target's interpreter; a module that does not compile is no failure of the build."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.fakes import RecordingReport, ScriptedRunner
from unit.samples import PREFIX, debian_12
from venvpkg.errors import MachineError, StagingError
from venvpkg.host.runner import Completed
from venvpkg.staging.bytecode import compile_bytecode


def run(answer: Completed) -> tuple[ScriptedRunner, RecordingReport]:
    runner = ScriptedRunner({("/usr/bin/python3.11",): answer})
    report = RecordingReport()
    compile_bytecode(Path("/srv/job/destdir"), PREFIX, debian_12(), runner, report)
    return runner, report


def test_code_objects_name_the_path_on_the_target() -> None:
    runner, _ = run(Completed(0))

    (command,) = runner.ran
    assert command.argv[-5:] == ("-s", "/srv/job/destdir", "-p", "/", "/srv/job/destdir/opt/venvs/app/lib")
    assert command.clean


def test_modules_that_do_not_compile_are_told() -> None:
    _, report = run(Completed(1, b"*** Error compiling '/srv/job/destdir/a.py'...\nSyntaxError: x\n"))

    assert report.details == ["not compiled: Error compiling '/srv/job/destdir/a.py'..."]


@pytest.mark.parametrize(
    "answer",
    [
        Completed(1, b"", b"Traceback\nBrokenProcessPool"),
        Completed(-9, b"*** Error compiling 'a.py'...\n"),
        Completed(127),
        Completed(124),
    ],
)
def test_an_interpreter_that_fails_is_an_error(answer: Completed) -> None:
    with pytest.raises(StagingError, match="cannot compile bytecode"):
        run(answer)


def test_a_full_disk_is_told_rather_than_shipped_without_bytecode() -> None:
    said = b"*** Error compiling '/srv/job/a.py'...\nOSError: [Errno 28] No space left on device: '/srv/job/a.pyc'\n"

    with pytest.raises(MachineError, match="No space left on device"):
        run(Completed(1, said))


def test_a_module_that_speaks_of_a_full_disk_is_no_full_disk() -> None:
    quoted = b'    print "OSError: [Errno 28] No space left on device"\n'
    said = b"*** Error compiling 'a.py'...\n" + b'  File "a.py", line 1\n' + quoted

    _, report = run(Completed(1, said))

    assert report.details == ["not compiled: Error compiling 'a.py'..."]
