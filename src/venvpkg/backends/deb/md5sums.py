"""The md5sums file of a binary package. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.deb.conffiles import conffiles
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.staged import PayloadPath


def md5sums(paths: Iterable[PayloadPath]) -> bytes:
    """Return one line for each regular file but conffiles, sorted by path; ``dpkg --verify`` compares with them.

    Source:
        deb-md5sums(5).
    """
    paths = tuple(paths)
    left_out = set(conffiles(paths))  # dpkg keeps their sums itself, and the administrator may change them
    lines = (
        f"{each.md5}  {str(each.path).removeprefix('/')}\n"
        for each in sorted(paths, key=lambda each: str(each.path))
        if each.kind is PathKind.FILE and each not in left_out
    )
    return "".join(lines).encode()
