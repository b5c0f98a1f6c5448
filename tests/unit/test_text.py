"""Text from the outside becomes harmless and stays readable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venvpkg.text import (
    Secrets,
    escaped,
    has_credentials,
    hide_passwords,
    is_printable_path,
    one_line,
    plain_text,
    printable,
    strip_credentials,
    without_terminal_codes,
)


@given(st.text())
def test_one_line_never_holds_a_break_that_any_reader_knows(text: str) -> None:
    line = one_line(text)

    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in line)
    assert line == line.strip()


@given(st.text())
def test_plain_text_holds_the_newline_as_its_only_control_character(text: str) -> None:
    lines = plain_text(text).split("\n")

    assert all(len(line.splitlines()) <= 1 for line in lines)
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for line in lines for character in line)


def test_a_folded_header_value_becomes_one_line() -> None:
    assert one_line("a shop\n  for\tthings\u2028Depends: evil") == "a shop for things Depends: evil"


def test_letters_of_any_script_stay() -> None:
    assert one_line("Jörg Müller 山田 太郎") == "Jörg Müller 山田 太郎"


def test_characters_that_reverse_what_one_reads_are_dropped() -> None:
    assert one_line("safe\u202egnp.exe") == "safegnp.exe"


def test_a_long_line_ends_in_an_ellipsis() -> None:
    assert one_line("word " * 40, longest=20) == "word word word word…"


def test_a_path_with_a_newline_or_half_a_surrogate_pair_is_not_printable() -> None:
    assert not is_printable_path("/opt/a\nb")
    assert not is_printable_path("/opt/\udcff")
    assert is_printable_path("/opt/größe/名.py")


@given(st.text())
def test_printable_text_is_as_long_and_has_nothing_that_a_terminal_acts_on(text: str) -> None:
    shown = printable(text)

    assert (len(shown), shown.isprintable()) == (len(text), True)
    assert printable(text, keep="\n").split("\n") == [printable(line) for line in text.split("\n")]


@given(st.text())
def test_escaped_text_is_printable_and_what_is_printable_stays(text: str) -> None:
    assert escaped(text).isprintable()
    assert escaped(printable(text)) == printable(text)


def test_colours_titles_and_controls_of_one_or_two_bytes_are_dropped_and_tabs_stay() -> None:
    line = "\x1b[1;31merror\x1b[0m:\tno\x1b]0;title\x07 such\x9b2J \x08file\r"

    assert without_terminal_codes(line) == "error:\tno such2J file"


@pytest.mark.parametrize(
    ("url", "shown", "stripped"),
    [
        ("https://me:hush@corp/x", "https://***@corp/x", "https://corp/x"),
        ("HTTP://token@corp/x", "HTTP://***@corp/x", "HTTP://corp/x"),
        ("git+ssh://git:hush@corp/x", "git+ssh://git:***@corp/x", "git+ssh://git@corp/x"),
        ("ssh://git@corp:22/x", "ssh://git@corp:22/x", "ssh://git@corp:22/x"),
    ],
)
def test_a_url_is_shown_and_written_without_its_password(url: str, shown: str, stripped: str) -> None:
    assert hide_passwords(f"a @ {url} b") == f"a @ {shown} b"
    assert strip_credentials(url) == stripped
    assert has_credentials(url) == (url != stripped)


def test_secrets_are_hidden_in_every_text_of_a_value() -> None:
    secrets = Secrets((b"hush-42",))

    shown = secrets.hide_in({"run": ["curl", "-u me:hush-42", "https://me:other@corp"], "network": True})

    assert shown == {"run": ["curl", "-u me:***", "https://***@corp"], "network": True}
