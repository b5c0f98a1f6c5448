"""Parse symbols and shlibs files of installed packages. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from venvpkg.errors import PackageDatabaseError
from venvpkg.families.deb.versions import version_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath


# A name may contain spaces (Debian bug 785344), a version may not. The symbol's version follows the last @.
_SYMBOL = re.compile(r" (?P<symbol>.*@[^ ]+) (?P<floor>[A-Za-z0-9][A-Za-z0-9.+:~-]*)(?: (?P<template>[0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class SonameSymbols:
    """The part of a symbols file about one soname.

    Attributes:
        templates: the main template and its alternatives, each split into relations.
        symbols: ``symbol@version`` → lowest version, and the number of its template.
    """

    templates: tuple[tuple[str, ...], ...]
    symbols: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def smallest(self) -> str | None:
        """Return the lowest version of any symbol of the main template: the floor if no symbol is used."""
        floors = {floor for floor, template in self.symbols.values() if template == 0}
        return min(floors, key=version_key, default=None)


def parse_symbols(text: str, file: PurePosixPath) -> Mapping[str, SonameSymbols]:
    """Return soname → its part of a symbols file.

    Args:
        text: content of the file.
        file: path of the file, for messages.

    Raises:
        PackageDatabaseError: lines are not valid; the error lists all of them.

    Source:
        deb-symbols(5).
    """
    found: dict[str, tuple[list[tuple[str, ...]], dict[str, tuple[str, int]]]] = {}
    templates: list[tuple[str, ...]] | None = None
    symbols: dict[str, tuple[str, int]] = {}
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip(" ").startswith("#"):  # #MISSING lines list symbols that were removed
            continue
        problem = None
        if line[0] in " |*":
            if templates is None:
                problem = "before any soname"
            elif line[0] == "|":
                templates.append(relations_of(line[1:]))
            elif line[0] == " ":
                problem = _add_symbol(line, symbols, len(templates))
        else:
            soname, _, template = line.partition(" ")
            templates, symbols = found.setdefault(soname, ([relations_of(template)], {}))
            problem = None if template.strip() else "without a package"
        if problem:
            problems.append(f"{file}:{number}: {problem}: {line[:200]!r}")
    if problems:
        raise database_error(problems)
    return {soname: SonameSymbols(tuple(templates), symbols) for soname, (templates, symbols) in found.items()}


def relations_of(text: str) -> tuple[str, ...]:
    """Return the relations of a template or a shlibs line, which are separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def database_error(problems: list[str]) -> PackageDatabaseError:
    """Return the error for invalid lines in files of the package database."""
    return PackageDatabaseError(
        "the target's package database is damaged.",
        details="\n".join(f"  {problem}" for problem in problems[:20]),
        resolution="Reinstall the packages that these files belong to.",
    )


def _add_symbol(line: str, symbols: dict[str, tuple[str, int]], templates: int) -> str | None:
    match = _SYMBOL.fullmatch(line)
    if match is None:
        return "not a symbol with its lowest version"
    template = int(match["template"] or 0)
    if template >= templates:
        return f"there is no template {template}"
    symbols[match["symbol"]] = (match["floor"], template)
    return None


# The type ends in a colon and whitespace, so that a library may have a colon in its name.
_LINE = re.compile(r"(?:(?P<type>[^\s:]+):\s+)?(?P<library>\S+)\s+(?P<version>\S+)(?:\s+(?P<relations>.*\S))?\s*")
_SONAMES = (re.compile(r"(?P<library>.+)\.so\.(?P<version>.+)"), re.compile(r"(?P<library>.+)-(?P<version>\d.*)\.so"))


class ShlibsEntry(NamedTuple):
    """A line of a shlibs file.

    Attributes:
        type: type of package that the line is for; empty for any.
        library: soname without its version.
        version: version of the soname.
        relations: relations as written; empty if the library is always installed.
    """

    type: str
    library: str
    version: str
    relations: tuple[str, ...]


def parse_shlibs(text: str, file: PurePosixPath) -> tuple[ShlibsEntry, ...]:
    """Return the entries of a shlibs file.

    Args:
        text: content of the file.
        file: path of the file, for messages.

    Raises:
        PackageDatabaseError: lines are not valid; the error lists all of them.

    Source:
        deb-shlibs(5).
    """
    entries, problems = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            problems.append(f"{file}:{number}: not a library with its version: {line[:200]!r}")
            continue
        entries.append(
            ShlibsEntry(match["type"] or "", match["library"], match["version"], relations_of(match["relations"] or ""))
        )
    if problems:
        raise database_error(problems)
    return tuple(entries)


def relations_for(soname: str, entries: Iterable[ShlibsEntry]) -> tuple[str, ...] | None:
    """Return the relations for a soname in a shlibs file, or None. An entry for deb takes precedence over one for any.

    A soname without a version (a private library) has no entry.
    """
    match = next((found for each in _SONAMES if (found := each.fullmatch(soname))), None)
    if match is None:
        return None
    fitting = [each for each in entries if (each.library, each.version) == (match["library"], match["version"])]
    for type_ in ("deb", ""):
        for each in fitting:
            if each.type == type_:
                return each.relations
    return None
