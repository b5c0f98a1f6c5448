"""Check what a lock says about source that comes from no index. Pure but for a look whether a directory is there."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from venvpkg.lock.credentials import redacted
from venvpkg.model.lock import LockedCommit, LockedDirectory

if TYPE_CHECKING:
    from packaging.pylock import PackageDirectory, PackageVcs  # noqa: TID251

# git's object names under SHA-1 and SHA-256; a shorter one, a branch or a tag can mean something else tomorrow.
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# What git can be asked for without a helper program of its own: `ext::sh -c …` is an address, too.
_SCHEMES: Final = frozenset({"file", "git", "http", "https", "ssh"})


class OriginError(ValueError):
    """What is wrong with an entry, in a sentence without its place."""


def locked_directory(entry: PackageDirectory, base: Path) -> LockedDirectory | None:
    """Return the directory of an entry, or None when it is ``base``; never installed as editable, whatever it says.

    Args:
        entry: as the lock has it.
        base: absolute; where relative paths start.

    Raises:
        OriginError: no directory with Python source is there.
    """
    path = _below(base / entry.path, entry.subdirectory)
    try:
        resolved = path.resolve()
        found = any((resolved / name).is_file() for name in ("pyproject.toml", "setup.py"))
    except (OSError, ValueError, RuntimeError) as error:  # a NUL, a loop of links
        raise OriginError(f"{str(path)[:300]!r} is no path of a directory") from error
    if resolved == base.resolve():
        return None
    if not found:
        raise OriginError(f"no directory with a pyproject.toml or setup.py is at {str(path)[:300]!r}")
    return LockedDirectory(resolved)


def locked_commit(entry: PackageVcs, base: Path) -> LockedCommit:
    """Return the commit of an entry.

    Args:
        entry: as the lock has it.
        base: absolute; where the relative path of a repository starts.

    Raises:
        OriginError: it is not git, the commit is no full object name, or the address is none that git is asked for.
    """
    if entry.type != "git":
        raise OriginError(f"comes from {entry.type[:40]!r}; of version control systems, venvpkg knows git")
    if not _COMMIT.fullmatch(entry.commit_id):
        raise OriginError(f"{entry.commit_id[:80]!r} is no full commit id, so it can mean another one tomorrow")
    url = entry.url.removeprefix("git+") if entry.url is not None else ""
    if url:
        _check_url(url)
    elif entry.path is not None:
        url = str(base / entry.path)
    else:
        raise OriginError("has neither the URL nor the path of a repository")
    if not url.isprintable():
        raise OriginError("the address of its repository holds a character that no URL has")
    return LockedCommit(url, entry.commit_id, checked_subdirectory(entry.subdirectory))


def checked_subdirectory(subdirectory: str | None) -> str:
    """Return a subdirectory as it was given; empty for none, and for the top.

    Raises:
        OriginError: it leads outside.
    """
    _below(Path("/"), subdirectory)
    return "" if subdirectory is None or subdirectory == "." else subdirectory


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or (parts.scheme in {"http", "https"} and parts.username is not None)
    except ValueError as error:
        raise OriginError(f"{redacted(url)[:300]!r} is no URL") from error
    if parts.scheme not in _SCHEMES:
        raise OriginError(f"{redacted(url)[:300]!r} is not one of {', '.join(sorted(_SCHEMES))}")
    if secret:
        raise OriginError(
            f"{redacted(url)} holds a user or password; keep them out of the lock, in netrc or git's credential helper"
        )


def _below(directory: Path, subdirectory: str | None) -> Path:
    if not subdirectory:
        return directory
    path = PurePosixPath(subdirectory)
    if path.is_absolute() or ".." in path.parts or not subdirectory.isprintable():
        raise OriginError(f"{subdirectory[:200]!r} is no subdirectory")
    return directory / path
