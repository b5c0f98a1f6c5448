"""Reporters: for programs (one JSON object a line, described in docs/json.md), and for one part of a run."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import TextIO

    from venvpkg.console import Reporter, Task, Work


# Raised when a field changes its meaning or goes; new events and fields may come at any time.
VERSION = 1


class Events:
    """A Reporter that writes events.

    When the stream takes nothing more, the run goes on to its end as it would, and ``close`` tells; a thread that
    compiles must not fail for it.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._start = clock()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._refused: list[OSError] = []
        self._marks: Mapping[str, str] = {}

    def about(self, target: str) -> Events:
        """Return what writes to the same stream of one target of several: each of its events has the field."""
        part = copy.copy(self)
        part._marks = {"target": target}  # noqa: SLF001 - our own
        return part

    def step(self, text: str) -> None:
        """Write the event ``step``."""
        self.emit("step", text=text)

    def detail(self, text: str) -> None:
        """Write the event ``detail``, at every verbosity."""
        self.emit("detail", text=text)

    def warn(self, text: str) -> None:
        """Write the event ``warning``."""
        self.emit("warning", text=text)

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[Task]:
        """Write ``started``, ``changed`` and ``ended``, which have the same number."""
        number = next(self._numbers)
        self.emit("started", task=number, work=work.value, text=text)
        running = _Numbered(self, number)
        try:
            yield running
        finally:
            running.end()

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Do nothing: the event ``result`` has it."""

    def result(self, command: str, result: Mapping[str, object]) -> None:
        """Write the event ``result``."""
        self.emit("result", command=command, result=result)

    def error(self, exit_code: int, brief: str, details: str = "", resolution: str = "") -> None:
        """Write the event ``error``."""
        self.emit("error", exit_code=exit_code, brief=brief, details=details, resolution=resolution)

    def emit(self, event: str, **fields: object) -> None:
        """Write one line; ASCII, so that no terminal and no locale has a say in it."""
        with self._lock:
            if self._refused:
                return
            elapsed = round(self._clock() - self._start, 3)
            line = {"version": VERSION, "event": event, "elapsed_s": elapsed, **self._marks, **fields}
            try:
                self._stream.write(f"{json.dumps(line)}\n")
                self._stream.flush()
            except OSError as error:
                self._refused.append(error)

    def close(self) -> None:
        """Raise what the stream refused, once.

        Raises:
            OSError: an event was not written, and none after it.
        """
        if self._refused:
            raise self._refused.pop()


class _Numbered:
    """A task of which events tell."""

    def __init__(self, events: Events, number: int) -> None:
        self._events = events
        self._number = number
        self._has_ended = False

    def now(self, text: str) -> None:
        """Write the event ``changed``, but for a thread that was left behind."""
        if not self._has_ended:
            self._events.emit("changed", task=self._number, text=text)

    def end(self) -> None:
        """Write the event ``ended``."""
        self._has_ended = True
        self._events.emit("ended", task=self._number)


class Both:
    """A Reporter that tells two others."""

    def __init__(self, one: Reporter, other: Reporter) -> None:
        self._reports = (one, other)

    def step(self, text: str) -> None:
        """Tell both."""
        for each in self._reports:
            each.step(text)

    def detail(self, text: str) -> None:
        """Tell both."""
        for each in self._reports:
            each.detail(text)

    def warn(self, text: str) -> None:
        """Tell both."""
        for each in self._reports:
            each.warn(text)

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[Task]:
        """Tell both."""
        one, other = self._reports
        with one.task(work, text) as first, other.task(work, text) as second:
            yield _BothTasks(first, second)

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Tell both."""
        for each in self._reports:
            each.summary(rows)


class _BothTasks:
    """A task that both are told of."""

    def __init__(self, one: Task, other: Task) -> None:
        self._tasks = (one, other)

    def now(self, text: str) -> None:
        """Tell both."""
        for each in self._tasks:
            each.now(text)


class Labelled:
    """A Reporter that says of which part it speaks.

    Args:
        reporter: hears of all parts.
        label: ``debian:trixie``; before every text. Empty where the reporter knows.
        is_mute: whether nothing more is told, as while the run is ended: what was begun then fails one after the other.
    """

    def __init__(self, reporter: Reporter, label: str, is_mute: Callable[[], bool]) -> None:
        self._reporter = reporter
        self._label = label
        self._is_mute = is_mute

    def step(self, text: str) -> None:
        """Pass it on."""
        if not self._is_mute():
            self._reporter.step(self._told(text))

    def detail(self, text: str) -> None:
        """Pass it on."""
        if not self._is_mute():
            self._reporter.detail(self._told(text))

    def warn(self, text: str) -> None:
        """Pass it on."""
        if not self._is_mute():
            self._reporter.warn(self._told(text))

    def task(self, work: Work, text: str) -> AbstractContextManager[Task]:
        """Pass it on; it is told of to its end."""
        return self._reporter.task(work, self._told(text))

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Pass it on as it is."""
        self._reporter.summary(rows)

    def _told(self, text: str) -> str:
        return f"{self._label}: {text}" if self._label else text
