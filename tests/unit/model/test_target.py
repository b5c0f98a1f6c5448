"""What an interpreter says of itself decides the names of everything that is made for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from unit.lock.samples import target

if TYPE_CHECKING:
    from venvpkg.model.target import Interpreter


def interpreter(version: tuple[int, int, int], ext_suffix: str, implementation: str = "cpython") -> Interpreter:
    markers = {"implementation_name": implementation, "implementation_version": "7.3.11"}
    return replace(target().interpreter, version=version, ext_suffix=ext_suffix, marker_environment=markers)


ORDINARY = interpreter((3, 11, 2), ".cpython-311-x86_64-linux-gnu.so")
FREE_THREADED = interpreter((3, 13, 5), ".cpython-313t-x86_64-linux-gnu.so")
DEBUG = interpreter((3, 11, 2), ".cpython-311d-x86_64-linux-gnu.so")
PYPY = interpreter((3, 9, 16), ".pypy39-pp73-x86_64-linux-gnu.so", "pypy")


@pytest.mark.parametrize(
    ("which", "name", "tags", "title"),
    [
        (ORDINARY, "python3.11", ("cp311", "cp311"), "Python 3.11.2"),
        (FREE_THREADED, "python3.13t", ("cp313", "cp313t"), "Python 3.13.5t"),
        (DEBUG, "python3.11", ("cp311", "cp311d"), "Python 3.11.2d"),
        (PYPY, "pypy3.9", ("pp39", "pypy39_pp73"), "PyPy 7.3.11 with Python 3.9.16"),
    ],
)
def test_its_suffix_tells_the_directory_of_its_modules_and_the_tags_of_its_wheels(
    which: Interpreter, name: str, tags: tuple[str, str], title: str
) -> None:
    assert which.name == name
    assert (which.tag, which.abi) == tags
    assert which.title == title


def test_what_is_pinned_for_one_abi_is_not_pinned_for_another() -> None:
    names = {replace(target(), interpreter=each).abi_name for each in (ORDINARY, FREE_THREADED, DEBUG, PYPY)}

    assert names == {f"debian-12-amd64-{abi}" for abi in ("cp311", "cp313t", "cp311d", "pp39")}
