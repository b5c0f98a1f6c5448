"""Reporters for programs, which write one JSON object per line (docs/json.md), and for one target of several."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING, Self

from venvpkg.text import NO_SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import TextIO

    from venvpkg.console import Reporter, Task, Work


# Increased when a field changes its meaning or is removed; events and fields may be added at any time.
VERSION = 1


class EventReporter:
    """A Reporter that passes each event to a callback, one call at a time.

    Args:
        on_event: receives the event as a dictionary of JSON values.
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
        self._extra_fields: Mapping[str, str] = {}

    def for_target(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return a reporter for one of several targets; its events have the field ``target``."""
        del label
        return Labelled(self.with_target(target), "", is_mute)

    def with_target(self, target: str) -> Self:
        """Return a reporter to the same callback whose events have the field ``target``."""
        part = copy.copy(self)
        part._extra_fields = {"target": target}  # noqa: SLF001 - an instance of this class
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
        """Write the events ``started``, ``changed`` and ``ended``, which share a task number."""
        number = next(self._numbers)
        self.emit("started", task=number, work=work.value, text=text)
        running = _EventTask(self, number)
        try:
            yield running
        finally:
            running.end()

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Do nothing: the event ``result`` has the same information."""

    def result(self, command: str, result: Mapping[str, object]) -> None:
        """Write the event ``result``."""
        self.emit("result", command=command, result=result)

    def error(self, exit_code: int, brief: str, details: str = "", resolution: str = "") -> None:
        """Write the event ``error``."""
        self.emit("error", exit_code=exit_code, brief=brief, details=details, resolution=resolution)

    def emit(self, event: str, **fields: object) -> None:
        """Pass on one event, without the passwords of URLs."""
        shown = NO_SECRETS.hide_in(fields)
        with self._lock:
            elapsed = round(self._clock() - self._start, 3)
            self._on_event({"version": VERSION, "event": event, "elapsed_s": elapsed, **self._extra_fields, **shown})


class Events(EventReporter):
    """Writes events to a stream, one JSON object per line, in ASCII, which no locale can misinterpret.

    If the stream fails, the run continues and ``close`` raises the error: a thread that compiles must not fail for it.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(self._write, clock=clock)
        self._stream = stream
        self._errors: list[OSError] = []

    def _write(self, event: Mapping[str, object]) -> None:
        if self._errors:
            return
        try:
            self._stream.write(f"{json.dumps(event)}\n")
            self._stream.flush()
        except OSError as error:
            self._errors.append(error)

    def close(self) -> None:
        """Raise the error of the stream, once.

        Raises:
            OSError: an event could not be written; no event after it was.
        """
        if self._errors:
            raise self._errors.pop()


class _EventTask:
    """A task that writes events."""

    def __init__(self, events: EventReporter, number: int) -> None:
        self._events = events
        self._number = number
        self._has_ended = False

    def now(self, text: str) -> None:
        """Write the event ``changed``, unless the task has ended and an abandoned thread still calls."""
        if not self._has_ended:
            self._events.emit("changed", task=self._number, text=text)

    def end(self) -> None:
        """Write the event ``ended``."""
        self._has_ended = True
        self._events.emit("ended", task=self._number)


class Both:
    """A Reporter that forwards to two others."""

    def __init__(self, one: Reporter, other: Reporter) -> None:
        self._reporters = (one, other)

    def step(self, text: str) -> None:
        """Forward to both."""
        for each in self._reporters:
            each.step(text)

    def detail(self, text: str) -> None:
        """Forward to both."""
        for each in self._reporters:
            each.detail(text)

    def warn(self, text: str) -> None:
        """Forward to both."""
        for each in self._reporters:
            each.warn(text)

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[Task]:
        """Forward to both."""
        one, other = self._reporters
        with one.task(work, text) as first, other.task(work, text) as second:
            yield _BothTasks(first, second)

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Forward to both."""
        for each in self._reporters:
            each.summary(rows)

    def for_target(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return a reporter that forwards to both reporters of the target."""
        one, other = (each.for_target(target, label, is_mute) for each in self._reporters)
        return Both(one, other)


class _BothTasks:
    """A task of two reporters."""

    def __init__(self, one: Task, other: Task) -> None:
        self._tasks = (one, other)

    def now(self, text: str) -> None:
        """Forward to both."""
        for each in self._tasks:
            each.now(text)


class Labelled:
    """A Reporter for one of several targets that prefixes every text with its label.

    Args:
        reporter: the reporter of all targets.
        label: ``debian:trixie``; empty if the reporter marks the target itself.
        is_mute: whether to drop everything, as after an interrupt, when the tasks in progress fail one by one.
    """

    def __init__(self, reporter: Reporter, label: str, is_mute: Callable[[], bool]) -> None:
        self._reporter = reporter
        self._label = label
        self._is_mute = is_mute

    def step(self, text: str) -> None:
        """Forward with the label."""
        if not self._is_mute():
            self._reporter.step(self._with_label(text))

    def detail(self, text: str) -> None:
        """Forward with the label."""
        if not self._is_mute():
            self._reporter.detail(self._with_label(text))

    def warn(self, text: str) -> None:
        """Forward with the label."""
        if not self._is_mute():
            self._reporter.warn(self._with_label(text))

    def task(self, work: Work, text: str) -> AbstractContextManager[Task]:
        """Forward with the label; a task that has begun is reported to its end."""
        return self._reporter.task(work, self._with_label(text))

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Forward unchanged."""
        self._reporter.summary(rows)

    def _with_label(self, text: str) -> str:
        return f"{self._label}: {text}" if self._label else text

    def for_target(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return the underlying reporter's reporter of the target."""
        return self._reporter.for_target(target, label, is_mute)


class Quiet:
    """A Reporter that discards everything."""

    def step(self, text: str) -> None:
        """Do nothing."""

    def detail(self, text: str) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[Task]:
        """Do nothing."""
        del work, text
        yield _QuietTask()

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Do nothing."""

    def for_target(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return itself."""
        del target, label, is_mute
        return self


class _QuietTask:
    """A task whose progress is discarded."""

    def now(self, text: str) -> None:
        """Do nothing."""
