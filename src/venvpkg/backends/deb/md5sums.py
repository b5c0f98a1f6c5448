"""The md5sums file of a binary package. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.staged import PayloadPath


def md5sums(paths: Iterable[PayloadPath]) -> bytes:
    """Return one line for each regular file, sorted by path; ``dpkg --verify`` compares with them.

    Source:
        deb-md5sums(5).
    """
    lines = (
        f"{each.md5}  {str(each.path).removeprefix('/')}\n"
        for each in sorted(paths, key=lambda each: str(each.path))
        if each.kind is PathKind.FILE
    )
    return "".join(lines).encode()
