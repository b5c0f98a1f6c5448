"""Stanzas are read strictly: what belongs to no field is named with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venvpkg.errors import AssembleError
from venvpkg.families.deb.deb822 import parse_stanzas, read_stanza


def test_stanzas_are_parted_by_empty_lines_however_many() -> None:
    assert parse_stanzas("\n\nA: 1\n\n\n\nB: 2\nC:3") == ([{"a": "1"}, {"b": "2", "c": "3"}], [])


def test_a_folded_value_keeps_its_breaks_and_what_the_lines_begin_with() -> None:
    stanzas, _ = parse_stanzas("Description: short  \n long\n .\n  more\nConffiles:\n /etc/x 0123\n\tlast\t\n")

    assert stanzas == [{"description": "short  \n long\n .\n  more", "conffiles": "\n /etc/x 0123\n\tlast"}]


def test_a_value_may_be_empty_or_have_colons() -> None:
    assert parse_stanzas("Pre-Depends:\nHomepage: https://x:1/\n")[0] == [
        {"pre-depends": "", "homepage": "https://x:1/"}
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A: 1\nno field\nB: 2\n", "line 2 is not a field: 'no field'"),
        (" folded into nothing\n", "line 1 is not a field"),
        ("A: 1\n \t\nB: 2\n", "line 2 is not a field"),
        ("A: 1\n b\n c\n# comment: no\n", "line 4 is not a field"),
        ("-A: 1\n", "line 1 is not a field"),
        (": 1\n", "line 1 is not a field"),
        ("Ä: 1\n", "line 1 is not a field"),
        ("A b: 1\n", "line 1 is not a field"),
        ("A: 1\n b\na: 2\n", "line 3 repeats the field a"),
        ("A: 1\n\n 2", "line 3 is not a field"),
    ],
)
def test_what_belongs_to_no_field_is_named_with_its_line(text: str, problem: str) -> None:
    (found,) = parse_stanzas(text)[1]

    assert problem in found


def test_all_problems_of_a_control_file_are_told_at_once() -> None:
    with pytest.raises(AssembleError) as caught:
        read_stanza("A: 1\nA: 2\nno field\n\nB: with\rreturn\n")

    assert len(caught.value.details.splitlines()) == 4


@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9][a-z0-9-]*", fullmatch=True),
        st.lists(st.sampled_from(["x", "a: b", ".", "#c", "-d  e"]), min_size=1, max_size=4).map("\n ".join),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read(fields: dict[str, str]) -> None:
    assert read_stanza("".join(f"{name}: {value}\n" for name, value in fields.items())) == fields
