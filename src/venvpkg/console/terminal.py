"""A Reporter for people: lines, and on a terminal what runs now below them."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole  # noqa: TID251
from rich.padding import Padding  # noqa: TID251
from rich.table import Column, Table  # noqa: TID251
from rich.text import Text  # noqa: TID251

from venvpkg.console import Verbosity, Work
from venvpkg.console.board import Board

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

    from venvpkg.console import Task


# Without a terminal the beginning of these is a line, because it may be minutes until the next one.
_LONG = frozenset({Work.BUILD_ROOT, Work.WHEEL, Work.WAIT})
_MARGIN = 9  # as wide as the seconds before a step


class Console:
    """A Reporter that prints lines; colour where the terminal and NO_COLOR allow.

    Args:
        stream: for people.
        verbosity: how much of it.
        environ: for NO_COLOR.
        live: show what runs; the stream is then a terminal that nothing else writes to meanwhile.
        clock: seconds, of which only differences count.
    """

    def __init__(
        self,
        stream: TextIO,
        verbosity: Verbosity,
        environ: Mapping[str, str],
        *,
        live: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # no-color.org: present and not empty.
        self._rich = RichConsole(
            file=stream, highlight=False, emoji=False, markup=False, no_color=bool(environ.get("NO_COLOR"))
        )
        self._verbosity = verbosity
        self._clock = clock
        self._start = clock()
        wanted = live and self._rich.is_terminal and not self._rich.is_dumb_terminal and verbosity > Verbosity.QUIET
        self._board = Board(self._rich, clock) if wanted else None

    def step(self, text: str) -> None:
        """Print with the seconds since the start."""
        if self._verbosity >= Verbosity.NORMAL:
            self._print(self._seconds(), text, "")

    def detail(self, text: str) -> None:
        """Print when verbose."""
        if self._verbosity >= Verbosity.VERBOSE:
            self._print(self._seconds(), text, "dim")

    def warn(self, text: str) -> None:
        """Print at every verbosity."""
        self._print("warning: ", text, "yellow")

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[Task]:
        """Show it as long as it runs; without a live display, print the beginning of what may take long."""
        if self._board is not None:
            with self._board.row(text) as row:
                yield row
            return
        if work in _LONG:
            self.step(text)
        yield _Unseen()

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Print an aligned line for each; on a terminal long values are broken between words."""
        if self._verbosity < Verbosity.NORMAL:
            return
        if self._rich.is_terminal:
            table = Table.grid(Column(style="bold", no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
            for label, value in rows:
                table.add_row(Text(label), Text(value))
            self._rich.print(Padding(table, (0, 0, 0, _MARGIN)))
            return
        width = max((len(label) for label, _ in rows), default=0)
        for label, value in rows:
            self._rich.print(Text(f"{'':{_MARGIN}}{label:{width}}  {value}"), soft_wrap=True)

    def error(self, brief: str, details: str, resolution: str) -> None:
        """Print a failure: brief, evidence, what to do."""
        self._print("error: ", brief, "bold red")
        for part in (details, resolution):
            if part:
                self._rich.print(Text(part), soft_wrap=True)

    def close(self) -> None:
        """Give the terminal back, whatever still runs."""
        if self._board is not None:
            self._board.close()

    def _seconds(self) -> str:
        return f"{self._clock() - self._start:6.1f}s  "

    def _print(self, lead: str, text: str, style: str) -> None:
        # Not as the style of the whole, which would dim the text too.
        self._rich.print(Text().append(lead, style or "dim").append(text, style), soft_wrap=True)


class _Unseen:
    """A task that nobody watches."""

    def now(self, text: str) -> None:
        """Do nothing."""
