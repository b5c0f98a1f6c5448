"""The version in a copy without a repository is the one that the real setuptools-scm finds in the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from differential.makers import git, repository
from venvpkg.errors import ConfigurationError
from venvpkg.host.runner import SubprocessRunner
from venvpkg.sources.source_tree import copy_tree, read_source_tree, uncommitted

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

RUNNER = SubprocessRunner(os.environ)
SCM = '[build-system]\nrequires = ["setuptools-scm"]\n[project]\nname = "app"\n[tool.setuptools_scm]\n'
OWN_TAGS = (
    'git_describe_command = ["git", "describe", "--dirty", "--tags", "--long", "--abbrev=40", "--match", "app-v*"]\n'
)


def version_in(directory: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CEILING_DIRECTORIES": str(directory.parent)}
    argv = (sys.executable, "-m", "setuptools_scm")
    done = subprocess.run(argv, cwd=directory, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def version_in_copy(directory: Path, copy: Path) -> str:
    copy_tree(read_source_tree(directory, RUNNER), copy, 315_532_800)
    return version_in(copy)


def commit(directory: Path, what: str) -> None:
    (directory / "module.py").write_text(what)
    git(directory, "commit", "--quiet", "--all", "--message", what)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "pyproject.toml").write_text(SCM)
    (directory / "module.py").write_text("one")
    repository(directory)
    return directory


@pytest.mark.parametrize(
    ("tags", "more", "expected"),
    [
        (("v1.2",), (), "1.2"),
        (("v1.2",), ("two", "three"), "1.3.dev2+g"),
        ((), ("two", "three"), "0.1.dev3+g"),
        (("release",), ("two",), "0.1.dev2+g"),
        (("v2.0rc1", "unrelated"), (), "2.0rc1"),
    ],
)
def test_a_version_from_tags_is_the_same_with_and_without_the_repository(
    tmp_path: Path, project: Path, tags: tuple[str, ...], more: tuple[str, ...], expected: str
) -> None:
    for tag in tags:
        git(project, "tag", tag)
    for each in more:
        commit(project, each)

    assert version_in_copy(project, tmp_path / "copy") == version_in(project)
    assert version_in(project).startswith(expected)


def test_the_projects_own_pattern_of_tags_counts(tmp_path: Path, project: Path) -> None:
    (project / "pyproject.toml").write_text(SCM + OWN_TAGS)
    commit(project, "two")
    git(project, "tag", "app-v3.1")
    commit(project, "three")
    git(project, "tag", "other-v9.9")

    assert version_in_copy(project, tmp_path / "copy") == version_in(project)
    assert version_in(project).startswith("3.2.dev1+g")


def test_a_shallow_clone_without_a_tag_is_refused_with_the_command_that_helps(tmp_path: Path, project: Path) -> None:
    git(project, "tag", "v1.2")
    commit(project, "two")
    git(tmp_path, "clone", "--quiet", "--depth", "1", project.as_uri(), "shallow")

    with pytest.raises(ConfigurationError, match="the clone is shallow") as caught:
        read_source_tree(tmp_path / "shallow", RUNNER)
    git(tmp_path / "shallow", "fetch", "--quiet", "--unshallow", "--tags")

    assert "git fetch --unshallow --tags" in str(caught.value)
    assert version_in_copy(tmp_path / "shallow", tmp_path / "copy") == version_in(project)


def test_a_shallow_clone_of_a_tagged_commit_is_enough(tmp_path: Path, project: Path) -> None:
    git(project, "tag", "v1.2")
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--branch", "v1.2", project.as_uri(), "shallow")

    assert version_in_copy(tmp_path / "shallow", tmp_path / "copy") == "1.2"


def test_a_pipe_in_place_of_a_file_that_could_ask_for_tags_is_never_waited_for(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "app"\n')
    for name in ("setup.py", "setup.cfg"):
        os.mkfifo(project / name)

    assert read_source_tree(project, RUNNER).files


def test_changes_that_the_version_cannot_tell_are_known_by_name_but_for_locks(project: Path) -> None:
    (project / "pylock.toml").write_text("one")
    git(project, "add", "pylock.toml")
    commit(project, "two")
    before = uncommitted(read_source_tree(project, RUNNER), RUNNER)
    (project / "module.py").write_text("changed")
    (project / "pylock.toml").write_text("changed")

    assert before == ()
    assert uncommitted(read_source_tree(project, RUNNER), RUNNER) == ("module.py",)
