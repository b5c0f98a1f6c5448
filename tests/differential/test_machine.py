"""Programs in a machine, for real, but for ssh: a stand-in runs what it is told on this machine instead of another."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from venvpkg.host.command import Bind, Command
from venvpkg.host.runner import SubprocessRunner
from venvpkg.targets.machine.connection import Connection
from venvpkg.targets.machine.runner import MachineRunner
from venvpkg.targets.selection import Kind, Selection

if TYPE_CHECKING:
    from collections.abc import Callable

SSH = """\
#!/bin/bash
case "$*" in *'-O check'*) exit 0 ;; esac
exec sh -c "${@: -1}"
"""
SANDBOX = PurePosixPath("/usr/src/venvpkg")
SELECTION = Selection(Kind.VAGRANT, "here")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables with the stand-in for ssh on the PATH."""
    if os.geteuid() != 0:
        pytest.skip("the stand-in has no sudo")
    apart = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False)
    if apart.returncode != 0 or any(Path(path).is_mount() for path in ("/etc", "/usr", "/var")):
        pytest.skip("this machine cannot stand for another: no namespaces, or no one filesystem")
    ssh = tmp_path / "bin/ssh"
    ssh.parent.mkdir()
    ssh.write_text(SSH)
    ssh.chmod(0o755)
    return {"PATH": f"{ssh.parent}:/usr/sbin:/usr/bin:/sbin:/bin", "https_proxy": "http://proxy.example.org"}


@pytest.fixture
def machine(environment: dict[str, str], tmp_path: Path) -> MachineRunner:
    connection = Connection(SELECTION, "", SubprocessRunner(environment), tmp_path)
    return MachineRunner(connection, Path("/"), environment)


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    directory = tmp_path / "room"
    directory.mkdir()
    (directory / "kept").write_text("as it was\n")
    (directory / "gone").mkdir()
    (directory / "gone/file").touch()
    (directory / "changed").write_text("before\n")
    (directory / "link").symlink_to("/nowhere")
    return directory


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def test_what_a_program_writes_is_gone_and_its_answers_come_back(machine: MachineRunner) -> None:
    done = machine.run(Command(("sh", "-c", "touch /usr/new && ls /usr/new; cat; echo no >&2; exit 3"), stdin=b"fed\n"))

    assert (done.returncode, done.text, done.errors) == (3, "/usr/new\nfed\n", "no\n")
    assert not Path("/usr/new").exists()


def test_what_a_program_changes_in_what_it_is_shown_comes_back(machine: MachineRunner, sandbox: Path) -> None:
    kept = (sandbox / "kept").stat()

    machine.run(
        Command(
            ("sh", "-c", "rm -r gone link; mkdir link; echo after > changed; ln changed same; ln -s /etc away; : > -n"),
            cwd=SANDBOX,
            binds=(Bind(sandbox, SANDBOX),),
        )
    )

    assert sorted(path.name for path in sandbox.iterdir()) == ["-n", "away", "changed", "kept", "link", "same"]
    assert (sandbox / "changed").read_text() == "after\n"
    assert (sandbox / "changed").samefile(sandbox / "same")
    assert (sandbox / "away").readlink() == Path("/etc")
    assert (sandbox / "link").is_dir()
    assert (sandbox / "kept").stat() == kept


def test_what_a_program_may_only_read_stays_as_it_is(machine: MachineRunner, sandbox: Path) -> None:
    binds = (
        Bind(sandbox, SANDBOX, writable=False),
        Bind(sandbox / "kept", PurePosixPath("/etc/shown"), writable=False),
    )

    done = machine.run(Command(("sh", "-c", f"cat /etc/shown; touch {SANDBOX}/new"), binds=binds))

    assert done.text == "as it was\n"
    assert "Read-only file system" in done.errors
    assert not (sandbox / "new").exists()


def test_a_program_reads_a_file_of_this_machine(machine: MachineRunner, sandbox: Path) -> None:
    assert machine.run(Command(("cat",), stdin_file=sandbox / "kept")).text == "as it was\n"


def test_a_log_has_what_a_program_prints_in_order(machine: MachineRunner, tmp_path: Path) -> None:
    machine.run(Command(("sh", "-c", "for i in 1 2 3; do echo $i; echo $i >&2; done"), log=tmp_path / "log"))

    assert (tmp_path / "log").read_text().split() == ["1", "1", "2", "2", "3", "3"]


def test_a_program_sees_the_variables_it_is_to_see(machine: MachineRunner) -> None:
    word = "it's $HOME"
    ours = machine.run(Command(("env",), env={"WORD": word}, cwd=SANDBOX.parent))
    clean = machine.run(Command(("/usr/bin/env",), env={"A": "b"}, clean=True))

    assert f"WORD={word}" in ours.text.splitlines()
    assert "https_proxy=http://proxy.example.org" in ours.text.splitlines()
    assert {line.partition("=")[0] for line in clean.text.splitlines()} <= {"A", "PWD", "PATH"}


def test_a_program_without_network_reaches_nothing(machine: MachineRunner) -> None:
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"

    done = machine.run(Command(("python3", "-c", reach), network=False))

    assert "Network is unreachable" in done.errors


def test_a_program_that_is_not_there_is_not_found(machine: MachineRunner) -> None:
    assert machine.run(Command(("no-such-program",))).not_found


def test_a_program_whose_time_runs_out_is_killed(machine: MachineRunner) -> None:
    begun = time.monotonic()

    done = machine.run(Command(("sh", "-c", "sleep 61.5 & sleep 61.5"), timeout_s=1))

    assert done.outcome() == "timed out"
    assert time.monotonic() - begun < 30
    wait_until(lambda: not processes("sleep 61.5"))


def test_output_is_streamed_and_what_still_runs_is_killed(machine: MachineRunner) -> None:
    with machine.stream(Command(("sh", "-c", "echo begun; exec sleep 62.5"))) as stream:
        assert stream.read(6) == b"begun\n"

    wait_until(lambda: not processes("sleep 62.5"))


def test_a_driver_that_is_killed_leaves_no_process_and_no_file(environment: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import os\nfrom pathlib import Path, PurePosixPath\nfrom venvpkg.host.command import *\n"
        "from venvpkg.host.runner import *\n"
        "from venvpkg.targets.machine.connection import Connection\n"
        "from venvpkg.targets.machine.runner import MachineRunner\n"
        "from venvpkg.targets.selection import Kind, Selection\n"
        f"tmp = Path({str(tmp_path)!r})\n"
        "connection = Connection(Selection(Kind.VAGRANT, 'x'), '', SubprocessRunner(os.environ), tmp / 'cache')\n"
        "print(connection.place, flush=True)\n"
        "runner = MachineRunner(connection, Path('/'), {})\n"
        "runner.run(Command(('sleep', '63.5'), binds=(Bind(tmp, PurePosixPath('/usr/src/x')),)))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as driver:
        assert driver.stdout is not None
        place = Path(driver.stdout.readline().strip())
        wait_until(lambda: bool(processes("sleep 63.5")))
        assert place.is_dir()

        driver.send_signal(signal.SIGKILL)

    wait_until(lambda: not processes("sleep 63.5") and not place.exists())
    assert str(place) not in Path("/proc/self/mounts").read_text()


def processes(words: str) -> list[str]:
    """Return the command lines that are exactly these words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile
            found.append((process / "cmdline").read_text().replace("\0", " ").strip())
    return [each for each in found if each == words]
