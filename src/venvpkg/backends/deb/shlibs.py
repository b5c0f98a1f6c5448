"""Shlibs files: soname to relations, without regard to symbols. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from venvpkg.backends.deb.symbols import damaged, relations_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePosixPath

# The type ends in a colon and whitespace, so that a library may have a colon in its name.
_LINE = re.compile(r"(?:(?P<type>[^\s:]+):\s+)?(?P<library>\S+)\s+(?P<version>\S+)(?:\s+(?P<relations>.*\S))?\s*")
_SONAMES = (re.compile(r"(?P<library>.+)\.so\.(?P<version>.+)"), re.compile(r"(?P<library>.+)-(?P<version>\d.*)\.so"))


class ShlibsEntry(NamedTuple):
    """One line.

    Attributes:
        type: kind of package the line is for; empty for any.
        library: soname without its version.
        version: the soname's.
        relations: as they stand; empty when the library is always there.
    """

    type: str
    library: str
    version: str
    relations: tuple[str, ...]


def parse_shlibs(text: str, file: PurePosixPath) -> tuple[ShlibsEntry, ...]:
    """Return the lines of a shlibs file.

    Args:
        text: the file's content.
        file: what messages call it.

    Raises:
        PackageDatabaseError: lines are not what the format asks for; the error lists all of them.

    Source:
        deb-shlibs(5).
    """
    entries, problems = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            problems.append(f"{file}:{number}: no library with its version: {line[:200]!r}")
            continue
        entries.append(
            ShlibsEntry(match["type"] or "", match["library"], match["version"], relations_of(match["relations"] or ""))
        )
    if problems:
        raise damaged(problems)
    return tuple(entries)


def relations_for(soname: str, entries: Iterable[ShlibsEntry]) -> tuple[str, ...] | None:
    """Return what a shlibs file asks for; None when it does not know the soname. A line for deb wins over one for any.

    A soname without a version (a private library) is never known.
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
