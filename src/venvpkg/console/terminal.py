"""A Reporter for people: lines of text and, on a terminal, the running tasks below them."""

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
from venvpkg.console.events import Labelled
from venvpkg.text import hide_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

    from venvpkg.console import Reporter, Task


# Without a terminal, the start of these is reported as well: minutes may pass until the next line.
_LONG_RUNNING = frozenset({Work.BUILD_ROOT, Work.WHEEL, Work.WAIT})
_MARGIN = 9  # as wide as the seconds before a step


class Console:
    """A Reporter that prints lines, in colour if the terminal and NO_COLOR allow it.

    Args:
        stream: usually standard error.
        verbosity: amount of output.
        environ: environment variables; ``NO_COLOR`` is read.
        live: show running tasks; only if the stream is a terminal that nothing else writes to.
        clock: seconds; only differences matter.
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
        # no-color.org: set and not empty.
        self._rich = RichConsole(
            file=stream, highlight=False, emoji=False, markup=False, no_color=bool(environ.get("NO_COLOR"))
        )
        self._verbosity = verbosity
        self._clock = clock
        self._start = clock()
        wanted = live and self._rich.is_terminal and not self._rich.is_dumb_terminal and verbosity > Verbosity.QUIET
        self._board = Board(self._rich, clock) if wanted else None

    def step(self, text: str) -> None:
        """Print the text after the seconds since the start."""
        if self._verbosity >= Verbosity.NORMAL:
            self._print(self._seconds(), text, "")

    def detail(self, text: str) -> None:
        """Print the text if verbose."""
        if self._verbosity >= Verbosity.VERBOSE:
            self._print(self._seconds(), text, "dim")

    def warn(self, text: str) -> None:
        """Print a warning, at every verbosity."""
        self._print("warning: ", text, "yellow")

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[Task]:
        """Show the task while it runs; without a live display, print a line at the start of one that may take long."""
        if self._board is not None:
            with self._board.row(text) as row:
                yield row
            return
        if work in _LONG_RUNNING:
            self.step(text)
        yield _HiddenTask()

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Print one aligned line per row; on a terminal, long values are wrapped between words."""
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

    def for_target(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return a reporter for one of several targets, whose lines begin with its label."""
        del target
        return Labelled(self, label, is_mute)

    def error(self, brief: str, details: str, resolution: str) -> None:
        """Print an error: what failed, the evidence, what to do."""
        self._print("error: ", brief, "bold red")
        for part in (details, resolution):
            if part:
                self._rich.print(Text(hide_passwords(part)), soft_wrap=True)

    def close(self) -> None:
        """Stop the live display, even if tasks are still running."""
        if self._board is not None:
            self._board.close()

    def _seconds(self) -> str:
        return f"{self._clock() - self._start:6.1f}s  "

    def _print(self, lead: str, text: str, style: str) -> None:
        # Not as the style of the whole line, which would dim the text too.
        self._rich.print(Text().append(lead, style or "dim").append(hide_passwords(text), style), soft_wrap=True)


class _HiddenTask:
    """A task that is not shown."""

    def now(self, text: str) -> None:
        """Do nothing."""
