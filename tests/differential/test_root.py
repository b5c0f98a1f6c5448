"""Programs in another root, for real: what they see, what they leave behind, how they end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from venvpkg.host.command import Bind, Command, Completed
from venvpkg.host.runner import SubprocessRunner
from venvpkg.targets.root import RootRunner

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = ("sh", "env", "true", "cat", "ls", "touch", "mkdir", "sleep", "rm")
SANDBOX = PurePosixPath("/usr/src/venvpkg")


def a_small_root(directory: Path) -> Path:
    """Make a root of a few programs of this machine, with the libraries that they need."""
    root = directory / "root"
    for each in ("usr/bin", "etc", "proc", "dev", "sys", "tmp", "usr/local/lib", "home"):
        (root / each).mkdir(parents=True)
    for link in ("bin", "lib", "lib64"):
        (root / f"usr/{link}").mkdir(exist_ok=True)
        (root / link).symlink_to(f"usr/{link}")
    for program in PROGRAMS:
        found = Path(shutil.which(program) or "").resolve()
        shutil.copy(found, root / "usr/bin" / program)
        listed = subprocess.run(["ldd", found], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"/\S+", listed):
            place = root / library.lstrip("/")
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library, place)
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")
    (root / "etc/kept").write_text("as it was\n")
    return root


def state(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode) for path in sorted(root.rglob("*"))}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = a_small_root(tmp_path_factory.mktemp("small"))
    done = RootRunner(made, SubprocessRunner(os.environ), {}).run(Command(("true",)))
    if not done.ok:
        pytest.skip(f"no programs run in a root here: {done.errors}")
    return made


def shell(root: Path, script: str, **more: object) -> Completed:
    runner = RootRunner(root, SubprocessRunner(os.environ), {})
    return runner.run(Command(("sh", "-c", script), **more))  # type: ignore[arg-type]


def test_what_is_written_in_a_root_is_gone_afterwards(root: Path) -> None:
    before = state(root)

    done = shell(root, "echo changed > /etc/kept && rm -r /usr/local && mkdir /new && cat /etc/kept")

    assert (done.text, done.errors) == ("changed\n", "")
    assert state(root) == before


def test_what_is_shown_is_there_and_nothing_else_of_this_machine(root: Path, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("given\n")

    done = shell(
        root,
        f"cat given; echo made > made; ls {SANDBOX.parent} /home; ls {Path(__file__).parent}",
        cwd=SANDBOX,
        binds=(Bind(tmp_path, SANDBOX),),
    )

    assert done.text == "given\n/home:\n\n/usr/src:\nvenvpkg\n"
    assert "No such file" in done.errors
    assert (tmp_path / "made").read_text() == "made\n"


@pytest.mark.parametrize("in_root", [True, False])
def test_a_file_within_what_is_shown_can_be_read_only(root: Path, tmp_path: Path, *, in_root: bool) -> None:
    sandbox, tool = tmp_path / "room", tmp_path / "tool"
    sandbox.mkdir()
    tool.write_text("tool\n")
    command = Command(
        ("sh", "-c", "cat tool/one && echo x > new && echo x > tool/one"),
        cwd=SANDBOX,
        binds=(Bind(sandbox, SANDBOX), Bind(tool, SANDBOX / "tool/one", writable=False)),
    )
    host = SubprocessRunner(os.environ)

    done = (RootRunner(root, host, {}) if in_root else host).run(command)

    assert done.text == "tool\n"
    assert "Read-only file system" in done.errors
    assert (sandbox / "new").read_text() == "x\n"
    assert tool.read_text() == "tool\n"


@pytest.mark.parametrize("in_root", [True, False])
def test_masked_directories_are_empty_but_for_what_is_shown_in_them(
    root: Path, tmp_path: Path, *, in_root: bool
) -> None:
    command = Command(
        ("sh", "-c", "ls /usr/local /usr/src"),
        binds=(Bind(tmp_path, SANDBOX),),
        masked=(PurePosixPath("/usr/local"), PurePosixPath("/usr/src"), PurePosixPath("/not/there")),
        network=False,
    )
    host = SubprocessRunner(os.environ)

    done = (RootRunner(root, host, {}) if in_root else host).run(command)

    assert (done.text, done.errors) == ("/usr/local:\n\n/usr/src:\nvenvpkg\n", "")


def test_showing_things_writes_nothing_to_this_machine(tmp_path: Path) -> None:
    place = tmp_path / "there"
    place.mkdir()
    binds = tuple(Bind(tmp_path, PurePosixPath(place / "deep/er" / name)) for name in ("one", "two"))

    done = SubprocessRunner(os.environ).run(Command(("ls", str(place / "deep/er")), binds=binds))

    assert (done.text, done.errors) == ("one\ntwo\n", "")
    assert list(place.iterdir()) == []


def test_a_program_without_network_sees_no_interface_but_its_own(root: Path) -> None:
    count = "set -- $(cat /proc/net/dev); n=0; for word; do case $word in *:) n=$((n + 1));; esac; done; echo $n"

    assert shell(root, count, network=False).text == "1\n"


def test_the_network_comes_with_this_machines_names(root: Path) -> None:
    resolver = Path("/etc/resolv.conf")
    assert shell(root, "cat /etc/resolv.conf").text == (resolver.read_text() if resolver.exists() else "")
    assert "No such file" in shell(root, "cat /etc/resolv.conf", network=False).errors
    assert (root / "etc/resolv.conf").is_symlink()


def test_programs_find_the_environment_that_they_are_given(root: Path) -> None:
    done = shell(root, "env", env={"A": "b c", "PATH": "/usr/bin"}, clean=True, cwd=PurePosixPath("/etc"))

    assert sorted(line for line in done.text.splitlines() if not line.startswith("_=")) == [
        "A=b c",
        "PATH=/usr/bin",
        "PWD=/etc",
    ]


def test_a_program_that_the_root_does_not_have_is_told_from_one_that_failed(root: Path) -> None:
    runner = RootRunner(root, SubprocessRunner(os.environ), {})

    assert runner.run(Command(("no-such-program",))).outcome() == "not found (exit 127)"
    assert shell(root, "exit 3").outcome() == "exit 3"


def test_output_of_a_program_in_a_root_is_streamed(root: Path) -> None:
    runner = RootRunner(root, SubprocessRunner(os.environ), {})

    with runner.stream(Command(("cat", "/etc/kept"))) as stream:
        assert stream.read(100) == b"as it was\n"
        assert stream.finish().ok


def test_a_root_with_a_comma_and_a_colon_in_its_path_is_a_root(root: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a,b:c d\\e"
    odd.mkdir()
    shutil.copytree(root, odd / "root", symlinks=True)

    assert shell(odd / "root", "cat /etc/kept").text == "as it was\n"


def test_a_killed_driver_leaves_no_process_and_no_mount_behind(root: Path) -> None:
    mark = f"{60 + os.getpid() / 1e7:.7f}"
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from venvpkg.host.command import Command\nfrom venvpkg.host.runner import SubprocessRunner\n"
        "from venvpkg.targets.root import RootRunner\n"
        "runner = RootRunner(Path(sys.argv[1]), SubprocessRunner(os.environ), {})\n"
        f"runner.run(Command(('sh', '-c', 'sleep {mark} & sleep {mark}')))\n"
    )
    mounts = Path("/proc/self/mounts").read_text()
    driver = subprocess.Popen([sys.executable, "-c", code, str(root)])
    wait_until(lambda: len(running(mark)) >= 2)

    driver.send_signal(signal.SIGKILL)
    driver.wait()

    wait_until(lambda: not running(mark))
    assert Path("/proc/self/mounts").read_text() == mounts


def running(mark: str) -> list[Path]:
    """Return the processes that are sleeping for just so long."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if file.read_bytes() == f"sleep\0{mark}\0".encode():
                found.append(file)
        except OSError:
            continue
    return found


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.mark.parametrize("in_root", [True, False])
def test_what_lies_below_a_masked_directory_can_be_shown_at_its_own_path(root: Path, *, in_root: bool) -> None:
    """As an interpreter in /usr/local is to a compile job."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        (Path(directory) / "given").write_text("given\n")
        command = Command(
            ("cat", f"{directory}/given"),
            binds=(Bind.in_place(Path(directory), writable=False),),
            masked=(PurePosixPath("/var/tmp"),),
            network=False,
        )
        host = SubprocessRunner(os.environ)

        done = (RootRunner(root, host, {}) if in_root else host).run(command)

    assert (done.text, done.errors) == ("given\n", "")
