"""Filesystem trees seen as the target will see them: symbolic links never lead out of them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


# As many as the kernel follows (path_resolution(7)).
MOST_LINKS = 40


class ResolvedPath(NamedTuple):
    """A file or directory that exists.

    Attributes:
        path: absolute on the target, without links and dots.
        layer: index of the tree that has it.
        is_file: whether it is a regular file.
    """

    path: str
    layer: int
    is_file: bool


class LayeredRoot:
    """One or more directories of this machine laid over each other and taken for ``/``; the first one is on top.

    A payload over the target's root shows what will be there after installation: a payload's link to
    ``/usr/lib/libfoo.so.1`` leads into the target, a target's ``/lib`` link to ``usr/lib`` leads to files of either.
    Absolute links start again at the top, so that a link in a chroot never reaches a file of this machine. Answers are
    remembered: the trees must not change meanwhile. Paths are ``str`` because there are very many of them.
    """

    def __init__(self, *roots: Path) -> None:
        self._roots = tuple(os.fspath(root).rstrip("/") for root in roots)
        self._seen: dict[str, tuple[int, int, str] | None] = {}
        self._places: dict[str, ResolvedPath | None] = {}

    def find(self, path: str) -> ResolvedPath | None:
        """Return where ``path`` leads; None when nothing is there, or links go round in circles."""
        if path not in self._places:
            self._places[path] = self._walk(path)
        return self._places[path]

    def on_host(self, place: ResolvedPath) -> str:
        """Return where a place is on this machine."""
        return self._roots[place.layer] + place.path

    def _walk(self, path: str) -> ResolvedPath | None:
        pending = path.split("/")[::-1]
        above: list[str] = []
        layer, mode, links = 0, stat.S_IFDIR, 0
        while pending:
            part = pending.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                del above[-1:]
                mode = stat.S_IFDIR
                continue
            status = self._status("/".join(("", *above, part))) if stat.S_ISDIR(mode) else None
            if status is None:
                return None
            layer, mode, link = status
            if stat.S_ISLNK(mode):
                links += 1
                if links > MOST_LINKS:
                    return None
                if link.startswith("/"):
                    above.clear()
                pending.extend(link.split("/")[::-1])
                mode = stat.S_IFDIR
            else:
                above.append(part)
        return ResolvedPath("/" + "/".join(above), layer, stat.S_ISREG(mode))

    def _status(self, path: str) -> tuple[int, int, str] | None:
        """Return layer, mode and link target of the topmost entry at ``path``, whose parents are no links."""
        if path not in self._seen:
            self._seen[path] = self._read_status(path)
        return self._seen[path]

    def _read_status(self, path: str) -> tuple[int, int, str] | None:
        for layer, root in enumerate(self._roots):
            try:
                mode = os.lstat(root + path).st_mode
                return layer, mode, os.readlink(root + path) if stat.S_ISLNK(mode) else ""  # noqa: PTH115 (hot)
            except (OSError, ValueError):  # not there, not a directory, a name too long, a NUL in it
                continue
        return None
