"""Find the files of a directory that belong to the project, and hash them."""

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
from venvpkg.sources.git import git_lists
from venvpkg.sources.repository import read_repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.host.command import Runner
    from venvpkg.model.wheels import Repository


# Always excluded, whatever version control says: its own store, caches, and files that tools leave behind.
_NEVER = frozenset({
    ".bzr", ".eggs", ".git", ".hg", ".hypothesis", ".jj", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".svn",
    ".tox", "__pycache__", "_darcs", "node_modules",
})  # fmt: skip
# Excluded at the top only: deeper, they can be packages of the project.
_NEVER_AT_TOP = frozenset({"build", "dist"})
# venvpkg's own files next to the project and its outputs; they do not affect the project's wheel.
_OURS_AT_TOP = ("pylock*.toml", "venvpkg*.lock", "venvpkg*.toml", "*.build.json")
_EXECUTABLE = 0o111
_SHOWN = 20


Entry = tuple[bytes, str]


def read_source_tree(directory: Path, runner: Runner, leave_out: Iterable[Path] = ()) -> SourceTree:
    """Return the project's files and their hash.

    In a git work tree these are the tracked files, and the untracked ones that are neither ignored nor left by tools.
    Elsewhere it is everything except version control, caches, virtual environments and build results.

    Args:
        directory: the project's directory.
        runner: runs git.
        leave_out: absolute directories inside it that are not source, such as the output directory.

    Raises:
        ConfigurationError: a link leaves the tree, or an entry is not a file, directory or link.
    """
    directory = directory.absolute()
    outside = {_relative(directory, path) for path in leave_out}
    try:
        names = _git_files(directory, runner) or tuple(_walk_files(directory, ""))
        files = tuple(sorted(name for name in set(names) if not _is_no_source(name, "", outside)))
        problems = tree_problems(directory, files)
        if not problems:
            repository = read_repository(directory, runner)
            if repository is not None:
                changed = tuple(
                    name for name in repository.changed if not _is_no_source(name, repository.prefix, outside)
                )
                repository = replace(repository, changed=changed)
            entries = tuple(_kind_and_sha256(directory / name) for name in files)
            return SourceTree(directory, files, _tree_sha256(files, entries, repository), entries, repository)
    except OSError as error:
        problems = (f"cannot be read: {error}",)
    raise ConfigurationError(
        directory, problems, resolution="Fix them, or list them in .gitignore to exclude them from the source."
    )


def _tree_sha256(files: Iterable[str], entries: Iterable[Entry], repository: Repository | None) -> str:
    """Return the sha256 over names, kinds (file, executable, link) and contents; for a link, its text."""
    digest = hashlib.sha256(repository.identity.encode() if repository else b"")
    for name, (kind, content) in zip(files, entries, strict=True):
        digest.update(b"%s\0%s\0%s\n" % (os.fsencode(name), kind, content.encode()))
    return digest.hexdigest()


def _file_sha256(directory: Path, name: str) -> str:
    return _sha256_of_entry(_kind_and_sha256(directory / name))


def _sha256_of_entry(entry: Entry) -> str:
    kind, content = entry
    return hashlib.sha256(b"%s\0%s\n" % (kind, content.encode())).hexdigest()


def _kind_and_sha256(path: Path) -> Entry:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return b"link", hashlib.sha256(os.fsencode(_read_link(path))).hexdigest()
    return b"executable" if status.st_mode & _EXECUTABLE else b"file", sha256_of(path)


