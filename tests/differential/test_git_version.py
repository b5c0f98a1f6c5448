"""The version in the copy that is built is the one that tools find in the repository itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from differential.compiling import build, lacking, write_project
from differential.makers import git, repository
from venvpkg.errors import ConfigurationError
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_git, libraries_of
from venvpkg.sources.repository import Repositories
from venvpkg.sources.source_tree import copy_tree, read_source_tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

RUNNER = SubprocessRunner(os.environ)
SCM = '[build-system]\nrequires = ["setuptools-scm"]\n[project]\nname = "app"\ndynamic = ["version"]\n'
OWN_TAGS = (
    "[tool.setuptools_scm]\n"
    'git_describe_command = ["git", "describe", "--dirty", "--tags", "--long", "--abbrev=40", "--match", "app-v*"]\n'
)
# What tools ask git for: versioneer, versioningit, dunamai, pdm-backend, setuptools-git-versioning, pbr and others.
QUESTIONS = (
    ("describe", "--tags", "--dirty", "--always", "--long", "--match", "v*"),
    ("describe", "--tags", "--first-parent", "--long", "--match", "*.*"),
    ("log", "--simplify-by-decoration", "--topo-order", "--decorate=full", "HEAD", "--format=%H%d"),
    ("for-each-ref", "refs/tags/**", "--merged", "HEAD", "--format=%(refname) %(objectname) %(taggerdate)"),
    ("tag", "--merged", "HEAD", "--sort=-creatordate"),
    ("rev-list", "--count", "HEAD"),
    ("log", "--format=%h%d%n%B"),
    ("log", "-n", "1", "--format=%H %h %cI %an", "--", "module.py"),
    ("status", "--porcelain"),
    ("diff", "--name-only", "HEAD"),
    ("ls-files",),
    ("rev-parse", "--short", "HEAD"),
)


def version_in(directory: Path) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CEILING_DIRECTORIES": str(directory.parent),
        "SOURCE_DATE_EPOCH": "315532800",
    }
    argv = (sys.executable, "-m", "setuptools_scm")
    done = subprocess.run(argv, cwd=directory, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def copy_of(directory: Path, place: Path) -> Path:
    """Return the directory of a tree in a copy with its repository."""
    tree = read_source_tree(directory, RUNNER)
    assert tree.repository is not None
    copy_tree(tree, place / tree.repository.prefix, 315_532_800)
    Repositories(place.parent / "repositories", RUNNER).lay(tree, place)
    return place / tree.repository.prefix


def version_in_copy(directory: Path, copy: Path) -> str:
    return version_in(copy_of(directory, copy))


def commit(directory: Path, what: str) -> None:
    (directory / "module.py").write_text(what)
    git(directory, "commit", "--quiet", "--all", "--message", what)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "pyproject.toml").write_text(SCM + "[tool.setuptools_scm]\n")
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


@pytest.mark.parametrize("state", ["clean", "edited", "deleted", "new"])
def test_git_answers_in_the_copy_as_in_the_repository(tmp_path: Path, project: Path, state: str) -> None:
    git(project, "tag", "--annotate", "--message", "first", "v1.2")
    (project / "gone.py").touch()
    git(project, "add", "gone.py")
    commit(project, "two")
    git(project, "checkout", "--quiet", "--detach")
    git(project, "branch", "--quiet", "-D", "main")
    if state == "edited":
        (project / "module.py").write_text("edited")
    elif state == "deleted":
        (project / "gone.py").unlink()
    elif state == "new":
        (project / "new.py").touch()

    copy = copy_of(project, tmp_path / "copy")

    answers = {question: git(copy, *question) for question in QUESTIONS}
    assert answers == {question: git(project, *question) for question in QUESTIONS}


def test_files_that_a_build_does_not_get_are_no_change(tmp_path: Path, project: Path) -> None:
    for name in ("pylock.toml", "venvpkg.lock"):
        (project / name).write_text("one")
    git(project, "add", "--all")
    commit(project, "two")
    git(project, "tag", "v1.2")
    (project / "pylock.toml").write_text("changed")

    copy = copy_of(project, tmp_path / "copy")

    assert not (copy / "pylock.toml").exists()
    assert git(copy, "status", "--porcelain") == ""
    assert git(copy, "describe", "--tags", "--dirty") == git(project, "describe", "--tags")


def test_a_project_in_a_directory_of_a_repository_is_found_where_it_is(tmp_path: Path) -> None:
    top = tmp_path / "top"
    project = top / "packages" / "app"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(SCM + '[tool.setuptools_scm]\nroot = "../.."\n')
    (top / "other.py").write_text("other")
    repository(top)
    git(top, "tag", "v1.2")

    assert version_in_copy(project, tmp_path / "copy") == "1.2"
    (top / "other.py").write_text("changed")
    assert version_in_copy(project, tmp_path / "again").startswith("1.3.dev0+")


def test_two_clones_on_other_branches_and_with_other_tags_ahead_are_one_source(tmp_path: Path, project: Path) -> None:
    git(project, "tag", "v1.2")
    git(tmp_path, "clone", "--quiet", project.as_uri(), "clone")
    git(tmp_path / "clone", "checkout", "--quiet", "-b", "other")
    first = git(project, "rev-parse", "HEAD")
    commit(project, "two")
    git(project, "tag", "v1.3")
    git(project, "checkout", "--quiet", first)

    one, other = (read_source_tree(each, RUNNER) for each in (project, tmp_path / "clone"))

    assert one.sha256 == other.sha256


def test_a_tag_a_commit_and_a_change_each_make_another_source(project: Path) -> None:
    seen = [read_source_tree(project, RUNNER).sha256]
    for arguments in (("tag", "v1.2"), ("commit", "--quiet", "--allow-empty", "--message", "two")):
        git(project, *arguments)
        seen.append(read_source_tree(project, RUNNER).sha256)

    assert len(set(seen)) == len(seen)


def test_a_version_in_a_file_makes_commits_irrelevant(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1.0"\n')
    before = read_source_tree(project, RUNNER)
    git(project, "commit", "--quiet", "--allow-empty", "--message", "two")

    assert before.repository is None
    assert read_source_tree(project, RUNNER).sha256 == before.sha256


@pytest.mark.skipif(bool(lacking()), reason=lacking())
@pytest.mark.parametrize("brought", [False, True])
def test_a_build_finds_git_and_the_repository(tmp_path: Path, *, brought: bool) -> None:
    extra = """
import shutil
said = subprocess.run(["git", "describe", "--tags", "--dirty"], check=True, capture_output=True, text=True).stdout
assert said == "v1.2\\n", said
assert ("tool/bin" in shutil.which("git")) is BROUGHT, shutil.which("git")
""".replace("BROUGHT", str(brought))
    project = write_project(tmp_path / "project", extra=extra)
    repository(project)
    git(project, "tag", "v1.2")
    program = find_git()
    assert program is not None

    built = build(project, tmp_path / "place", git=(program, *libraries_of(program, RUNNER)) if brought else ())

    assert built.wheels[0].version == "1.0"


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
