"""What git knows about a project: its files, and the version that is told by tags."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from venvpkg.host.runner import Command

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import Completed, Runner

# Tools that take the version from git's tags, and know the file that `git archive` leaves instead of a repository.
_VERSION_FROM_GIT = re.compile(r"setuptools[-_.]scm|hatch[-_]vcs|flit[-_]scm|vcs-versioning|source\s*=\s*[\"']scm")
_DECLARED_IN = ("pyproject.toml", "setup.py", "setup.cfg")
_LARGEST_BYTES = 4 << 20


def git_lists(directory: Path, runner: Runner, *which: str) -> tuple[str, ...] | None:
    """Return the names that ``git ls-files`` tells, relative to ``directory``; None outside a work tree."""
    done = _git(directory, runner, "ls-files", "-z", *which)
    if not done.ok:
        return None
    return tuple(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)


def read_archival(directory: Path, runner: Runner) -> str:
    """Return what ``.git_archival.txt`` would say in an archive of HEAD, for a project that asks git for its version.

    The build gets a copy of the project without its repository, which is neither source nor the same in two clones.
    Empty for projects that keep their version in a file, so that a commit alone changes nothing, and outside of git.

    Source:
        setuptools-scm, "Git archives"; git-describe(1).
    """
    if not any(_asks_git(directory / name) for name in _DECLARED_IN):
        return ""
    node = _git(directory, runner, "rev-parse", "HEAD")
    if not node.ok:
        return ""
    lines = [f"node: {node.text.strip()}"]
    date = _git(directory, runner, "show", "--no-patch", "--format=%cI", "HEAD")
    described = _git(directory, runner, "describe", "--tags", "--long", "--match", "*[0-9]*")
    for name, done in (("node-date", date), ("describe-name", described)):
        if done.ok:
            lines.append(f"{name}: {done.text.strip()}")
    return "".join(f"{line}\n" for line in lines)


def _asks_git(path: Path) -> bool:
    try:
        return path.stat().st_size <= _LARGEST_BYTES and _VERSION_FROM_GIT.search(path.read_text("utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _git(directory: Path, runner: Runner, *arguments: str) -> Completed:
    # safe.directory: root may well build the project of another user. fsmonitor: a program that a repository names.
    git = ("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", str(directory))
    return runner.run(Command((*git, *arguments), timeout_s=300))
