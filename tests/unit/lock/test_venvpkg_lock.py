"""venvpkg.lock is written the same way every time, and read as hostile input."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from unit.lock.samples import remote
from venvpkg.errors import LockError
from venvpkg.lock.venvpkg_lock import read_build_pins, write_build_pins
from venvpkg.model.lock import BuildPins

if TYPE_CHECKING:
    from pathlib import Path

LXML = BuildPins(
    name="lxml",
    source="ab" * 32,
    target="debian-12-amd64-cp311",
    requires=("Cython>=3", "setuptools"),
    files=(
        replace(remote("cython-3-py3-none-any.whl"), uploaded=datetime(2026, 7, 1, 10, tzinfo=UTC)),
        remote("setuptools-84-py3-none-any.whl"),
    ),
)
OWN = BuildPins(name="app", source="directory", target="debian-12-amd64-cp311", requires=(), files=())


def malformed(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(LockError) as caught:
        read_build_pins(path)
    return str(caught.value)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "venvpkg.lock"

    write_build_pins(path, [LXML, OWN])

    assert read_build_pins(path) == (OWN, LXML)


def test_the_same_pins_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"

    write_build_pins(one, [LXML, OWN])
    write_build_pins(other, [OWN, replace(LXML, files=LXML.files[::-1], requires=LXML.requires[::-1])])

    assert one.read_bytes() == other.read_bytes()


def test_no_file_is_no_pins(tmp_path: Path) -> None:
    assert read_build_pins(tmp_path / "venvpkg.lock") == ()


def test_credentials_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "venvpkg.lock"
    file = replace(LXML.files[0], url="https://me:s3cret@i/cython-3-py3-none-any.whl")

    write_build_pins(path, [replace(LXML, files=(file,), requires=("x @ https://me:s3cret@i/x.whl",))])

    assert "s3cret" not in path.read_text()


def test_a_newer_version_is_refused_by_its_number(tmp_path: Path) -> None:
    assert "version '2'" in malformed(tmp_path / "venvpkg.lock", "version = 2\n")


def test_every_problem_of_a_malformed_file_is_told_at_once(tmp_path: Path) -> None:
    text = f"""version = 1
[[build]]
name = "Not Normal"
source = "short"
target = "../x"
requires = [1]
files = [1]
[[build]]
name = "a"
source = "{"ab" * 32}"
target = "t"
files = [
    {{ name = "../a-1-py3-none-any.whl", url = "https://i/a", sha256 = "{"ab" * 32}" }},
    {{ name = "a-1-py3-none-any.whl", url = "https://i/a" }},
    {{ name = "a-1-py3-none-any.whl", url = "ftp://i/a", sha256 = "{"ab" * 32}" }},
    {{ name = "a-1.tar.gz", url = "https://i/a", sha256 = "{"ab" * 32}", upload-time = "yesterday" }},
]
"""

    told = malformed(tmp_path / "venvpkg.lock", text)

    assert "9 problems" in told
    for key in ("name", "source", "target", "requires", "files[0]"):
        assert f"build[0].{key}: " in told
    for word in ("not a valid file name", "no sha256", "not http", "upload-time"):
        assert word in told


@pytest.mark.parametrize("text", ["version = ", "", "version = 1\nbuild = 3", "version = 1\nbuild = [3]", "\xff"])
def test_a_file_that_is_something_else_is_an_error(tmp_path: Path, text: str) -> None:
    assert "venvpkg.lock" in malformed(tmp_path / "venvpkg.lock", text)


def test_two_entries_for_one_build_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "venvpkg.lock"
    write_build_pins(path, [LXML, replace(LXML, requires=())])

    with pytest.raises(LockError, match="duplicate entry for lxml"):
        read_build_pins(path)
