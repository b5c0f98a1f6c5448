"""Show running tasks below the output on a terminal: one line per task, removed when it ends."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from rich.console import Group  # noqa: TID251
from rich.live import Live  # noqa: TID251
from rich.text import Text  # noqa: TID251

from venvpkg.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console as RichConsole  # noqa: TID251


# Shorter tasks are never shown, so that nothing flickers.
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
