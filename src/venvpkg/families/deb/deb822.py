"""Read stanzas of fields, as in control files and dpkg's status file: strictly. Pure.

There are libraries for it, and they are lenient: debian-inspector keeps a line that it cannot read in a field of its
own, python-debian drops it. Here it is an error, because what is read back is compared with what was composed, and
because a status file with such a line is damaged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.errors import AssembleError

if TYPE_CHECKING:
    from collections.abc import Mapping


# A name begins with neither # nor -; what is folded goes on with white space and something else.
_FIELD: Final = re.compile(r"([!\"$-,.-9;-~][!-9;-~]*):[ \t]*(.*(?:\n[ \t]+[^ \t\n].*)*)")
_MOST_TOLD: Final = 50


def parse_stanzas(text: str) -> tuple[list[dict[str, str]], list[str]]:
    """Return the stanzas, and what is wrong with the text, in order.

    Names are in lower case. Folded values have their line breaks, and the white space that the further lines begin
    with; what stands around a value is no part of it. Of a field that is given twice the first counts.

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
                problems.append(f"line {line} is the field {name} once more")
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
        AssembleError: no stanza or several, a field given twice, or a line that belongs to none or is several lines
            for some reader; all of those.
    """
    stanzas, problems = parse_stanzas(text)
    problems += [f"a line with another line break: {line!r}" for line in text.split("\n") if len(line.splitlines()) > 1]
    if len(stanzas) != 1:
        problems.insert(0, f"{len(stanzas)} stanzas instead of one")
    if problems:
        raise AssembleError(
            "A control file is malformed.", details="\n".join(f"  {each}" for each in problems[:_MOST_TOLD])
        )
    return stanzas[0]


def require_same(expected: Mapping[str, str], text: str, where: str) -> None:
    """Check that ``text`` holds the expected fields and no other.

    Raises:
        AssembleError: it does not; every difference is given.
    """
    found = read_stanza(text)
    wanted = {name.lower(): value for name, value in expected.items()}
    differences = [
        f"{name}: {wanted.get(name, 'no such field')!r} was composed, {found.get(name, 'no such field')!r} is there"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]
    if differences:
        raise AssembleError(
            f"{where} does not say what was composed.", details="\n".join(f"  {each}" for each in differences)
        )
