"""Ask git about a project: its files, and the version that its tags give."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from typing import TYPE_CHECKING

from venvpkg.errors import ConfigurationError
from venvpkg.host.command import Command
from venvpkg.host.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvpkg.host.command import Completed, Runner


# Tools that take the version from git tags, or from .git_archival.txt in an archive made by `git archive`.
_VERSION_FROM_GIT = re.compile(r"setuptools[-_.]scm|hatch[-_]vcs|flit[-_]scm|vcs-versioning|source\s*=\s*[\"']scm")
_DECLARED_IN = ("pyproject.toml", "setup.py", "setup.cfg")
_LARGEST_BYTES = 4 << 20
# Keys of setuptools-scm (also in hatch-vcs' raw-options) with the project's own `git describe` command.
_DESCRIBE_KEYS = frozenset({"git_describe_command", "describe_command"})
_ANY_TAG_WITH_A_DIGIT = "*[0-9]*"


def git_lists(directory: Path, runner: Runner, *which: str) -> tuple[str, ...] | None:
    """Return the names that ``git ls-files`` prints, relative to ``directory``; None outside a work tree."""
    done = _git(directory, runner, "ls-files", "-z", *which)
    if not done.ok:
        return None
    return tuple(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)


def changed_files(directory: Path, runner: Runner) -> tuple[str, ...]:
    """Return the tracked files of ``directory`` that differ from HEAD; empty outside a work tree."""
    done = _git(directory, runner, "diff", "--name-only", "--relative", "-z", "HEAD")
    return tuple(os.fsdecode(name) for name in done.stdout.split(b"\0") if name) if done.ok else ()


def read_archival(directory: Path, runner: Runner) -> str:
    """Return the text of ``.git_archival.txt`` in an archive of HEAD, for a project that takes its version from git.

    The build gets a copy of the project without its repository, which is not source and differs between clones. With
    this text, setuptools-scm finds the same version as in the repository: the nearest tag, or 0.0 if there is none,
    and the number of commits since then. The text cannot express that files differ from HEAD.

    Returns:
        The text; empty outside git. Also empty for a project with its version in a file: so its hash does not change
        with every commit.

    Raises:
        ConfigurationError: the clone is shallow and has no tag for the version.

    Source:
        setuptools-scm, "Git archives"; git-describe(1).
    """
    if not any(_takes_version_from_git(directory / name) for name in _DECLARED_IN):
        return ""
    node = _git(directory, runner, "rev-parse", "HEAD")
    if not node.ok:
        return ""
    lines = [f"node: {node.text.strip()}"]
    date = _git(directory, runner, "show", "--no-patch", "--format=%cI", "HEAD")
    if date.ok:
        lines.append(f"node-date: {date.text.strip()}")
    description = _describe_head(directory, runner, node.text.strip())
    if description:
        lines.append(f"describe-name: {description}")
    return "".join(f"{line}\n" for line in lines)


def _describe_head(directory: Path, runner: Runner, node: str) -> str:
    """Return ``v1.2-3-g0123…`` with the full hash of the commit; the length of a short one differs between clones."""
    match = _read_tag_pattern(directory / "pyproject.toml") or _ANY_TAG_WITH_A_DIGIT
    done = _git(directory, runner, "describe", "--tags", "--long", "--abbrev=40", "--match", match)
    if done.ok:
        return done.text.strip()
    if _git(directory, runner, "rev-parse", "--is-shallow-repository").text.strip() == "true":
        raise ConfigurationError(
            directory,
            ["its version comes from git tags, but the clone is shallow and none of its commits has a tag"],
            resolution="Run 'git fetch --unshallow --tags'; in CI, check out the full history.",
        )
    count = _git(directory, runner, "rev-list", "--count", "HEAD")
    return f"0.0-{count.text.strip()}-g{node}" if count.ok else ""


def _read_tag_pattern(path: Path) -> str:
    """Return the tag pattern of the project's own ``git describe`` command, which is never run; empty if none."""
    try:
        document = tomllib.loads(read_regular(path, _LARGEST_BYTES).decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return ""
    for value in _describe_commands(document.get("tool")):
        try:
            words = shlex.split(value) if isinstance(value, str) else [str(each) for each in value]
        except ValueError:
            continue
        for index, word in enumerate(words):
            if word == "--match" and index + 1 < len(words):
                return words[index + 1]
            if word.startswith("--match="):
                return word.removeprefix("--match=")
    return ""


def _describe_commands(table: object) -> Iterator[str | list[object]]:
    if not isinstance(table, dict):
        return
    for key, value in table.items():
        if key in _DESCRIBE_KEYS and isinstance(value, str | list):
            yield value
        else:
            yield from _describe_commands(value)


def _takes_version_from_git(path: Path) -> bool:
    try:
        content = read_regular(path, _LARGEST_BYTES)
        return len(content) <= _LARGEST_BYTES and _VERSION_FROM_GIT.search(content.decode("utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _git(directory: Path, runner: Runner, *arguments: str) -> Completed:
    # safe.directory: root may build another user's project. fsmonitor: a repository could set a program to run.
    git = ("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", str(directory))
    return runner.run(Command((*git, *arguments), timeout_s=300))
