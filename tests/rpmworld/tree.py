"""Files laid out in a directory, and what a package says of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_DISTRIBUTION = re.compile(r".*site-packages/([^/]+?)-([^/-]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info")


class Kind(StrEnum):
    """What is at a path."""

    FILE = "file"
    LINK = "link"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of %files."""

    path: str
    kind: Kind
    mode: int
    user: str = "root"
    group: str = "root"
    directive: str = ""


@dataclass(slots=True)
class Tree:
    """A staged recipe.

    Attributes:
        directory: where its files are.
        entries: by path without leading slash.
        aliases: paths in /bin and /sbin by which its files are known too.
        needs, gives: capabilities, as rpm's own generator finds them in the ELF files.
    """

    directory: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    needs: frozenset[str] = frozenset()
    gives: frozenset[str] = frozenset()

    @property
    def distributions(self) -> dict[str, str]:
        """Python's distributions in it: normalised name to version."""
        found = (match for path in sorted(self.entries) if (match := _DISTRIBUTION.fullmatch(path)))
        return {re.sub(r"[-_.]+", "-", match[1]).lower(): match[2] for match in found}

    def add(self, entry: Entry) -> Path:
        """Return the path to make a new file or link at, after clearing it of an earlier one."""
        place = self.directory / entry.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        self.entries[entry.path] = entry
        return place

    def write(self, path: str, text: str, mode: int = 0o644, directive: str = "") -> None:
        """Add a file of our own."""
        place = self.add(Entry(path, Kind.FILE, mode, directive=directive))
        place.write_text(text)
        place.chmod(mode)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self.add(Entry(path, Kind.LINK, 0o777)).symlink_to(target)

    def make_directory(self, path: str, mode: int = 0o755, owner: str = "root") -> None:
        """Add a directory."""
        (self.directory / path).mkdir(parents=True, exist_ok=True)
        self.entries[path] = Entry(path, Kind.DIRECTORY, mode, owner, owner)

    def remove(self, path: str) -> None:
        """Take a file away again."""
        (self.directory / path).unlink()
        del self.entries[path]
