"""Entries and the rules for a valid one. Pure: no database, no web."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NAME_MAX = 60
MESSAGE_MAX = 2000
PAGE_SIZE = 50

# What an XML 1.0 document, and therefore the feed, cannot hold (section 2.2, Char). PostgreSQL refuses NUL as well.
_UNPRINTABLE = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """What one visitor left; ``uid`` is a UUID, ``signed_at`` knows its time zone."""

    uid: str
    name: str
    message: str
    signed_at: datetime


@dataclass(frozen=True)
class Draft:
    """What a visitor sent, tidied; ``problems`` maps a field's name to what is wrong with it."""

    name: str = ""
    message: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


class StoreError(Exception):
    """The entries cannot be read or written at the moment; the text is for the administrator."""


class Store(Protocol):
    """Keeps entries. Every method raises StoreError while it cannot."""

    def sign(self, name: str, message: str) -> Entry:
        """Add an entry and return it."""

    def newest(self, limit: int, offset: int = 0) -> list[Entry]:
        """Return at most ``limit`` entries, newest first, after skipping ``offset``."""

    def check(self) -> None:
        """Do nothing but prove that entries can be read."""


def draft(name: str, message: str) -> Draft:
    """Return what a visitor typed, tidied and judged: names on one line, line ends as one character."""
    tidy_name = " ".join(name.split())
    tidy_message = message.replace("\r\n", "\n").replace("\r", "\n").strip()
    problems = {
        label: problem
        for label, problem in (
            ("name", _problem(tidy_name, NAME_MAX, "Please tell us your name.")),
            ("message", _problem(tidy_message, MESSAGE_MAX, "Please write a message.")),
        )
        if problem is not None
    }
    return Draft(tidy_name, tidy_message, problems)


def _problem(text: str, longest: int, when_empty: str) -> str | None:
    if not text:
        return when_empty
    if len(text) > longest:
        return f"That is {len(text)} characters; at most {longest} fit."
    if _UNPRINTABLE.search(text):
        return "There are control characters in it."
    return None
