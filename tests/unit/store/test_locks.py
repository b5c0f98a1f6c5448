"""Locks: one holder, or several who share; who waits says so; they end with their holder."""

from __future__ import annotations

import contextlib
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from venvpkg.store.locks import locked, locked_if_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_one_who_asks_only_if_it_is_free_does_not_get_what_another_holds(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with locked(file), locked_if_free(file) as second:
        assert second is None
    with locked(file, shared=True), locked_if_free(file) as second:
        assert second is None
    with locked_if_free(file) as first:
        assert first is not None


def test_those_who_share_do_not_wait_for_each_other(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with locked(file, shared=True) as first, locked(file, shared=True) as second:
        assert first != second


def test_who_waits_is_told_and_gets_it_when_it_is_let_go(tmp_path: Path) -> None:
    file, told, got = tmp_path / "lock", Event(), Event()

    @contextlib.contextmanager
    def waiting() -> Iterator[None]:
        told.set()
        yield

    def wait() -> None:
        with locked(file, waiting=waiting()):
            got.set()

    thread = Thread(target=wait)
    with locked(file):
        thread.start()
        assert told.wait(10)
        assert not got.is_set()
    thread.join(10)
    assert got.is_set()


def test_a_file_that_is_not_to_be_made_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked_if_free(tmp_path / "lock", made=False):
        pass
    assert not (tmp_path / "lock").exists()
