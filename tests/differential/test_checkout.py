"""Source at a commit, by the real git."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from differential.makers import git, repository
from unit.fakes import RecordingReporter
from venvpkg.errors import DownloadError
from venvpkg.host.runner import SubprocessRunner
from venvpkg.model.lock import LockedCommit
from venvpkg.sources.checkout import Checkouts
from venvpkg.sources.source_tree import read_source_tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    directory = tmp_path / "upstream"
    directory.mkdir()
    (directory / "pyproject.toml").write_text("[build-system]\nrequires = []\n")
    (directory / "module.py").write_bytes(b"one = 1\r\n")
    return directory


def checkouts(tmp_path: Path, reporter: RecordingReporter | None = None, *, offline: bool = False) -> Checkouts:
    runner = SubprocessRunner(os.environ | {"HOME": str(tmp_path)})
    return Checkouts(tmp_path / "store", runner, reporter or RecordingReporter(), {}, offline)


def test_a_commit_is_fetched_once_and_is_there_offline_afterwards(tmp_path: Path, upstream: Path) -> None:
    origin = LockedCommit(upstream.as_uri(), repository(upstream))
    reporter = RecordingReporter()

    first = checkouts(tmp_path, reporter).directory(origin)
    shutil.rmtree(upstream)
    second = checkouts(tmp_path, reporter, offline=True).directory(origin)

    assert first == second
    assert (first / "module.py").read_bytes() == b"one = 1\r\n"
    assert reporter.steps == [f"fetching {origin.url} at {origin.commit[:12]}"]
    assert [path.name for path in (tmp_path / "store").iterdir() if path.name not in {".lock", ".tmp"}] == [first.name]
    assert list((tmp_path / "store/.tmp").iterdir()) == []


def test_an_older_commit_and_one_on_no_branch_can_be_had(tmp_path: Path, upstream: Path) -> None:
    older = repository(upstream)
    (upstream / "module.py").write_text("two = 2\n")
    git(upstream, "commit", "--quiet", "--all", "--message", "second")
    git(upstream, "checkout", "--quiet", "--detach")
    (upstream / "module.py").write_text("three = 3\n")
    git(upstream, "commit", "--quiet", "--all", "--message", "on no branch")
    lonely = git(upstream, "rev-parse", "HEAD")
    git(upstream, "update-ref", "refs/pull/1/head", lonely)
    git(upstream, "checkout", "--quiet", "main")

    found = [
        (checkouts(tmp_path).directory(LockedCommit(upstream.as_uri(), commit)) / "module.py").read_text()
        for commit in (older, lonely)
    ]

    assert found == ["one = 1\n", "three = 3\n"]


def test_submodules_come_with_their_own_commits(tmp_path: Path, upstream: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "vendored.py").write_text("x = 1\n")
    repository(inner)
    repository(upstream)
    git(upstream, "submodule", "--quiet", "add", inner.as_uri(), "third/party")
    git(upstream, "commit", "--quiet", "--message", "with a submodule")
    origin = LockedCommit(upstream.as_uri(), git(upstream, "rev-parse", "HEAD"))

    directory = checkouts(tmp_path).directory(origin)
    tree = read_source_tree(directory, SubprocessRunner(os.environ))

    assert (directory / "third" / "party" / "vendored.py").read_text() == "x = 1\n"
    assert "third/party/vendored.py" in tree.files
    (directory / "third" / "party" / "vendored.py").write_text("x = 2\n")
    reporter = RecordingReporter()
    again = checkouts(tmp_path, reporter).directory(origin)
    assert (again / "third" / "party" / "vendored.py").read_text() == "x = 1\n"
    assert "was changed after it was stored" in reporter.warnings[0]


@pytest.mark.parametrize("damage", ["changed", "added", "removed", "ignored"])
def test_a_checkout_that_was_touched_is_fetched_again(tmp_path: Path, upstream: Path, damage: str) -> None:
    (upstream / ".gitignore").write_text("*.so\n")
    origin = LockedCommit(upstream.as_uri(), repository(upstream))
    directory = checkouts(tmp_path).directory(origin)
    match damage:
        case "changed":
            (directory / "module.py").write_text("evil\n")
        case "added":
            (directory / "more.py").write_text("evil\n")
        case "removed":
            (directory / "module.py").unlink()
        case _:
            (directory / "evil.so").write_text("evil\n")
    reporter = RecordingReporter()

    again = checkouts(tmp_path, reporter).directory(origin)

    assert len(reporter.warnings) == 1
    assert sorted(path.name for path in again.iterdir()) == [".git", ".gitignore", "module.py", "pyproject.toml"]
    assert (again / "module.py").read_bytes() == b"one = 1\r\n"


def test_no_hook_and_no_filter_of_the_user_or_the_repository_runs(tmp_path: Path, upstream: Path) -> None:
    marker = tmp_path / "ran"
    (upstream / ".gitattributes").write_text("*.py filter=evil text eol=lf\n")
    origin = LockedCommit(upstream.as_uri(), repository(upstream))
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (hooks / name).chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        f'[core]\nhooksPath = {hooks}\n[filter "evil"]\nsmudge = "touch {marker}; cat"\nclean = "touch {marker}; cat"\n'
    )

    directory = checkouts(tmp_path).directory(origin)

    assert not marker.exists()
    assert (directory / "module.py").read_bytes() == git_blob(upstream, "HEAD:module.py")


def git_blob(directory: Path, name: str) -> bytes:
    return (git(directory, "cat-file", "blob", name) + "\n").encode()


def test_a_commit_that_is_not_there_is_an_error_and_leaves_nothing(tmp_path: Path, upstream: Path) -> None:
    repository(upstream)

    with pytest.raises(DownloadError, match="0000000000 from file:"):
        checkouts(tmp_path).directory(LockedCommit(upstream.as_uri(), "0" * 40))
    with pytest.raises(DownloadError, match="--offline is set"):
        checkouts(tmp_path, offline=True).directory(LockedCommit(upstream.as_uri(), "1" * 40))

    assert [path for path in (tmp_path / "store").rglob("*") if path.name not in {".lock", ".tmp"}] == []


def test_files_in_lfs_are_refused_since_the_commit_does_not_hold_them(tmp_path: Path, upstream: Path) -> None:
    (upstream / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    origin = LockedCommit(upstream.as_uri(), repository(upstream))

    with pytest.raises(DownloadError, match="Git LFS"):
        checkouts(tmp_path).directory(origin)


def test_a_server_that_is_not_there_is_told_in_gits_words(tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        checkouts(tmp_path).directory(LockedCommit("http://127.0.0.1:1/x.git", "2" * 40))

    assert "git fetch: exit 128" in caught.value.details
    assert "127.0.0.1" in caught.value.details
