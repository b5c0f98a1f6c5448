"""Directories are named as the programs that run in them will name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.store.dirs import Dirs

if TYPE_CHECKING:
    import pytest


def test_a_relative_path_with_dots_and_links_becomes_its_real_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "here")

    dirs = Dirs.of_user(wheelhouse=Path("../link/house"), cache=Path("../cache"))

    assert (dirs.wheelhouse, dirs.cache) == (tmp_path / "real/house", tmp_path / "cache")


def test_a_loop_of_links_is_left_for_its_first_use(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    assert Dirs.of_user(cache=loop).cache == loop
