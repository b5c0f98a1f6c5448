"""Fakes that tests share."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.console.events import Labelled
from venvpkg.families.common.artifact_cache import ArtifactCache
from venvpkg.host.command import Command, Completed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from venvpkg.console import Reporter, Work


@dataclass
class ScriptedRunner:
    """A Runner that knows its answers beforehand and fails on any other command.

    ``answers`` maps the beginning of an argument vector to an answer, or to a function of the command.
    """

    answers: Mapping[tuple[str, ...], Completed | Callable[[Command], Completed]]
    ran: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Completed:
        self.ran.append(command)
        for start, answer in sorted(self.answers.items(), key=lambda item: -len(item[0])):
            if command.argv[: len(start)] == start:
                return answer if isinstance(answer, Completed) else answer(command)
        raise AssertionError(f"no answer for: {command}")


@dataclass
class RecordingReporter:
    """A Reporter that remembers."""

    steps: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)

    def step(self, text: str) -> None:
        self.steps.append(text)

    def detail(self, text: str) -> None:
        self.details.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    @contextlib.contextmanager
    def task(self, work: Work, text: str) -> Iterator[RecordedTask]:
        """Remember that it began, what it did, and that it ended: ``+ wheel building lxml``, ``- wheel …``."""
        self.tasks.append(f"+ {work} {text}")
        try:
            yield RecordedTask(self.tasks)
        finally:
            self.tasks.append(f"- {work} {text}")

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        self.rows.extend(rows)

    def for_target(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        del target
        return Labelled(self, label, is_mute)


@dataclass
class RecordedTask:
    """A Task that remembers what it did."""

    heard: list[str]

    def now(self, text: str) -> None:
        self.heard.append(f"  {text}")


# Where no directory can be, nothing was kept and nothing will be.
NOTHING_PACKED = ArtifactCache(Path(os.devnull, "packed"), (), RecordingReporter())
