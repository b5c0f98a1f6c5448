"""A source says how it is built, or everything that is wrong with what it says is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import CompileError
from venvpkg.sources.build_system import BuildSystem, read_build_system

if TYPE_CHECKING:
    from pathlib import Path

LEGACY = BuildSystem(("setuptools>=40.8.0",), "setuptools.build_meta:__legacy__")


def read(directory: Path, text: str) -> BuildSystem:
    (directory / "pyproject.toml").write_text(text)
    return read_build_system(directory, "demo 1.0")


def test_requirements_are_sorted_and_the_backend_kept(tmp_path: Path) -> None:
    system = read(tmp_path, '[build-system]\nrequires = ["b", "a>=1"]\nbuild-backend = "x.y"\nbackend-path = ["."]')

    assert system == BuildSystem(("a>=1", "b"), "x.y", (".",))


def test_a_source_without_the_table_is_built_by_setuptools(tmp_path: Path) -> None:
    assert read(tmp_path, "[project]\nname = 'demo'\n") == LEGACY


def test_a_source_with_setup_py_alone_is_built_by_setuptools(tmp_path: Path) -> None:
    (tmp_path / "setup.py").touch()

    assert read_build_system(tmp_path, "demo 1.0") == LEGACY


def test_a_table_without_backend_is_built_by_setuptools(tmp_path: Path) -> None:
    assert read(tmp_path, "[build-system]\nrequires = []") == BuildSystem((), LEGACY.backend)


def test_a_source_with_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=r"neither pyproject\.toml nor setup\.py"):
        read_build_system(tmp_path, "demo 1.0")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[build-system", "malformed"),
        ("build-system = 1", "not a table"),
        ("[build-system]", "requires is missing"),
        ("[build-system]\nrequires = 'a'", "not a list"),
        ("[build-system]\nrequires = ['-r /etc/passwd']", "requirement '-r /etc/passwd'"),
        ('[build-system]\nrequires = ["a\\n--index-url=x"]', "not a line of text"),
        ("[build-system]\nrequires = [1]", "requirement 1"),
        ("[build-system]\nrequires = []\nbuild-backend = 'os; x'", "not the name of an object"),
        ("[build-system]\nrequires = []\nbackend-path = 'x'", "not a list of directories"),
        ("a = " + "[" * 5000, "malformed"),
    ],
)
def test_a_malformed_table_is_named_with_its_distribution(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(CompileError) as caught:
        read(tmp_path, text)

    assert "demo 1.0 cannot be built" in str(caught.value)
    assert problem in str(caught.value)
