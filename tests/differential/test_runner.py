"""A program ends in words, sees only what it may see, and never outlives its time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from venvpkg.host.command import Command
from venvpkg.host.runner import StoppedError, SubprocessRunner

RUNNER = SubprocessRunner(
    {"PATH": "/usr/bin:/bin", "PIP_INDEX_URL": "https://user:secret@example.org", "LANG": "de_DE"}
)


def python(code: str, **more: object) -> Command:
    return Command((sys.executable, "-I", "-c", code), **more)  # type: ignore[arg-type]


def test_a_program_that_is_not_there_is_told_from_one_that_failed() -> None:
    assert RUNNER.run(Command(("no-such-program",))).outcome() == "not found (exit 127)"
    assert RUNNER.run(python("raise SystemExit(3)")).outcome() == "exit 3"


def test_a_killed_program_names_its_signal() -> None:
    assert RUNNER.run(python("import os; os.kill(os.getpid(), 9)")).outcome() == "killed by SIGKILL"


def test_only_allowed_variables_are_passed_on() -> None:
    seen = RUNNER.run(python("import os; print(sorted(os.environ))")).text

    assert "PIP_INDEX_URL" not in seen
    assert "'LC_ALL'" in seen
    assert "'LANG'" not in seen


def test_a_program_with_children_ends_when_its_time_runs_out(tmp_path: Path) -> None:
    waited = tmp_path / "waited"
    child = f"sleep 60; touch {waited}"

    done = RUNNER.run(python(f"import subprocess; subprocess.run(['sh', '-c', {child!r}])", timeout_s=0.5))

    assert done.outcome() == "timed out"
    assert not waited.exists()


def test_a_program_does_not_outlive_a_killed_venvpkg(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from venvpkg.host.command import Command\nfrom venvpkg.host.runner import SubprocessRunner\n"
        "SubprocessRunner(os.environ).run(Command(('sh', '-c', 'echo $$ >\"$1\"; exec sleep 60', 'sh', sys.argv[1])))\n"
    )
    pid = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", script, str(pid)]) as killed:
        while not pid.exists() or not pid.read_text():
            time.sleep(0.01)
        killed.kill()

    deadline = time.monotonic() + 5
    while _runs(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_standard_input_is_closed_unless_fed() -> None:
    assert RUNNER.run(python("print(len(input()))", stdin=b"four")).text == "4\n"
    assert RUNNER.run(python("print(repr(__import__('sys').stdin.read()))")).text == "''\n"


def test_a_log_receives_both_streams(tmp_path: Path) -> None:
    log = tmp_path / "log"

    done = RUNNER.run(python("import os; os.write(1, b'out\\n'); os.write(2, b'err\\n')", log=log))

    assert (done.stdout, done.stderr) == (b"", b"")
    assert log.read_text() == "out\nerr\n"


def test_a_stream_gives_the_output_while_the_program_runs_and_then_how_it_ended() -> None:
    command = Command((sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"))

    with SubprocessRunner({}).stream(command) as stream:
        output = stream.read(100)
        done = stream.finish()

    assert (output, done.returncode, done.stderr) == (b"out\n", 3, b"err\n")


def test_a_stream_that_is_left_early_leaves_no_process_behind() -> None:
    endless = Command((sys.executable, "-c", "import os\nprint(os.getpid(), flush=True)\nwhile True: print('x' * 999)"))

    with SubprocessRunner({}).stream(endless) as stream:
        process = int(stream.read(64).split()[0])

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_stream_whose_time_runs_out_ends() -> None:
    silent = Command((sys.executable, "-c", "import time; time.sleep(60)"), timeout_s=0.2)

    with SubprocessRunner({}).stream(silent) as stream:
        output = stream.read(1)
        done = stream.finish()

    assert (output, done.returncode) == (b"", -9)


def test_a_stream_of_a_program_that_is_not_there_is_empty_and_says_so() -> None:
    with SubprocessRunner({}).stream(Command(("no-such-program",))) as stream:
        assert (stream.read(1), stream.finish().returncode) == (b"", 127)


def test_a_program_reads_a_file_as_its_standard_input(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"from a file")
    command = Command(("cat",), stdin_file=tmp_path / "input")
    runner = SubprocessRunner(os.environ)

    with runner.stream(command) as stream:
        streamed = stream.read(100)
        stream.finish()

    assert (runner.run(command).stdout, streamed) == (b"from a file", b"from a file")


def test_a_stopped_runner_ends_what_runs_and_starts_nothing(tmp_path: Path) -> None:
    runner = SubprocessRunner({})
    ends: list[object] = []
    begun = tmp_path / "begun"

    def wait_for_a_program() -> None:
        try:
            ends.append(runner.run(python(f"import time; open({str(begun)!r}, 'w'); time.sleep(60)")))
        except StoppedError as error:
            ends.append(error)

    waiting = threading.Thread(target=wait_for_a_program)
    waiting.start()
    while not begun.exists():
        time.sleep(0.01)

    runner.stop()
    waiting.join(30)

    # Not an answer: that of a program which was killed is none.
    assert [type(end) for end in ends] == [StoppedError]
    with pytest.raises(StoppedError):
        runner.run(python(""))
    with pytest.raises(StoppedError), runner.stream(python("")):
        pass


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
