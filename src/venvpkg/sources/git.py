"""Ask git about a directory, without letting the repository run anything."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from venvpkg.host.command import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.host.command import Completed, Runner


def git(
    directory: Path, runner: Runner, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
) -> Completed:
    """Run git in ``directory``."""
    # safe.directory: root may build another user's project. fsmonitor: a repository may name a program there.
    command = ("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", str(directory), *arguments)
    return runner.run(Command(command, stdin=stdin, env=env or {}, timeout_s=300))


def git_lists(
    directory: Path, runner: Runner, *which: str, env: Mapping[str, str] | None = None
) -> tuple[str, ...] | None:
    """Return the names that ``git ls-files`` lists, relative to ``directory``; None outside a work tree."""
    done = git(directory, runner, "ls-files", "-z", *which, env=env)
    return names_in(done) if done.ok else None


def changed_files(directory: Path, runner: Runner) -> tuple[str, ...]:
    """Return the tracked files of the repository around ``directory`` that differ from HEAD, relative to its top."""
    done = git(directory, runner, "diff", "--name-only", "--no-relative", "--no-ext-diff", "-z", "HEAD")
    return names_in(done) if done.ok else ()


def names_in(done: Completed) -> tuple[str, ...]:
    """Return the names that git printed with ``-z``."""
    return tuple(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)
