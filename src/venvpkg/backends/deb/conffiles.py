"""The conffiles of a binary package: every file that it ships in /etc. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.staged import PayloadPath

_ETC = PurePosixPath("/etc")


def conffiles(paths: Iterable[PayloadPath]) -> tuple[PayloadPath, ...]:
    """Return the files in whose changes dpkg keeps the administrator's, sorted by path.

    Source:
        Debian Policy 10.7.2, 10.7.3; deb-conffiles(5).
    """
    found = (each for each in paths if each.kind is PathKind.FILE and each.path.is_relative_to(_ETC))
    return tuple(sorted(found, key=lambda each: str(each.path)))
