"""Cached files are returned complete or not at all, and the least recently used are removed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from venvpkg.store.filecache import FileCache

if TYPE_CHECKING:
    from pathlib import Path

KEY = "ab" + "0" * 62


def test_a_file_is_returned_under_its_key_and_counts_as_used(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / "kept", 1000)
    with kept.replace(KEY) as stream:
        stream.write(b"content")
    (stored,) = (tmp_path / "kept").glob("*/*")
    os.utime(stored, (0, 0))

    with kept.open(KEY) as found:
        assert found is not None
        assert found.read() == b"content"

    assert stored.stat().st_mtime > 0
    with kept.open("cd" * 32) as none:
        assert none is None


def test_a_file_that_could_not_be_written_does_not_exist(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / "kept", 1000)

    def write_half() -> None:
        with kept.replace(KEY) as stream:
            stream.write(b"half")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        write_half()

    with kept.open(KEY) as found:
        assert found is None


def test_files_unused_for_long_are_removed_and_then_the_least_recently_used(tmp_path: Path) -> None:
    ages = {"aa": 200, "bb": 3, "cc": 2, "dd": 1}
    for name, days in ages.items():
        stored = tmp_path / "kept" / name / (name * 32)
        stored.parent.mkdir(parents=True)
        stored.write_bytes(bytes(1000))
        os.utime(stored, (time.time() - days * 86400,) * 2)
    part = tmp_path / "kept/dd/.left.part"
    part.touch()
    os.utime(part, (0, 0))

    FileCache(tmp_path / "kept", 2500).sweep()

    assert sorted(path.parent.name for path in (tmp_path / "kept").glob("*/*")) == ["cc", "dd"]
    assert not part.exists()
