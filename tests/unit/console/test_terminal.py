"""What people read: lines, and on a terminal what runs now."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import pytest

from venvpkg.console import Verbosity, Work
from venvpkg.console.terminal import Console, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = (("package", "app_1.deb"), ("depends", "2: libc6 (>= 2.36), python3.11"))

SUMMARY = "         package  app_1.deb\n         depends  2: libc6 (>= 2.36), python3.11\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Condition()

    def isatty(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        with self._written:
            self._written.notify_all()
            return super().write(text)

    def wait_for(self, text: str, *, after: str = "") -> None:
        """Wait until a text was written, or written after another."""
        with self._written:
            assert self._written.wait_for(lambda: text in self.getvalue()[self._end_of(after) :], 60), self.getvalue()

    def _end_of(self, text: str) -> int:
        return self.getvalue().find(text) + len(text) if text in self.getvalue() else len(self.getvalue())


def said(verbosity: Verbosity, *, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    console = Console(stream, verbosity, {}, clock=lambda: 1.0)
    console.step("a step")
    console.detail("a detail")
    console.warn("a warning")
    with console.task(Work.WHEEL, "building lxml") as task:
        task.now("compiling")
    with console.task(Work.SCAN, "reading"):
        pass
    console.summary(ROWS)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("verbosity", "expected"),
    [
        (Verbosity.QUIET, "warning: a warning\n"),
        (
            Verbosity.NORMAL,
            f"   0.0s  a step\nwarning: a warning\n   0.0s  building lxml\n{SUMMARY}",
        ),
        (
            Verbosity.VERBOSE,
            f"   0.0s  a step\n   0.0s  a detail\nwarning: a warning\n   0.0s  building lxml\n{SUMMARY}",
        ),
    ],
)
def test_without_a_terminal_there_are_plain_lines_as_many_as_asked_for(verbosity: Verbosity, expected: str) -> None:
    assert said(verbosity) == expected


@pytest.mark.parametrize(
    ("environment", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)]
)
def test_no_color_counts_when_it_is_not_empty(
    environment: Mapping[str, str], is_coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()

    Console(stream, Verbosity.NORMAL, environment).warn("careful")

    assert ("\x1b[33m" in stream.getvalue()) is is_coloured


def test_a_long_value_of_the_summary_is_broken_below_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()

    Console(stream, Verbosity.NORMAL, {"NO_COLOR": "1"}).summary((("depends", "libaaaa, libbbbb, libcccc"),))

    lines = [line.replace("\x1b[1m", "").replace("\x1b[0m", "").rstrip() for line in stream.getvalue().splitlines()]
    assert lines == ["         depends  libaaaa, libbbbb,", "                  libcccc"]


def test_what_runs_is_shown_below_the_lines_and_is_gone_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    console = Console(stream, Verbosity.NORMAL, {}, live=True)

    with console.task(Work.WHEEL, "building lxml") as task:
        task.now("compiling")
        stream.wait_for("building lxml")
        console.warn("careful")
        stream.wait_for("building lxml", after="careful")
    console.step("built lxml")

    text = stream.getvalue()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor was hidden, and is there again
    assert "\x1b[2K" in text[text.rindex("building lxml") :]
    assert text.endswith("built lxml\n")


def test_close_gives_the_terminal_back_though_a_thread_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    console = Console(stream, Verbosity.NORMAL, {}, live=True)
    started, may_end = threading.Event(), threading.Event()

    def work() -> None:
        with console.task(Work.DOWNLOAD, "getting 1 file"):
            started.set()
            may_end.wait()
        with console.task(Work.DOWNLOAD, "getting another"):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    console.close()
    closed = stream.getvalue()
    may_end.set()
    thread.join()

    assert "\x1b[?25h" in closed
    assert stream.getvalue() == closed


@pytest.mark.parametrize("terminal", ["dumb", "unknown"])
def test_a_dumb_terminal_gets_plain_lines(terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", terminal)
    stream = Terminal()

    with Console(stream, Verbosity.NORMAL, {"NO_COLOR": "1"}, live=True).task(Work.WHEEL, "building lxml"):
        pass

    assert "building lxml" in stream.getvalue()
    assert "\x1b[?25l" not in stream.getvalue()


@pytest.mark.parametrize("width", [1, 12, 34, 200])
def test_a_row_is_one_line_at_any_width(width: int) -> None:
    row = Row("building a-name-that-is-long 1.0\x1b[2J\n", since=0.0)
    row.now("compiling")

    line = row.line(75.25, "|/-\\", width)

    assert line.cell_len <= max(width - 5, 1)
    assert line.plain.isprintable()
    assert line.plain.startswith("- 75.2s  building a-name"[: max(width - 6, 0)])