def with_prepared(tree: SourceTree, directory: Path, names: Iterable[str]) -> SourceTree:
    """Return the tree overlaid with files from another directory.

    Args:
        tree: tree without prepared files.
        directory: absolute directory with outputs of prepare commands.
        names: files in it, relative to it.

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
    """Copy the tree's files, with modes 0644 and 0755 and one time, into the new directory ``destination``.

    Raises:
        CompileError: the files have changed since they were hashed.
    """
    destination.mkdir(parents=True)
    copies = [
        (tree.directory, name, _sha256_of_entry(entry)) for name, entry in zip(tree.files, tree.entries, strict=True)
    ]
    if tree.prepared is not None:
        copies += [(tree.prepared.directory, *each) for each in tree.prepared.files]
    changed: list[str] = []
    for directory, name, sha256 in copies:
        try:
            copy_file(directory, name, destination, time)
            is_same = _file_sha256(destination, name) == sha256
        except FileNotFoundError:
            is_same = False
        if not is_same:
            changed.append(name)
    if changed:
        raise CompileError(
            f"{tree.directory}: the project's files changed during the build.",
            details="\n".join(f"  {name}" for name in changed[:_SHOWN])
            + (f"\n  and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""),
            resolution="Build again when nothing writes there; move files that are not source, or list them in"
            " .gitignore.",
        )


def copy_file(directory: Path, name: str, destination: Path, time: int) -> None:
    """Copy a file or link, with mode 0644 or 0755 and that time, and replace an existing one."""
    source, copy = directory / name, destination / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    if source.is_symlink():
        os.symlink(_read_link(source), copy)  # noqa: PTH211 -- the same text
        return
    shutil.copyfile(source, copy)
    copy.chmod(0o755 if source.stat().st_mode & _EXECUTABLE else 0o644)
    os.utime(copy, (time, time))


def _git_files(directory: Path, runner: Runner) -> tuple[str, ...]:
    """Return the files that git tracks or would add; empty outside a work tree, or if git ignores the directory."""
    tracked = git_lists(directory, runner, "--cached")
    if tracked is None:
        return ()
    found: list[str] = []
    for name in tracked:
        path = directory / name
        if path.is_dir() and not path.is_symlink():  # a submodule
            found += (f"{name}/{each}" for each in _git_files(path, runner))
        elif os.path.lexists(path):  # otherwise deleted, but still in git's index
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


def _walk_files(directory: Path, below: str) -> Iterator[str]:
    with os.scandir(directory / below) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = f"{below}{entry.name}"
            if entry.name in _NEVER or entry.name.endswith((".egg-info", ".pyc")):
                continue
            if entry.is_dir(follow_symlinks=False):
                at_top = not below and entry.name in _NEVER_AT_TOP
                if not at_top and not (directory / name / "pyvenv.cfg").is_file():
                    yield from _walk_files(directory, f"{name}/")
            else:
                yield name


def _is_ours(name: str) -> bool:
    if name.startswith("dist/"):
        return True
    patterns = (*_OURS_AT_TOP, *(f"*{family.suffix}" for family in FAMILIES.values()))
    return "/" not in name and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _is_no_source(name: str, prefix: str, outside: set[str]) -> bool:
    """Whether a file of the repository affects neither a build of the tree at ``prefix`` nor its version.

    Locks are written before a build, so they do not count as changes anywhere in the repository.
    """
    if prefix and not name.startswith(f"{prefix}/"):
        return _is_ours(name.rpartition("/")[2])
    name = name[len(prefix) :].removeprefix("/")
    return _is_ours(name) or _is_below_any(name, outside)


def _relative(directory: Path, path: Path) -> str:
    path = path.absolute()
    return str(path.relative_to(directory)) if path.is_relative_to(directory) and path != directory else ""


def _is_below_any(name: str, directories: set[str]) -> bool:
    return any(each and (name == each or name.startswith(f"{each}/")) for each in directories)


def _read_link(path: Path) -> str:
    """Return a link's text unchanged; pathlib would drop a ``./``."""
    return os.readlink(path)  # noqa: PTH115


def tree_problems(directory: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Return a message for each file that a source must not have: links that leave the directory, devices, pipes."""
    return tuple(_find_tree_problems(directory, files))


def _find_tree_problems(directory: Path, files: Iterable[str]) -> Iterator[str]:
    root = Path(os.path.realpath(directory))
    for name in files:
        path = directory / name
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            text = _read_link(path)
            if text.startswith("/") or not Path(os.path.realpath(path)).is_relative_to(root):
                yield f"{name!r} is a link that leaves the project: {text!r}"
        elif not stat.S_ISREG(mode):
            yield f"{name!r} is not a file, directory or link"
