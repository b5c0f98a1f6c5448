"""The application's own source: which files of its directory are the project, and one hash over them."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import CompileError, ConfigurationError
from venvpkg.families.registry import FAMILIES
from venvpkg.host.files import sha256_of
from venvpkg.model.wheels import Prepared, SourceTree
from venvpkg.sources.git import changed_files, git_lists, read_archival

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.host.command import Runner


# What no version control is asked about: its own store, caches, and what tools leave behind.
_NEVER = frozenset({
    ".bzr", ".eggs", ".git", ".hg", ".hypothesis", ".jj", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".svn",
    ".tox", "__pycache__", "_darcs", "node_modules",
})  # fmt: skip
# At the top only: deeper, they can be packages of the project.
_NEVER_AT_TOP = frozenset({"build", "dist"})
# Files of ours beside the project, and what we make: they do not change its wheel.
_OURS_AT_TOP = ("pylock*.toml", "venvpkg*.lock", "venvpkg*.toml", "*.build.json")
_EXECUTABLE = 0o111
_ARCHIVAL = ".git_archival.txt"


def read_source_tree(directory: Path, runner: Runner, leave_out: Iterable[Path] = ()) -> SourceTree:
    """Return the project's files and their hash.

    In a git work tree they are what git tracks, and what it would add without those that tools leave behind; elsewhere
    everything but version control, caches, virtual environments and build results.

    Args:
        directory: of the project.
        runner: runs git.
        leave_out: absolute directories inside it that are no source, such as where packages are written.

    Raises:
        ConfigurationError: a link leaves the tree, or something is neither file, nor directory, nor link.
    """
    directory = directory.absolute()
    outside = {_relative(directory, path) for path in leave_out}
    try:
        names = _tracked_by_git(directory, runner) or tuple(_walked(directory, ""))
        files = tuple(sorted(name for name in set(names) if not _is_ours(name) and not _below(name, outside)))
        problems = tree_problems(directory, files)
        if not problems:
            archival = read_archival(directory, runner)
            return SourceTree(directory, files, _tree_sha256(directory, files, archival), archival)
    except OSError as error:
        problems = (f"cannot be read: {error}",)
    raise ConfigurationError(
        directory, problems, resolution="Correct them, or let .gitignore name them, so that they are no source."
    )


def _tree_sha256(directory: Path, files: Iterable[str], archival: str) -> str:
    """Return the sha256 over names, kinds (file, executable, link) and contents; of a link, what it says."""
    digest = hashlib.sha256(archival.encode())
    for name in files:
        kind, content = _kind_and_sha256(directory / name)
        digest.update(b"%s\0%s\0%s\n" % (os.fsencode(name), kind, content.encode()))
    return digest.hexdigest()


def _file_sha256(directory: Path, name: str) -> str:
    kind, content = _kind_and_sha256(directory / name)
    return hashlib.sha256(b"%s\0%s\n" % (kind, content.encode())).hexdigest()


def _kind_and_sha256(path: Path) -> tuple[bytes, str]:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return b"link", hashlib.sha256(os.fsencode(_link_text(path))).hexdigest()
    return b"executable" if status.st_mode & _EXECUTABLE else b"file", sha256_of(path)


def uncommitted(tree: SourceTree, runner: Runner) -> tuple[str, ...]:
    """Return the files that changed since the commit that tells the tree's version; empty where none tells it."""
    if not tree.archival:
        return ()
    return tuple(name for name in changed_files(tree.directory, runner) if not _is_ours(name))


def with_prepared(tree: SourceTree, directory: Path, names: Iterable[str]) -> SourceTree:
    """Return the tree with files of another directory laid over its own.

    Args:
        tree: without any.
        directory: absolute; holds what prepare commands made.
        names: files there, relative to it.

    Raises:
        OSError: one of them cannot be read.
    """
    files = tuple((name, _file_sha256(directory, name)) for name in sorted(names))
    digest = hashlib.sha256(f"{tree.sha256}\n".encode())
    for name, sha256 in files:
        digest.update(b"%s\0%s\n" % (os.fsencode(name), sha256.encode()))
    return replace(
        tree, sha256=digest.hexdigest(), prepared=Prepared(directory, files, made_from=tree.sha256), is_ready=True
    )


