"""A Debian suite on the mirrors of this machine: what packages it has, what they need, their files.

apt does the fetching, from a directory of its own with the machine's own settings and keys; the machine's apt never
learns of the suite.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from acceptance.cleanroot import codename, debian_sources, read_sources
from rpmworld.tools import RpmWorldError, output

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rpmworld.tables import Tables

LISTS_LAST_S = 24 * 3600
_APT_HELPER = "/usr/lib/apt/apt-helper"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to meet a dependency."""

    name: str
    restriction: str = ""


@dataclass(frozen=True, slots=True)
class Deb:
    """A Debian package, as the suite's index describes it."""

    name: str
    version: str
    architecture: str
    sha256: str
    size_bytes: int
    summary: str
    homepage: str
    is_essential: bool
    depends: tuple[tuple[Alternative, ...], ...]

    @property
    def file_name(self) -> str:
        """What ``apt-get download`` calls its file."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"


@dataclass(frozen=True)
class Archive:
    """The packages of one suite.

    Attributes:
        suite: its name.
        directory: apt's files and the fetched packages.
        stanzas: package name to what the index says; parsed when asked for.
        providers: virtual package name to those that provide it.
    """

    suite: str
    directory: Path
    stanzas: Mapping[str, str]
    providers: Mapping[str, tuple[str, ...]]
    _parsed: dict[str, Deb] = field(default_factory=dict)

    @classmethod
    def of(cls, suite: str, directory: Path) -> Self:
        """Return a suite's archive; its index is fetched if the one in ``directory`` is older than a day.

        Raises:
            RpmWorldError: the machine has no Debian source, or the suite cannot be fetched.
        """
        apt = _Apt(directory)
        apt.prepare(suite)
        stanzas: dict[str, str] = {}
        providers: dict[str, list[str]] = {}
        for name, stanza in apt.stanzas():
            stanzas[name] = stanza
            if (provides := re.search(r"^Provides: (.*)$", stanza, re.MULTILINE)) is not None:
                for virtual in provides[1].split(","):
                    providers.setdefault(virtual.strip().partition(" ")[0], []).append(name)
        return cls(suite, directory, stanzas, {name: tuple(each) for name, each in providers.items()})

    def find(self, name: str) -> Deb | None:
        """Return the package of that name, or None."""
        if name not in self._parsed:
            if name not in self.stanzas:
                return None
            self._parsed[name] = parse_stanza(self.stanzas[name])
        return self._parsed[name]

    def closure(self, seeds: Iterable[str], tables: Tables) -> tuple[Deb, ...]:
        """Return the seeds and what they depend on, without the ignored ones, by name.

        Nothing is solved: within one suite, the first alternative that exists is good enough.

        Raises:
            RpmWorldError: the suite lacks seeds that are not optional.
        """
        chosen: dict[str, Deb] = {}
        lacking: list[str] = []
        todo = list(seeds)
        while todo:
            wanted = todo.pop()
            name = tables.real(wanted.removesuffix("?"))
            if name in chosen or tables.is_ignored(name):
                continue
            deb = self.find(name)
            if deb is not None:
                chosen[name] = deb
                todo += [pick for group in deb.depends if (pick := self._pick(group, chosen, tables)) is not None]
                continue
            real = [each for each in self.providers.get(name, ()) if not tables.is_ignored(each)]
            if real and chosen.keys().isdisjoint(real):
                todo.append(real[0])
            elif not real and not wanted.endswith("?"):
                lacking.append(name)
        if lacking:
            raise RpmWorldError(f"{self.suite} has no {', '.join(sorted(lacking))}")
        return tuple(chosen[name] for name in sorted(chosen))

    def _pick(self, group: tuple[Alternative, ...], chosen: Mapping[str, Deb], tables: Tables) -> str | None:
        names = [tables.real(each.name) for each in group]
        if any(name in chosen or tables.is_ignored(name) for name in names):
            return None
        real = [name for name in names if name in self.stanzas]
        return next(iter([*real, *(f"{name}?" for name in names if name in self.providers)]), None)

    def fetched(self, debs: Sequence[Deb]) -> Mapping[str, Path]:
        """Return the file of each package by its name, fetched now or before; apt has checked their hashes."""
        return _Apt(self.directory).fetched(debs)


def parse_stanza(stanza: str) -> Deb:
    """Return the package that a stanza of a Packages file describes. Source: deb-control(5)."""
    fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", stanza, re.MULTILINE))
    groups = ",".join(fields[name] for name in ("Pre-Depends", "Depends") if name in fields).split(",")
    parsed = (tuple(_alternatives(group)) for group in groups)
    return Deb(
        fields["Package"],
        fields["Version"],
        fields["Architecture"],
        fields["SHA256"],
        int(fields["Size"]),
        fields.get("Description", ""),
        fields.get("Homepage", ""),
        fields.get("Essential") == "yes",
        tuple(group for group in parsed if group),
    )


def _alternatives(group: str) -> Iterator[Alternative]:
    for each in group.split("|"):
        match = re.match(r"\s*([^\s(:]+)(?::\w+)?(?:\s*\(([^)]*)\))?", each)
        if match is not None:
            yield Alternative(match[1], match[2] or "")


@dataclass(frozen=True, slots=True)
class _Apt:
    directory: Path

    @property
    def _options(self) -> list[str]:
        settings = {
            "Dir::State": self.directory,
            "Dir::State::lists": self.directory / "lists",
            "Dir::State::status": self.directory / "status",
            "Dir::Cache": self.directory,
            "Dir::Etc::SourceList": self.directory / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def prepare(self, suite: str) -> None:
        """Have the suite's lists, no older than a day, from the sources that this machine has for its own release."""
        ours = [source for source in debian_sources(read_sources(), codename()) if source.suite == codename()]
        if not ours:
            raise RpmWorldError("no source under /etc/apt is Debian's own for this release")
        for name in ("lists/partial", "archives/partial", "debs"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        (self.directory / "status").touch()
        lines = "".join(f"{replace(source, suite=suite, components=('main',))}\n" for source in ours)
        sources, updated = self.directory / "sources.list", self.directory / "updated"
        is_same = sources.is_file() and sources.read_text() == lines
        if is_same and updated.is_file() and time.time() - updated.stat().st_mtime < LISTS_LAST_S:
            return
        updated.unlink(missing_ok=True)
        sources.write_text(lines)
        output("apt-get", *self._options, "update", "--error-on=any")
        updated.touch()

    def stanzas(self) -> Iterator[tuple[str, str]]:
        """Return name and stanza of each package in the lists."""
        query = ("indextargets", "--format", "$(FILENAME)", "Created-By: Packages")
        for file in output("apt-get", *self._options, *query).splitlines():
            for stanza in output(_APT_HELPER, *self._options, "cat-file", file).split("\n\n"):
                if stanza.startswith("Package: "):
                    yield stanza[len("Package: ") : stanza.index("\n")], stanza

    def fetched(self, debs: Sequence[Deb]) -> Mapping[str, Path]:
        paths = {deb.name: self.directory / "debs" / deb.file_name for deb in debs}
        missing = [
            deb for deb in debs if not (paths[deb.name].is_file() and paths[deb.name].stat().st_size == deb.size_bytes)
        ]
        if missing:
            wanted = [f"{deb.name}={deb.version}" for deb in missing]
            output("apt-get", *self._options, "download", "--quiet", *wanted, at=self.directory / "debs")
        return paths
