"""What the worlds hold and how it is named: contents.toml and names.toml as values."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Split:
    """A package that is split off another by path.

    Attributes:
        files: patterns of paths without leading slash.
        requires: rpm names; one with "?" only if it exists.
        takes_requires: what the whole requires besides its own table, this part requires.
    """

    name: str
    summary: str
    files: tuple[str, ...]
    requires: tuple[str, ...]
    takes_requires: bool = False

    def has(self, path: str) -> bool:
        """Whether a path of the whole belongs here."""
        return any(fnmatchcase(path, pattern) for pattern in self.files)


@dataclass(frozen=True, slots=True)
class Addition:
    """What an rpm package has besides its Debian members; directories are path to owner."""

    links: Mapping[str, str]
    directories: Mapping[str, str]
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    pre: str = ""
    triggers: str = ""
    splits: tuple[Split, ...] = ()


@dataclass(frozen=True)
class Tables:
    """Both files.

    Attributes:
        base, more, ignored, alias, dropped: as contents.toml explains them.
        members: rpm name to patterns of Debian names, in the order of names.toml.
        additions: by rpm name.
    """

    base: tuple[str, ...]
    more: tuple[str, ...]
    ignored: tuple[str, ...]
    alias: Mapping[str, str]
    dropped: re.Pattern[str]
    members: Mapping[str, tuple[str, ...]]
    additions: Mapping[str, Addition]

    @classmethod
    def read(cls, directory: Path = HERE) -> Self:
        """Return the tables of this directory."""
        contents = tomllib.loads((directory / "contents.toml").read_text())
        names = tomllib.loads((directory / "names.toml").read_text())
        return cls(
            tuple(contents["base"]),
            tuple(contents["more"]),
            tuple(contents["ignored"]),
            contents["alias"],
            re.compile("|".join(contents["dropped"])),
            {name: tuple(patterns) for name, patterns in names.items()},
            {name: _addition(table) for name, table in contents["package"].items()},
        )

    @cached_property
    def _exact(self) -> Mapping[str, str]:
        return {deb: name for name, debs in self.members.items() for deb in debs if not _is_pattern(deb)}

    @cached_property
    def _patterns(self) -> tuple[tuple[str, str], ...]:
        return tuple((deb, name) for name, debs in self.members.items() for deb in debs if _is_pattern(deb))

    def real(self, deb: str) -> str:
        """Return the Debian package that is taken for this one, most often itself."""
        return self.alias.get(deb, deb)

    def is_ignored(self, deb: str) -> bool:
        """Whether a Debian package never comes in."""
        return any(fnmatchcase(name, pattern) for name in {deb, _plain(deb)} for pattern in self.ignored)

    def rpm_name(self, deb: str) -> str:
        """Return the rpm package that a Debian package becomes or is merged into."""
        plain = _plain(deb)
        for name in (deb, plain):
            if name in self._exact:
                return self._exact[name]
        for pattern, name in self._patterns:
            if fnmatchcase(plain, pattern) and plain.endswith("-dev") == pattern.endswith("-dev"):
                return name
        return re.sub(r"-dev$", "-devel", plain)

    def lead(self, name: str, debs: tuple[str, ...]) -> str:
        """Return the one of the Debian packages whose version the rpm package gets."""
        for pattern in self.members.get(name, ()):
            for deb in debs:
                if fnmatchcase(_plain(deb), pattern):
                    return deb
        return debs[0]

    def addition(self, name: str) -> Addition:
        """Return what an rpm package has besides its members, most often nothing."""
        return self.additions.get(name, Addition({}, {}))


def _plain(deb: str) -> str:
    """Return the name that a library had before its time_t became 64 bits wide."""
    return re.sub(r"t64(?=$|-)", "", deb)


def _is_pattern(name: str) -> bool:
    return re.search(r"[*?\[]", name) is not None


def _addition(table: Mapping[str, Any]) -> Addition:
    return Addition(
        table.get("links", {}),
        table.get("directories", {}),
        tuple(table.get("provides", ())),
        tuple(table.get("requires", ())),
        pre=table.get("pre", ""),
        triggers=table.get("triggers", ""),
        splits=tuple(_split(each) for each in table.get("split", ())),
    )


def _split(table: Mapping[str, Any]) -> Split:
    return Split(
        table["name"],
        table["summary"],
        tuple(table["files"]),
        tuple(table["requires"]),
        takes_requires=table.get("takes-requires", False),
    )
