"""Read control files: one stanza, strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debian_inspector.deb822 import get_paragraphs_as_field_groups  # noqa: TID251

from venvpkg.errors import AssembleError

if TYPE_CHECKING:
    from collections.abc import Mapping


# debian-inspector is lenient: what it cannot read it keeps in a field of this name.
_NOT_READ = "unknown"


def read_stanza(text: str) -> Mapping[str, str]:
    """Return the fields of the only stanza of ``text``, names in lower case, folded values with their line breaks.

    Raises:
        AssembleError: no stanza or several, a field given twice, or a line that belongs to none.

    Source:
        deb822(5).
    """
    stanzas = [[(field.name, field.text) for field in stanza] for stanza in get_paragraphs_as_field_groups(text)]
    problems = []
    if len(stanzas) != 1:
        problems.append(f"{len(stanzas)} stanzas instead of one")
    fields: dict[str, str] = {}
    for name, value in (field for stanza in stanzas for field in stanza):
        if name == _NOT_READ:
            problems.append(f"a line that belongs to no field: {value!r}")
        elif name in fields:
            problems.append(f"the field {name} twice")
        fields[name] = value
    if problems:
        raise AssembleError("A control file is malformed.", details="\n".join(f"  {each}" for each in problems))
    return fields


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
