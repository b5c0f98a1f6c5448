"""A README gives a sentence or two, or nothing."""

from __future__ import annotations

import time

import pytest

from venvpkg.families.common.description import leading_prose

SENTENCE = "Sells things to people who want them."


@pytest.mark.parametrize(
    "before",
    [
        "",
        "# App\n\n",
        "App\n===\n\n",
        "[![badge](https://x/y.svg)](https://x)\n\n",
        ".. image:: x.png\n   :alt: y\n\n",
        "<p align=center>\n<img src=x>\n</p>\n\n",
        "Short line\n\n",
        "| a | b |\n|---|---|\n\n",
        "```\ncode and more code here\n\nand more code after it\n```\n\n",
    ],
)
def test_markup_before_the_first_sentence_is_passed_over(before: str) -> None:
    assert leading_prose(before + SENTENCE) == SENTENCE


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("See the [docs](https://d) for all the details.", "See the docs for all the details."),
        ("See the `docs <https://d>`_ for all the details.", "See the docs for all the details."),
        ("Use **this** and `that` or ``those`` with care.", "Use this and that or those with care."),
        ("A :class:`Shop` is where people go ![x](y) to buy.", "A Shop is where people go to buy."),
        ("Two lines of\nprose are joined here.", "Two lines of prose are joined here."),
    ],
)
def test_inline_markup_is_taken_off(markup: str, text: str) -> None:
    assert leading_prose(markup) == text


def test_it_stops_at_what_follows_the_prose() -> None:
    assert leading_prose(f"{SENTENCE}\n\n## Install\n\nThis would be about how to install it.") == SENTENCE


def test_two_paragraphs_are_enough() -> None:
    assert leading_prose("\n\n".join([SENTENCE] * 5)) == f"{SENTENCE}\n\n{SENTENCE}"


def test_a_sentence_that_leads_to_code_is_left_out() -> None:
    assert leading_prose("Install it with the following command:\n\n    pip install app") == ""


@pytest.mark.parametrize("text", ["![" * 100_000, "[x](" * 50_000, "`" * 200_000, "**a" * 70_000, "a " * 100_000])
def test_a_hostile_readme_does_not_take_long(text: str) -> None:
    start = time.process_time()

    leading_prose(text)

    assert time.process_time() - start < 1
