"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from venvpkg.host.files import open_atomic, read_regular, write_whole


def test_a_written_file_appears_with_its_content_and_mode(tmp_path: Path) -> None:
    write_whole(tmp_path / "sub/file", b"content", mode=0o600)

    assert (tmp_path / "sub/file").read_bytes() == b"content"
    assert (tmp_path / "sub/file").stat().st_mode & 0o777 == 0o600


def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"old")

    with pytest.raises(OSError, match="disk"), open_atomic(tmp_path / "file") as file:
        file.write(b"half of the new")
        raise OSError("disk full")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_directory_that_cannot_be_written_is_told_with_the_file_that_was_to_be() -> None:
    target = Path("/proc/self/file")  # no file can be made there, by root either

    with pytest.raises(OSError, match="/proc/self/"):
        write_whole(target, b"content")

    assert not target.exists()


def test_a_full_device_is_told_with_the_file_that_was_to_be(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="wanted") as caught, open_atomic(tmp_path / "wanted"):
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
