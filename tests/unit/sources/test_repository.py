"""What of a repository concerns a build, and what is said where git cannot tell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from unit.fakes import ScriptedRunner, expect
from venvpkg.errors import ConfigurationError, MissingToolError
from venvpkg.host.command import NOT_FOUND, Command, Completed
from venvpkg.sources.repository import read_repository

if TYPE_CHECKING:
    from pathlib import Path

DYNAMIC = '[project]\nname = "app"\ndynamic = ["version"]\n'


def git_knows(tags: bytes = b"refs/tags/v1 aa\n", shallow: str = "", prefix: bytes = b"\n") -> ScriptedRunner:
    def answer(command: Command) -> Completed:
        match command.argv:
            case [*_, "rev-parse", "HEAD"]:
                return Completed(0, b"abc\n")
            case [*_, "for-each-ref", "--merged=HEAD", _, "refs/tags"]:
                return Completed(0, tags)
            case [*_, "--git-path", "shallow"]:
                return Completed(0, f"{shallow}\n".encode())
            case [*_, "--show-prefix"]:
                return Completed(0, prefix)
            case [*_, "-z", "HEAD"]:
                return Completed(0, b"b.py\0a.py\0")
            case _:
                raise AssertionError(command)

    return ScriptedRunner({expect("git", ...): answer})


def write(directory: Path, text: str) -> Path:
    (directory / "pyproject.toml").write_text(text)
    return directory


def test_commit_tags_place_and_changes_concern_a_build(tmp_path: Path) -> None:
    found = read_repository(write(tmp_path, DYNAMIC), git_knows(prefix=b"packages/app/\n"))

    assert found is not None
    assert (found.commit, found.tags, found.prefix) == ("abc", (("refs/tags/v1", "aa"),), "packages/app")
    assert found.changed == ("a.py", "b.py")


@pytest.mark.parametrize(
    ("declared", "is_seen"),
    [
        ('[project]\nname = "app"\nversion = "1.0"\n', False),
        ('[build-system]\nrequires = ["setuptools-scm"]\n[project]\nname = "app"\nversion = "1.0"\n', True),
        (DYNAMIC, True),
        ('[tool.poetry]\nversion = "0.0.0"\n', True),
        ("not toml", True),
    ],
)
def test_a_version_in_project_is_not_asked_of_git(tmp_path: Path, declared: str, *, is_seen: bool) -> None:
    runner = git_knows() if is_seen else ScriptedRunner({})

    assert (read_repository(write(tmp_path, declared), runner) is not None) is is_seen


def test_a_repository_without_git_is_refused_rather_than_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    project = tmp_path / "packages"
    project.mkdir()

    with pytest.raises(MissingToolError, match="git"):
        read_repository(write(project, DYNAMIC), ScriptedRunner({expect("git", ...): Completed(NOT_FOUND)}))


def test_without_a_repository_nothing_is_missing(tmp_path: Path) -> None:
    assert read_repository(tmp_path, ScriptedRunner({expect("git", ...): Completed(128)})) is None


@pytest.mark.parametrize("tool", ["versioneer", "pbr>=6", "versioningit", "uv-dynamic-versioning", "hatch-vcs"])
def test_a_shallow_clone_without_tags_is_refused_where_the_version_comes_from_tags(tmp_path: Path, tool: str) -> None:
    (tmp_path / "shallow").write_text("abc\n")
    project = write(tmp_path, f'[build-system]\nrequires = ["{tool}"]\n{DYNAMIC}')

    with pytest.raises(ConfigurationError, match="the clone is shallow"):
        read_repository(project, git_knows(tags=b"", shallow="shallow"))
    found = read_repository(project, git_knows(shallow="shallow"))

    assert found is not None
    assert found.shallow == ("abc",)


def test_a_pipe_in_place_of_a_file_that_could_ask_for_tags_is_never_waited_for(tmp_path: Path) -> None:
    for name in ("setup.py", "setup.cfg"):
        os.mkfifo(tmp_path / name)

    assert read_repository(write(tmp_path, '[project]\nversion = "1.0"\n'), ScriptedRunner({})) is None
