"""The Installed-Size of a payload. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.staged import PayloadPath


def installed_size(paths: Iterable[PayloadPath]) -> int:
    """Return the Installed-Size field value, in KiB (1024 bytes); 0 for an empty tree.

    Policy asks for an estimate. This is dpkg-gencontrol's: each file and link rounded up to whole KiB, 1 KiB for
    anything else. Over thousands of small modules it is much nearer to what a disk uses than their plain sum.

    Source:
        Debian Policy 5.6.20; deb-substvars(5), Installed-Size.
    """
    return sum(1 if each.kind is PathKind.DIRECTORY else -(-each.size_bytes // 1024) for each in paths)
