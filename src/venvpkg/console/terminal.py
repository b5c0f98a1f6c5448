"""A Reporter for people: lines of text and, on a terminal, the running tasks below them."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole  # noqa: TID251
from rich.console import Group  # noqa: TID251
from rich.live import Live  # noqa: TID251
from rich.padding import Padding  # noqa: TID251
from rich.table import Column, Table  # noqa: TID251
from rich.text import Text  # noqa: TID251

from venvpkg.console import Verbosity, Work
from venvpkg.console.events import Labelled
from venvpkg.text import hide_passwords, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

    from venvpkg.console import Reporter, Task


# Shorter tasks are not shown, to avoid flicker.
_SHOW_AFTER_S = 0.3
_FRAMES_A_SECOND = 8
_FREE_COLUMNS = 5  # of two Ctrl-C, and the cursor
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_SPINNER = "|/-\\"


class Row:
    """A task on the board."""

    def __init__(self, text: str, since: float) -> None:
        self.text = text
        self.since = since
        self.doing = ""

    def now(self, text: str) -> None:
        """Set the current step, to be shown with the next frame."""
        self.doing = text

    def line(self, now: float, spinner: str, width: int) -> Text:
        """Return the line to show: elapsed seconds, aligned with those of the steps, and the text.

        Args:
            now: current time on the clock that ``since`` was read from.
            spinner: its frames, one character each.
            width: columns of the terminal. The last ones stay free for the ``^C`` that a terminal echoes: if that
                wrapped to a new line, one line too few would be erased.
        """
        frame = spinner[int(now * _FRAMES_A_SECOND) % len(spinner)]
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(frame, "cyan").append(f"{now - self.since:5.1f}s  ", "dim").append(printable(self.text))
        if self.doing:
            line.append(f"  {printable(self.doing)}", "dim")
        line.truncate(max(width - _FREE_COLUMNS, 1), overflow="ellipsis")
        return line


class Board:
    """Rows that threads add and remove. The terminal is only touched while there are rows."""

    def __init__(self, console: RichConsole, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: list[Row] = []
        self._live: Live | None = None
        self._is_closed = False
        self._spinner = _SPINNER if console.encoding.lower().startswith("utf") else _ASCII_SPINNER

    @contextlib.contextmanager
    def row(self, text: str) -> Iterator[Row]:
        """Show a row for the duration of the block."""
        row = Row(text, self._clock())
        with self._lock:
            self._rows.append(row)
            if self._live is None and not self._is_closed:
                self._live = self._new_live()
                self._live.start()
        try:
            yield row
        finally:
            with self._lock:
                # Not list.remove: close() may have removed it already.
                self._rows = [each for each in self._rows if each is not row]
                if not self._rows:
                    self._stop()

    def close(self) -> None:
        """Show nothing more, even if abandoned threads are still running."""
        with self._lock:
            self._rows, self._is_closed = [], True
            self._stop()

    def frame(self) -> Group:
        """Return the current lines, the oldest task first."""
        now = self._clock()
        # Without the lock, for which stop() would wait: the list is only ever replaced or appended to.
        shown = [row for row in tuple(self._rows) if now - row.since >= _SHOW_AFTER_S]
        return Group(*(row.line(now, self._spinner, self._console.width) for row in shown))

    def _new_live(self) -> Live:
        return Live(
            console=self._console,
            get_renderable=self.frame,
            refresh_per_second=_FRAMES_A_SECOND,
            transient=True,
            # Standard output is for results only, and nothing is printed there while tasks run.
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


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
