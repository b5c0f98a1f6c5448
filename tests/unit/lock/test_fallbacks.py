"""venvpkg.lock records what cannot be compiled beside the pins, and is read as hostile input."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import LockError
from venvpkg.lock.venvpkg_lock import read_build_pins, read_fallbacks, write_build_pins, write_fallbacks
from venvpkg.model.lock import BuildPins, Cause, Fallback

if TYPE_CHECKING:
    from pathlib import Path

RPDS = Fallback(
    "rpds-py",
    "2026.9.1",
    "ab" * 32,
    "debian-12-amd64-cp311",
    Cause.NO_CRATE_SOURCE,
    "18 of its Rust crates are not in the sdist (archery, heck, libc, …)",
)
CUDA = Fallback("cuda-thing", "1.0", "", "debian-12-amd64-cp311", Cause.NO_SDIST, "no sdist to compile")
PINS = BuildPins("lxml", "cd" * 32, "debian-12-amd64-cp311", ("setuptools",), ())


def test_what_is_written_is_read_again_in_order(tmp_path: Path) -> None:
    path = tmp_path / "venvpkg.lock"

    write_fallbacks(path, [RPDS, CUDA])

    assert read_fallbacks(path) == (CUDA, RPDS)


def test_each_part_of_the_file_survives_the_writing_of_the_other(tmp_path: Path) -> None:
    path = tmp_path / "venvpkg.lock"

    write_fallbacks(path, [RPDS])
    write_build_pins(path, [PINS])
    write_fallbacks(path, [RPDS, CUDA])

    assert (read_build_pins(path), read_fallbacks(path)) == ((PINS,), (CUDA, RPDS))


def test_no_file_is_no_fallback(tmp_path: Path) -> None:
    assert read_fallbacks(tmp_path / "venvpkg.lock") == ()


def test_the_same_distribution_may_have_an_entry_for_each_target(tmp_path: Path) -> None:
    path = tmp_path / "venvpkg.lock"
    trixie = replace(RPDS, target="debian-13-amd64-cp313")

    write_fallbacks(path, [trixie, RPDS])

    assert read_fallbacks(path) == (RPDS, trixie)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "venvpkg.lock"
    path.write_text("""version = 1
fallback = [3, { name = "No", version = "../1", source = "x", target = "", cause = "taste", detail = "a\\u001bb" }]
""")

    with pytest.raises(LockError) as caught:
        read_fallbacks(path)

    told = str(caught.value)
    assert "7 problems" in told
    assert "fallback[0]: must be a table" in told
    for key in ("name", "version", "source", "target", "cause", "detail"):
        assert f"fallback[1].{key}: " in told


def test_two_entries_for_one_source_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "venvpkg.lock"
    write_fallbacks(path, [RPDS, replace(RPDS, detail="for another reason")])

    with pytest.raises(LockError, match="duplicate entry for rpds-py"):
        read_fallbacks(path)
