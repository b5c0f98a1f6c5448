"""Locks have one holder or several shared ones, report waiting, and end with their holder."""

from __future__ import annotations

import contextlib
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from venvpkg.store.locks import locked, locked_if_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_lock_if_free_is_not_given_while_another_holds_it(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with locked(file), locked_if_free(file) as second:
        assert second is None
    with locked(file, shared=True), locked_if_free(file) as second:
        assert second is None
    with locked_if_free(file) as first:
        assert first is not None


def test_shared_holders_do_not_wait_for_each_other(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with locked(file, shared=True) as first, locked(file, shared=True) as second:
        assert first != second


def test_waiting_is_reported_and_ends_when_the_lock_is_released(tmp_path: Path) -> None:
    file, reported, got = tmp_path / "lock", Event(), Event()

    @contextlib.contextmanager
    def waiting() -> Iterator[None]:
        reported.set()
        yield

    def wait() -> None:
        with locked(file, waiting=waiting()):
            got.set()

    thread = Thread(target=wait)
    with locked(file):
        thread.start()
        assert reported.wait(10)
        assert not got.is_set()
    thread.join(10)
    assert got.is_set()


def test_a_missing_lock_file_that_is_not_created_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked_if_free(tmp_path / "lock", create=False):
        pass
    assert not (tmp_path / "lock").exists()
