"""The application's source is its files, not what tools leave beside them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from unit.fakes import ScriptedRunner, expect
from venvpkg.errors import CompileError, ConfigurationError
from venvpkg.host.command import Command, Completed
from venvpkg.sources.source_tree import copy_tree, read_source_tree

if TYPE_CHECKING:
    from pathlib import Path


def no_git() -> ScriptedRunner:
    return ScriptedRunner({expect("git", ...): Completed(128)})


def fill(directory: Path, *names: str) -> Path:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n")
    return directory


def git_knows(tracked: tuple[str, ...], others: tuple[str, ...] = ()) -> ScriptedRunner:
    def answer(command: Command) -> Completed:
        names = tracked if "--cached" in command.argv else others if "--others" in command.argv else None
        return Completed(128) if names is None else Completed(0, b"".join(f"{name}\0".encode() for name in names))

    return ScriptedRunner({expect("git", ...): answer})


def test_without_git_the_tree_is_walked_without_what_tools_leave(tmp_path: Path) -> None:
    fill(tmp_path, "pyproject.toml", "app/__init__.py", "app/build/x.py", "dist/app.whl", "build/lib/x.py", ".hg/x",
         "app/__pycache__/x.pyc", "app.egg-info/PKG-INFO", "web/node_modules/x.js", "env/pyvenv.cfg", "env/bin/python",
         "pylock.toml", "venvpkg.lock", "app_1.0_all.deb")  # fmt: skip

    tree = read_source_tree(tmp_path, no_git())

    assert tree.files == ("app/__init__.py", "app/build/x.py", "pyproject.toml")


def test_git_tells_the_files_without_those_that_are_deleted(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", "new.py", "ignored.py")

    tree = read_source_tree(tmp_path, git_knows(("app.py", "deleted.py"), ("new.py",)))

    assert tree.files == ("app.py", "new.py")


def test_what_tools_leave_is_no_source_where_gitignore_forgot_it(tmp_path: Path) -> None:
    names = (".venv/pyvenv.cfg", ".venv/lib/x.py", "build/lib/x.py", "__pycache__/a.pyc", "app.egg-info/PKG-INFO")
    fill(tmp_path, "app.py", *names)

    tree = read_source_tree(tmp_path, git_knows(("app.py",), (*names, "clone/")))

    assert tree.files == ("app.py",)


def test_a_tracked_build_directory_is_source(tmp_path: Path) -> None:
    fill(tmp_path, "build/tool.py")

    assert read_source_tree(tmp_path, git_knows(("build/tool.py",))).files == ("build/tool.py",)


def test_a_directory_that_git_ignores_as_a_whole_is_walked(tmp_path: Path) -> None:
    fill(tmp_path, "app.py")

    assert read_source_tree(tmp_path, git_knows(())).files == ("app.py",)


def test_where_packages_are_written_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", "out/app.changes")

    assert read_source_tree(tmp_path, no_git(), [tmp_path / "out"]).files == ("app.py",)


def test_the_lock_and_the_time_do_not_change_the_hash(tmp_path: Path) -> None:
    fill(tmp_path, "app.py")
    before = read_source_tree(tmp_path, no_git()).sha256

    fill(tmp_path, "pylock.debian.toml")
    os.utime(tmp_path / "app.py", (1, 1))

    assert read_source_tree(tmp_path, no_git()).sha256 == before


def test_content_name_executable_bit_and_link_text_change_the_hash(tmp_path: Path) -> None:
    fill(tmp_path, "app.py")
    (tmp_path / "link").symlink_to("app.py")
    hashes = [read_source_tree(tmp_path, no_git()).sha256]

    (tmp_path / "app.py").write_text("other")
    hashes.append(read_source_tree(tmp_path, no_git()).sha256)
    (tmp_path / "app.py").chmod(0o755)
    hashes.append(read_source_tree(tmp_path, no_git()).sha256)
    (tmp_path / "link").unlink()
    os.symlink("./app.py", tmp_path / "link")  # noqa: PTH211 -- pathlib drops the ./
    hashes.append(read_source_tree(tmp_path, no_git()).sha256)
    (tmp_path / "link").rename(tmp_path / "renamed")
    hashes.append(read_source_tree(tmp_path, no_git()).sha256)

    assert len(set(hashes)) == 5


@pytest.mark.parametrize("leads_to", ["/etc/passwd", "../outside", "app/../../outside"])
def test_a_link_that_leaves_the_project_is_refused_by_name(tmp_path: Path, leads_to: str) -> None:
    project = fill(tmp_path / "project", "app/x.py")
    (project / "bad").symlink_to(leads_to)

    with pytest.raises(ConfigurationError, match="'bad' is a link that leaves the project"):
        read_source_tree(project, no_git())


def test_a_pipe_is_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ConfigurationError, match="'pipe' is not a file, directory or link"):
        read_source_tree(tmp_path, no_git())


def test_a_copy_has_fixed_modes_and_time_and_keeps_links(tmp_path: Path) -> None:
    project = fill(tmp_path / "project", "app.py", "run.sh")
    (project / "app.py").chmod(0o600)
    (project / "run.sh").chmod(0o700)
    (project / "link").symlink_to("app.py")
    tree = read_source_tree(project, no_git())

    copy_tree(tree, tmp_path / "copy", 315_532_800)

    seen = {name: (tmp_path / "copy" / name).stat() for name in ("app.py", "run.sh")}
    assert {name: each.st_mode & 0o7777 for name, each in seen.items()} == {"app.py": 0o644, "run.sh": 0o755}
    assert {each.st_mtime for each in seen.values()} == {315_532_800}
    assert (tmp_path / "copy/link").is_symlink()


@pytest.mark.parametrize("change", ["edit", "remove"])
def test_a_tree_that_changes_while_it_is_built_is_an_error(tmp_path: Path, change: str) -> None:
    project = fill(tmp_path / "project", "app.py")
    tree = read_source_tree(project, no_git())
    if change == "edit":
        (project / "app.py").write_text("edited")
    else:
        (project / "app.py").unlink()

    with pytest.raises(CompileError, match="files changed during the build") as caught:
        copy_tree(tree, tmp_path / "copy", 0)
    assert caught.value.details == "  app.py"
    assert ".gitignore" in caught.value.resolution
