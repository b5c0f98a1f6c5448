"""A Report of one part of a run, such as one target of several, to one that hears of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from venvpkg.console import Report, Task, Work


class Labelled:
    """A Report that says of which part it speaks.

    Args:
        report: hears of all parts.
        label: ``debian:trixie``; before every text. Empty where the report knows.
        is_mute: whether nothing more is told, as while the run is ended: what was begun then fails one after the other.
    """

    def __init__(self, report: Report, label: str, is_mute: Callable[[], bool]) -> None:
        self._report = report
        self._label = label
        self._is_mute = is_mute

    def step(self, text: str) -> None:
        """Pass it on."""
        if not self._is_mute():
            self._report.step(self._told(text))

    def detail(self, text: str) -> None:
        """Pass it on."""
        if not self._is_mute():
            self._report.detail(self._told(text))

    def warn(self, text: str) -> None:
        """Pass it on."""
        if not self._is_mute():
            self._report.warn(self._told(text))

    def task(self, work: Work, text: str) -> AbstractContextManager[Task]:
        """Pass it on; it is told of to its end."""
        return self._report.task(work, self._told(text))

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Pass it on as it is."""
        self._report.summary(rows)

    def _told(self, text: str) -> str:
        return f"{self._label}: {text}" if self._label else text
