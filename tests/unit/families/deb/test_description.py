"""A description that reads as one of the distribution's own."""

from __future__ import annotations

import pytest

from venvpkg.families.common.description import synopsis_of
from venvpkg.families.deb.documents import folded_description


@pytest.mark.parametrize(
    ("summary", "synopsis"),
    [
        ("Keeps things.", "Keeps things"),
        ("A guestbook for small sites", "guestbook for small sites"),
        ("An app", "Python application: app"),
        ("The Things list", "Things list"),
        ("App: a list of things", "list of things"),
        ("app - lists things", "lists things"),
        ("App is the list of things", "list of things"),
        ("App for lists of things", "Python application: App for lists of things"),
        ("app", "Python application: app"),
        ("Apples and pears", "Apples and pears"),
        ("Analyse things", "Analyse things"),
        ("...", "Python application: ..."),
    ],
)
def test_a_synopsis_has_no_article_no_full_stop_and_not_the_packages_name(summary: str, synopsis: str) -> None:
    assert synopsis_of(summary, "app") == synopsis


def test_a_long_summary_is_cut_and_given_whole_below() -> None:
    summary = "many " * 30

    first, second, *_ = folded_description(summary.strip(), "", "app").split("\n")

    assert len(first) <= 80
    assert first.endswith("…")
    assert second.startswith(" many many")


def test_a_long_summary_that_begins_the_text_is_not_given_twice() -> None:
    summary = "A list of things, of people, of places, and of whatever else there is to be kept."

    description = folded_description(summary, f"{summary} It keeps them well.", "app")

    assert description.replace("\n", "").count("of people") == 2
    assert description.startswith("list of things")


def test_the_first_line_below_never_repeats_the_synopsis() -> None:
    summary = "Keeps a list of things, of people, of places, and of whatever else there is to be kept."

    first, second, *_ = folded_description(summary, "", "app").split("\n")

    assert first.rstrip("…") != second.strip()


def test_a_text_that_only_repeats_the_summary_is_left_out() -> None:
    assert folded_description("A list of things.", "List of things\n\nMore.", "app") == "list of things\n More."


def test_a_line_with_a_leading_full_stop_is_verbatim_and_an_empty_one_has_only_that() -> None:
    assert folded_description("Keeps things", "One.\n\n.two", "app") == "Keeps things\n One.\n .\n  .two"
