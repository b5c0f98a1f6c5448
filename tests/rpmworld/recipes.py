"""What each rpm package is made of, before anything is unpacked. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rpmworld.tables import Addition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rpmworld.archive import Deb
    from rpmworld.tables import Tables

# rpm packages of this world, told from others by the end of their release.
RELEASE_SUFFIX = ".rw"
_SUMMARY_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Text:
    """A file that we write ourselves.

    Attributes:
        content: its text.
        mode: its permissions.
        directive: what %files says before its path, such as ``%config(noreplace)``.
    """

    content: str
    mode: int = 0o644
    directive: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that a package has; its group is called as its owner."""

    mode: int = 0o755
    owner: str = "root"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One rpm package, or several that are split from one tree.

    Attributes:
        debs: the Debian packages whose files it gets; none for a package of our own.
        texts, links, directories: further payload by path without leading slash.
        addition: what the tables add.
        owns_shared: this package owns the directories that every system has.
    """

    name: str
    version: str
    release: str
    summary: str
    url: str = ""
    is_noarch: bool = False
    debs: tuple[Deb, ...] = ()
    texts: Mapping[str, Text] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    directories: Mapping[str, Directory] = field(default_factory=dict)
    addition: Addition = field(default_factory=lambda: Addition({}, {}))
    owns_shared: bool = False

    @property
    def evr(self) -> str:
        """What a relation to exactly this package says."""
        return f"{self.version}-{self.release}"

    @property
    def names(self) -> tuple[str, ...]:
        """The packages that come of it."""
        return (self.name, *(split.name for split in self.addition.splits))


def converted_recipes(debs: Iterable[Deb], tables: Tables, python: str) -> tuple[Recipe, ...]:
    """Return the recipes that the Debian packages become, by name."""
    groups: dict[str, list[Deb]] = {}
    for deb in debs:
        groups.setdefault(tables.rpm_name(deb.name), []).append(deb)
    leads = {
        name: next(deb for deb in members if deb.name == tables.lead(name, tuple(each.name for each in members)))
        for name, members in groups.items()
    }
    database = leads["postgresql-server"].version if "postgresql-server" in leads else "0"
    words = {"@PYTHON@": python, "@POSTGRESQL@": re.split(r"[.~+-]", database)[0]}
    return tuple(_converted(name, groups[name], leads[name], tables, words) for name in sorted(groups))


def _converted(name: str, members: list[Deb], lead: Deb, tables: Tables, words: Mapping[str, str]) -> Recipe:
    addition = tables.addition(name)
    version, release = native_version(lead.version)
    return Recipe(
        name,
        version,
        release,
        lead.summary.strip()[:_SUMMARY_CHARACTERS] or name,
        lead.homepage,
        all(deb.architecture == "all" for deb in members),
        tuple(members),
        links={_filled(path, words): _filled(target, words) for path, target in addition.links.items()},
        directories={_filled(path, words): Directory(owner=owner) for path, owner in addition.directories.items()},
        addition=addition,
    )


def native_version(version: str) -> tuple[str, str]:
    """Return Version and Release of a Debian version. The epoch is dropped: Fedora's packages have others, or none."""
    upstream, separator, revision = version.partition(":")[2 if ":" in version else 0].rpartition("-")
    if not separator:
        upstream, revision = revision, "0"
    return upstream.replace("-", "_"), revision.replace("-", "_") + RELEASE_SUFFIX


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text
