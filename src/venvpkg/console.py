"""What people read while venvpkg works: on standard error, never on standard output."""

from __future__ import annotations

import time
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from rich.console import Console as RichConsole  # noqa: TID251
from rich.text import Text  # noqa: TID251

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


class Verbosity(IntEnum):
    """How much people want to read."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class Report(Protocol):
    """Hears what happens. Stages get one as an argument."""

    def step(self, text: str) -> None:
        """A stage did something worth a line."""

    def detail(self, text: str) -> None:
        """Something only ``-v`` shows."""

    def warn(self, text: str) -> None:
        """Something the user should know and may want to change."""


class Console:
    """A Report that prints lines; colour where the terminal and NO_COLOR allow."""

    def __init__(self, stream: TextIO, verbosity: Verbosity, environment: Mapping[str, str]) -> None:
        self._rich = RichConsole(
            file=stream, highlight=False, soft_wrap=True, emoji=False, markup=False, no_color="NO_COLOR" in environment
        )
        self._verbosity = verbosity
        self._start = time.monotonic()

    def step(self, text: str) -> None:
        """Print with the seconds since the start."""
        if self._verbosity >= Verbosity.NORMAL:
            self._print(f"{time.monotonic() - self._start:6.1f}s  ", text, "")

    def detail(self, text: str) -> None:
        """Print when verbose."""
        if self._verbosity >= Verbosity.VERBOSE:
            self._print(f"{time.monotonic() - self._start:6.1f}s  ", text, "dim")

    def warn(self, text: str) -> None:
        """Print at every verbosity."""
        self._print("warning: ", text, "yellow")

    def error(self, brief: str, details: str, resolution: str) -> None:
        """Print a failure: brief, evidence, what to do."""
        self._print("error: ", brief, "bold red")
        for part in (details, resolution):
            if part:
                self._rich.print(Text(part))

    def _print(self, lead: str, text: str, style: str) -> None:
        self._rich.print(Text(lead, style=style or "dim").append(Text(text, style=style)))
