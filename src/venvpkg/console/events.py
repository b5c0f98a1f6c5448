"""Reporters: for programs (one JSON object a line, described in docs/json.md), and for one part of a run."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import TextIO

    from venvpkg.console import Reporter, Task, Work


# Raised when a field changes its meaning or goes; new events and fields may come at any time.
VERSION = 1


class EventReporter:
    """A Reporter that hands each event to a callback, one call at a time.

    Args:
        on_event: gets the event as a dictionary of JSON values.
        clock: seconds.
    """

    def __init__(
        self, on_event: Callable[[Mapping[str, object]], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_event = on_event
        self._clock = clock
        self._start = clock()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._marks: Mapping[str, str] = {}

    def about(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return what hands on the events of one target of several: each has the field ``target``."""
        del label
        return Labelled(self.marked(target), "", is_mute)

    def marked(self, target: str) -> Self:
        """Return a reporter to the same callback whose events have the field ``target``."""
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
        """Hand on one event."""
        with self._lock:
            elapsed = round(self._clock() - self._start, 3)
            self._on_event({"version": VERSION, "event": event, "elapsed_s": elapsed, **self._marks, **fields})


class Events(EventReporter):
    """Writes events to a stream, one JSON object a line; ASCII, so that no terminal and no locale has a say in it.

    When the stream takes nothing more, the run goes on to its end as it would, and ``close`` tells; a thread that
    compiles must not fail for it.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(self._write, clock=clock)
        self._stream = stream
        self._refused: list[OSError] = []

    def _write(self, event: Mapping[str, object]) -> None:
        if self._refused:
            return
        try:
            self._stream.write(f"{json.dumps(event)}\n")
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

    def __init__(self, events: EventReporter, number: int) -> None:
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
        self._reporters = (one, other)

    def step(self, text: str) -> None:
        """Tell both."""
        for each in self._reporters:
            each.step(text)

    def detail(self, text: str) -> None:
        """Tell both."""
        for each in self._reporters:
            each.detail(text)

    def warn(self, text: str) -> None:
        """Tell both."""
        for each in self._reporters:
            each.warn(text)

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[Task]:
        """Tell both."""
        one, other = self._reporters
        with one.task(work, text) as first, other.task(work, text) as second:
            yield _BothTasks(first, second)

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Tell both."""
        for each in self._reporters:
            each.summary(rows)

    def about(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return what tells both."""
        one, other = (each.about(target, label, is_mute) for each in self._reporters)
        return Both(one, other)


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

    def about(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Pass it on."""
        return self._reporter.about(target, label, is_mute)


class Quiet:
    """A Reporter that says nothing."""

    def step(self, text: str) -> None:
        """Say nothing."""

    def detail(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[Task]:
        """Say nothing."""
        del work, text
        yield _QuietTask()

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Say nothing."""

    def about(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return itself."""
        del target, label, is_mute
        return self


class _QuietTask:
    """A task of which nothing is told."""

    def now(self, text: str) -> None:
        """Say nothing."""
