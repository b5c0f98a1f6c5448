"""Files are written whole or not at all; workspaces of killed runs do not stay."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from venvpkg.host.files import read_regular, write_whole, written_whole
from venvpkg.store.dirs import Dirs, workspace


def test_a_written_file_appears_with_its_content_and_mode(tmp_path: Path) -> None:
    write_whole(tmp_path / "sub/file", b"content", mode=0o600)

    assert (tmp_path / "sub/file").read_bytes() == b"content"
    assert (tmp_path / "sub/file").stat().st_mode & 0o777 == 0o600


def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"old")

    with pytest.raises(OSError, match="disk"), written_whole(tmp_path / "file") as file:
        file.write(b"half of the new")
        raise OSError("disk full")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_workspace_is_gone_after_its_run(tmp_path: Path) -> None:
    places = Dirs.of_user(wheelhouse=tmp_path / "w", cache=tmp_path / "c")

    with workspace(places) as directory:
        (directory / "x").write_text("x")

    assert not directory.exists()


def test_a_workspace_in_use_survives_the_start_of_another_run(tmp_path: Path) -> None:
    places = Dirs.of_user(wheelhouse=tmp_path / "w", cache=tmp_path / "c")

    with workspace(places) as first, workspace(places) as second:
        assert first.is_dir()
        assert first != second


def test_the_workspace_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from venvpkg.store.dirs import Dirs, workspace\n"
        "cache = pathlib.Path(sys.argv[1])\n"
        "with workspace(Dirs.of_user(wheelhouse=cache, cache=cache)) as directory:\n"
        "    print(directory, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        abandoned = Path(killed.stdout.readline().strip())
        os.kill(killed.pid, signal.SIGKILL)
    assert abandoned.is_dir()

    with workspace(Dirs.of_user(wheelhouse=tmp_path, cache=tmp_path)):
        pass

    assert not abandoned.exists()


def test_a_workspace_whose_run_or_removal_was_killed_at_any_moment_is_removed(tmp_path: Path) -> None:
    not_yet_locked, half_removed = tmp_path / "work/new", tmp_path / "work/old"
    not_yet_locked.mkdir(parents=True)
    (half_removed / "rest").mkdir(parents=True)

    with workspace(Dirs.of_user(wheelhouse=tmp_path, cache=tmp_path)) as directory:
        assert list((tmp_path / "work").iterdir()) == [directory]


def test_a_workspace_is_removed_though_a_program_of_its_killed_run_still_writes(tmp_path: Path) -> None:
    abandoned = tmp_path / "work/abandoned"
    abandoned.mkdir(parents=True)

    writer = threading.Thread(target=write_into, args=(abandoned, 0.1))
    writer.start()
    while not list(abandoned.iterdir()):
        time.sleep(0.001)
    with workspace(Dirs.of_user(wheelhouse=tmp_path, cache=tmp_path)):
        pass
    writer.join()

    assert not abandoned.exists()


def write_into(directory: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    with contextlib.suppress(FileNotFoundError):
        for number in itertools.takewhile(lambda _: time.monotonic() < end, itertools.count()):
            (directory / str(number)).touch()


def test_a_directory_that_cannot_be_written_is_told_with_the_file_that_was_to_be() -> None:
    target = Path("/proc/self/file")  # no file can be made there, by root either

    with pytest.raises(OSError, match="/proc/self/"):
        write_whole(target, b"content")

    assert not target.exists()


def test_a_full_device_is_told_with_the_file_that_was_to_be(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="wanted") as caught, written_whole(tmp_path / "wanted"):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert caught.value.filename == str(tmp_path / "wanted")


def test_a_regular_file_is_read_up_to_one_byte_more_than_allowed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")

    assert read_regular(tmp_path / "file", 5) == b"12345"
    assert read_regular(tmp_path / "file", 3) == b"1234"


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="not a regular file"):
        read_regular(tmp_path / "pipe", 5)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path, 5)
