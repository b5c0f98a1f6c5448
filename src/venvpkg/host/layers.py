"""Look up paths in filesystem trees as the target will see them; symbolic links never lead out of the trees."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


# Maximum number of links that the kernel follows (path_resolution(7)).
MOST_LINKS = 40


class ResolvedPath(NamedTuple):
    """The resolved path of an existing file or directory.

    Attributes:
        path: absolute path on the target, without links and dots.
        layer: index of the tree that contains it.
        is_file: whether it is a regular file.
    """

    path: str
    layer: int
    is_file: bool


class LayeredRoot:
    """An overlay of one or more directories of this machine that represents ``/``; the first directory is on top.

    A payload over the target's root represents the state after installation: a link in the payload to
    ``/usr/lib/libfoo.so.1`` leads into the target, and the target's ``/lib`` link to ``usr/lib`` leads to files of
    both. Absolute links start at the top of the overlay, so that a link in a chroot never leads to a file of this
    machine. Results are cached: the trees must not change. Paths are ``str`` because there are very many of them.
    """

    def __init__(self, *roots: Path) -> None:
        self._roots = tuple(os.fspath(root).rstrip("/") for root in roots)
        self._statuses: dict[str, tuple[int, int, str] | None] = {}
        self._resolved: dict[str, ResolvedPath | None] = {}

    def find(self, path: str) -> ResolvedPath | None:
        """Return the file or directory that ``path`` leads to; None if it does not exist or links form a loop."""
        if path not in self._resolved:
            self._resolved[path] = self._resolve(path)
        return self._resolved[path]

    def on_host(self, resolved: ResolvedPath) -> str:
        """Return the path of a file or directory on this machine."""
        return self._roots[resolved.layer] + resolved.path

    def _resolve(self, path: str) -> ResolvedPath | None:
        pending = path.split("/")[::-1]
        parents: list[str] = []
        layer, mode, links = 0, stat.S_IFDIR, 0
        while pending:
            part = pending.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                del parents[-1:]
                mode = stat.S_IFDIR
                continue
            status = self._status("/".join(("", *parents, part))) if stat.S_ISDIR(mode) else None
            if status is None:
                return None
            layer, mode, link = status
            if stat.S_ISLNK(mode):
                links += 1
                if links > MOST_LINKS:
                    return None
                if link.startswith("/"):
                    parents.clear()
                pending.extend(link.split("/")[::-1])
                mode = stat.S_IFDIR
            else:
                parents.append(part)
        return ResolvedPath("/" + "/".join(parents), layer, stat.S_ISREG(mode))

    def _status(self, path: str) -> tuple[int, int, str] | None:
        """Return layer, mode and link destination of the topmost entry at ``path``, whose parents are not links."""
        if path not in self._statuses:
            self._statuses[path] = self._read_status(path)
        return self._statuses[path]

    def _read_status(self, path: str) -> tuple[int, int, str] | None:
        for layer, root in enumerate(self._roots):
            try:
                mode = os.lstat(root + path).st_mode
                return layer, mode, os.readlink(root + path) if stat.S_ISLNK(mode) else ""  # noqa: PTH115 (hot)
            except (OSError, ValueError):  # does not exist, not a directory, name too long, NUL in the name
                continue
        return None
