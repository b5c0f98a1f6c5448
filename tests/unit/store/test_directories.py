"""Directories appear complete or not at all, and those of killed runs are removed."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest

from venvpkg.store.directories import DirectoryStore, publish, remove_unused, workspace
from venvpkg.store.dirs import Dirs
from venvpkg.store.locks import locked

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_workspace_whose_run_or_removal_was_killed_at_any_moment_is_removed(tmp_path: Path) -> None:
    not_yet_locked, half_removed = tmp_path / "work/new", tmp_path / "work/old"
    not_yet_locked.mkdir(parents=True)
    (half_removed / "rest").mkdir(parents=True)

    with workspace(Dirs.of_user(wheelhouse=tmp_path, cache=tmp_path)) as directory:
        assert list((tmp_path / "work").iterdir()) == [directory]


def test_a_workspace_is_removed_though_a_program_of_its_killed_run_still_writes(tmp_path: Path) -> None:
    abandoned = tmp_path / "work/abandoned"
    abandoned.mkdir(parents=True)

    begun = threading.Event()
    writer = threading.Thread(target=write_into, args=(abandoned, begun))
    writer.start()
    assert begun.wait(60)
    with workspace(Dirs.of_user(wheelhouse=tmp_path, cache=tmp_path)):
        pass
    writer.join()

    assert not abandoned.exists()


def write_into(directory: Path, begun: threading.Event) -> None:
    with contextlib.suppress(FileNotFoundError):
        for number in range(3000):
            (directory / str(number)).touch()
            begun.set()


def made(parent: Path, content: str = "content") -> Path:
    fresh = parent / "fresh"
    fresh.mkdir()
    (fresh / "file").write_text(content)
    return fresh


@pytest.mark.parametrize("durable", [False, True])
def test_a_published_directory_is_complete_and_nothing_else_is_left(tmp_path: Path, durable: bool) -> None:
    store = DirectoryStore(tmp_path / "store")

    with store.unfinished() as work:
        assert publish(made(work), store.path / "ab" / "key", durable=durable)

    assert (store.path / "ab/key/file").read_text() == "content"
    assert list((store.path / ".tmp").iterdir()) == []


def test_the_directory_of_a_faster_run_stays(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    with store.unfinished() as work:
        publish(made(work, "first"), tmp_path / "key")

    with store.unfinished() as work:
        assert not publish(made(work, "second"), tmp_path / "key")

    assert (tmp_path / "key/file").read_text() == "first"
    assert list((tmp_path / ".tmp").iterdir()) == []


def test_a_file_in_place_of_a_directory_is_an_error_and_not_a_faster_run(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with DirectoryStore(tmp_path).unfinished() as work, pytest.raises(OSError, match="key") as caught:
        publish(made(work), tmp_path / "key")

    assert caught.value.errno == errno.ENOTDIR


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), DirectoryStore(tmp_path).unfinished() as work:
        made(work)
        raise ValueError("no")

    assert list((tmp_path / ".tmp").iterdir()) == []


def test_what_killed_runs_left_is_swept_unless_a_directory_is_being_created(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    left = tmp_path / ".tmp/left"
    left.mkdir(parents=True)

    with store.unfinished():
        store.sweep()
        assert left.is_dir()
    store.sweep()

    assert not left.exists()


def test_removing_a_directory_that_is_already_gone_is_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()

    for _ in range(2):
        DirectoryStore(tmp_path).remove(tmp_path / "key")

    assert sorted(path.name for path in tmp_path.rglob("*")) == [".tmp"]


def test_unused_directories_are_removed_except_the_wanted_and_those_in_use(tmp_path: Path) -> None:
    for name in ("old", "wanted", "used", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.lock").touch()
        if name != "new":
            os.utime(tmp_path / f"{name}.lock", (0, 0))

    with locked(tmp_path / "used.lock", shared=True):
        remove_unused(tmp_path, keep=tmp_path / "wanted")

    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["new", "used", "wanted"]
