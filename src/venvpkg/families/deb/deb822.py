"""Parse stanzas of fields strictly, as in control files and dpkg's status file. Pure.

Libraries for this are lenient: debian-inspector keeps an invalid line in an extra field, python-debian drops it. Here
it is an error: control files are read back to compare their fields, and a status file with such a line is damaged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.errors import AssembleError

if TYPE_CHECKING:
    from collections.abc import Mapping


# A name does not begin with # or -. A continuation line begins with white space and is not empty.
_FIELD: Final = re.compile(r"([!\"$-,.-9;-~][!-9;-~]*):[ \t]*(.*(?:\n[ \t]+[^ \t\n].*)*)")
_MOST_PROBLEMS: Final = 50


def parse_stanzas(text: str) -> tuple[list[dict[str, str]], list[str]]:
    """Return the stanzas of a text, and messages for its problems, in order.

    Names are in lower case. Folded values keep their line breaks and the white space at the start of continuation
    lines; white space around a value is removed. The first of duplicate fields counts.

    Source:
        Debian Policy 5.1; deb822(5).
    """
    stanzas: list[dict[str, str]] = []
    problems: list[str] = []
    fields: dict[str, str] = {}
    position, line = 0, 1
    while position < len(text):
        found = _FIELD.match(text, position)
        if found is not None:
            name, end = found[1].lower(), found.end()
            if name in fields:
                problems.append(f"line {line} repeats the field {name}")
            fields.setdefault(name, found[2].rstrip())
        elif text[position] == "\n":
            end = position
            stanzas += [fields] if fields else []
            fields = {}
        else:
            end = text.find("\n", position) % (len(text) + 1)  # -1: the last line has no newline
            problems.append(f"line {line} is not a field: {text[position : min(end, position + 60)]!r}")
        line += text.count("\n", position, end) + 1
        position = end + 1
    return [*stanzas, *([fields] if fields else [])], problems


def read_stanza(text: str) -> Mapping[str, str]:
    """Return the fields of the only stanza of ``text``; see ``parse_stanzas``.

    Raises:
        AssembleError: there is not exactly one stanza, a field is repeated, a line is not part of a field, or has
            another line break; the error lists all of these.
    """
    stanzas, problems = parse_stanzas(text)
    problems += [f"a line with another line break: {line!r}" for line in text.split("\n") if len(line.splitlines()) > 1]
    if len(stanzas) != 1:
        problems.insert(0, f"{len(stanzas)} stanzas instead of one")
    if problems:
        raise AssembleError(
            "the control file is malformed.", details="\n".join(f"  {each}" for each in problems[:_MOST_PROBLEMS])
        )
    return stanzas[0]


def require_same(expected: Mapping[str, str], text: str, where: str) -> None:
    """Check that ``text`` has exactly the expected fields.

    Raises:
        AssembleError: it does not; the error lists every difference.
    """
    found = read_stanza(text)
    wanted = {name.lower(): value for name, value in expected.items()}
    differences = [
        f"{name}: expected {wanted.get(name, 'no such field')!r}, found {found.get(name, 'no such field')!r}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]
    if differences:
        raise AssembleError(
            f"{where} does not have the expected fields.", details="\n".join(f"  {each}" for each in differences)
        )