def copy_tree(tree: SourceTree, destination: Path, time: int) -> None:
    """Copy the tree's files, with modes 0644 and 0755 and one time, into ``destination``, which is made.

    Raises:
        CompileError: the files are no longer those that were hashed.
    """
    destination.mkdir(parents=True)
    prepared = tree.prepared
    try:
        for name in tree.files:
            copy_file(tree.directory, name, destination, time)
        own = prepared.made_from if prepared else tree.sha256
        same = _tree_sha256(destination, tree.files, tree.archival) == own
        if prepared is not None:
            for name, sha256 in prepared.files:
                copy_file(prepared.directory, name, destination, time)
                same &= _file_sha256(destination, name) == sha256
    except FileNotFoundError:
        same = False
    if not same:
        raise CompileError(
            f"{tree.directory}: the project's files changed while it was built.",
            resolution="Build again when nothing writes there.",
        )
    if tree.archival:
        archival = destination / _ARCHIVAL
        archival.unlink(missing_ok=True)
        archival.write_text(tree.archival, "utf-8")
        os.utime(archival, (time, time))


def copy_file(directory: Path, name: str, destination: Path, time: int) -> None:
    """Copy one file or link, with mode 0644 or 0755 and that time, in place of what is there."""
    source, copy = directory / name, destination / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    if source.is_symlink():
        os.symlink(_link_text(source), copy)  # noqa: PTH211 -- the same text
        return
    shutil.copyfile(source, copy)
    copy.chmod(0o755 if source.stat().st_mode & _EXECUTABLE else 0o644)
    os.utime(copy, (time, time))


def _tracked_by_git(directory: Path, runner: Runner) -> tuple[str, ...]:
    """Return what git knows or would add; empty outside a work tree, and where git ignores the whole directory."""
    tracked = git_lists(directory, runner, "--cached")
    if tracked is None:
        return ()
    found: list[str] = []
    for name in tracked:
        path = directory / name
        if path.is_dir() and not path.is_symlink():  # a submodule
            found += (f"{name}/{each}" for each in _tracked_by_git(path, runner))
        elif os.path.lexists(path):  # else deleted, but not yet from git's index
            found.append(name)
    untracked = git_lists(directory, runner, "--others", "--exclude-standard") or ()
    environments: dict[Path, bool] = {}
    # A name that ends with a slash is another repository inside this one.
    found += (name for name in untracked if not name.endswith("/") and not _is_litter(directory, name, environments))
    return tuple(found)


def _is_litter(directory: Path, name: str, environments: dict[Path, bool]) -> bool:
    path = PurePosixPath(name)
    if path.parts[0] in _NEVER_AT_TOP and len(path.parts) > 1:
        return True
    if path.suffix == ".pyc" or any(part in _NEVER or part.endswith(".egg-info") for part in path.parts):
        return True
    for parent in path.parents:
        place = directory / parent
        if place not in environments:
            environments[place] = place != directory and (place / "pyvenv.cfg").is_file()
        if environments[place]:
            return True
    return False


def _walked(directory: Path, below: str) -> Iterator[str]:
    with os.scandir(directory / below) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = f"{below}{entry.name}"
            if entry.name in _NEVER or entry.name.endswith((".egg-info", ".pyc")):
                continue
            if entry.is_dir(follow_symlinks=False):
                at_top = not below and entry.name in _NEVER_AT_TOP
                if not at_top and not (directory / name / "pyvenv.cfg").is_file():
                    yield from _walked(directory, f"{name}/")
            else:
                yield name


def _is_ours(name: str) -> bool:
    if name.startswith("dist/"):
        return True
    patterns = (*_OURS_AT_TOP, *(f"*{family.suffix}" for family in FAMILIES.values()))
    return "/" not in name and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _relative(directory: Path, path: Path) -> str:
    path = path.absolute()
    return str(path.relative_to(directory)) if path.is_relative_to(directory) and path != directory else ""


def _below(name: str, outside: set[str]) -> bool:
    return any(each and (name == each or name.startswith(f"{each}/")) for each in outside)


def _link_text(path: Path) -> str:
    """Return what the link says, to the letter; pathlib would drop a ``./``."""
    return os.readlink(path)  # noqa: PTH115


def tree_problems(directory: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Return what among these files cannot be built from: links that leave the directory, devices, pipes."""
    return tuple(_problems(directory, files))


def _problems(directory: Path, files: Iterable[str]) -> Iterator[str]:
    root = Path(os.path.realpath(directory))
    for name in files:
        path = directory / name
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            text = _link_text(path)
            if text.startswith("/") or not Path(os.path.realpath(path)).is_relative_to(root):
                yield f"{name!r} is a link that leaves the project: {text!r}"
        elif not stat.S_ISREG(mode):
            yield f"{name!r} is neither a file, nor a directory, nor a link"
