"""Kept files come back whole or not at all, and the longest unused ones go."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from venvpkg.store.filecache import FileCache

if TYPE_CHECKING:
    from pathlib import Path

KEY = "ab" + "0" * 62


def test_a_file_comes_back_under_its_key_and_counts_as_used(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / "kept", 1000)
    with kept.written(KEY) as stream:
        stream.write(b"content")
    (stored,) = (tmp_path / "kept").glob("*/*")
    os.utime(stored, (0, 0))

    with kept.opened(KEY) as found:
        assert found is not None
        assert found.read() == b"content"

    assert stored.stat().st_mtime > 0
    with kept.opened("cd" * 32) as none:
        assert none is None


def test_one_whose_writing_failed_is_not_there(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / "kept", 1000)

    def write_half() -> None:
        with kept.written(KEY) as stream:
            stream.write(b"half")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        write_half()

    with kept.opened(KEY) as found:
        assert found is None


def test_what_was_not_used_for_long_goes_and_then_the_longest_unused(tmp_path: Path) -> None:
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
