"""What runs now, below the lines on a terminal: a line for each task, gone when it ends."""

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


# A task that takes no longer never shows, so that nothing flickers.
_UNSEEN_S = 0.3
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
        """Show it with the next frame."""
        self.doing = text

    def line(self, now: float, spinner: str, width: int) -> Text:
        """Return what is shown: seconds under those of the steps, then the text; never more than one line.

        Args:
            now: on the clock that ``since`` is from.
            spinner: its frames, one character each.
            width: columns; the last ones stay free for the ``^C`` that a terminal writes there: if it began a new
                line, what is erased would be one line short.
        """
        frame = spinner[int(now * _FRAMES_A_SECOND) % len(spinner)]
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(frame, "cyan").append(f"{now - self.since:5.1f}s  ", "dim").append(printable(self.text))
        if self.doing:
            line.append(f"  {printable(self.doing)}", "dim")
        line.truncate(max(width - _FREE_COLUMNS, 1), overflow="ellipsis")
        return line


class Board:
    """Rows that threads add and take away. The terminal is touched only while there is one."""

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
        """Show a row as long as the block runs."""
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
                # Not list.remove: close may have been faster.
                self._rows = [each for each in self._rows if each is not row]
                if not self._rows:
                    self._stop()

    def close(self) -> None:
        """Show nothing more, though threads that were left behind have not ended."""
        with self._lock:
            self._rows, self._is_closed = [], True
            self._stop()

    def frame(self) -> Group:
        """Return the lines of this moment, the oldest task first."""
        now = self._clock()
        # The list is replaced or appended to, never changed otherwise: no lock, which stop() would wait for.
        shown = [row for row in tuple(self._rows) if now - row.since >= _UNSEEN_S]
        return Group(*(row.line(now, self._spinner, self._console.width) for row in shown))

    def _new_live(self) -> Live:
        return Live(
            console=self._console,
            get_renderable=self.frame,
            refresh_per_second=_FRAMES_A_SECOND,
            transient=True,
            # Standard output is for results alone, and nothing is printed there while something runs.
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
