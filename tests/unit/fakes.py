"""Fakes that tests share."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from venvpkg.console.events import Labelled
from venvpkg.families.common.artifact_cache import ArtifactCache
from venvpkg.host.command import Command, Completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import PurePosixPath
    from types import EllipsisType

    from venvpkg.console import Reporter, Work
    from venvpkg.host.command import Bind


Answer: TypeAlias = Completed | Callable[[Command], Completed]


@dataclass(frozen=True, eq=False)
class Expected:
    """A ``Command`` that a test expects; see ``expect``.

    ``context`` holds what decides what the program can see and do: fields of ``Command``, or functions of the command
    that return what they must be.
    """

    argv: tuple[str | EllipsisType, ...]
    context: Mapping[str, object]

    def matches(self, argv: tuple[str, ...]) -> bool:
        """Tell whether it is about this argument vector; an ellipsis at the end stands for any further arguments."""
        if self.argv[-1:] == (...,):
            return argv[: len(self.argv) - 1] == self.argv[:-1]
        return argv == self.argv

    def differences(self, command: Command) -> tuple[str, ...]:
        """Return how what the command may see and do differs from what is expected."""
        return tuple(
            f"{name}: expected {wanted!r}, not {actual!r}"
            for name in self.context
            if (wanted := self._wanted(name, command)) != (actual := getattr(command, name))
        )

    def __str__(self) -> str:
        """Return its argument vector."""
        return " ".join("..." if word is ... else word for word in self.argv)

    def _wanted(self, name: str, command: Command) -> object:
        wanted = self.context[name]
        return wanted(command) if callable(wanted) else wanted


def expect(  # noqa: PLR0913 - a Command has as many
    *argv: str | EllipsisType,
    network: bool = True,
    binds: tuple[Bind, ...] | Callable[[Command], tuple[Bind, ...]] = (),
    masked: tuple[PurePosixPath, ...] = (),
    env: Mapping[str, str] | Callable[[Command], Mapping[str, str]] | None = None,
    clean: bool = False,
    many_users: bool = False,
) -> Expected:
    """Return an expected command for ``ScriptedRunner``.

    Args:
        argv: the whole argument vector, or its beginning and ``...``.
        network: as in ``Command``, and so are all that follow; what is not given must be ``Command``'s default.
        binds: or a function of the command, where a path is known only from it.
        masked: directories that appear empty.
        env: or a function of the command, where a value is known only from it.
        clean: whether ``env`` is all of its environment.
        many_users: whether it gives files to users.
    """
    context = {
        "network": network, "binds": binds, "masked": masked, "env": env or {}, "clean": clean,
        "many_users": many_users,
    }  # fmt: skip
    return Expected(argv, context)


# Of the test that runs, or is being set up; None outside of tests.
_scripted: list[ScriptedRunner] | None = None


class ScriptedRunner:
    """A Runner that knows its answers beforehand, and fails the test on any other command.

    Of the expected commands that match, the one with the longest argument vector counts. A test fails, too, where
    a command may see or do anything else than was expected, and where an answer was never asked for: ``tests/conftest``
    sees to that at its end, so that code which swallows errors cannot hide it.
    """

    def __init__(self, answers: Mapping[Expected, Answer]) -> None:
        if _scripted is None:
            raise AssertionError("make a ScriptedRunner in a test or a fixture: nobody would check one of a module")
        _scripted.append(self)
        self.answers = dict(answers)
        self.ran: list[Command] = []
        self._unused = list(self.answers)
        self._problems: list[str] = []

    def run(self, command: Command) -> Completed:
        """Answer."""
        self.ran.append(command)
        matching = [each for each in self.answers if each.matches(command.argv)]
        if not matching:
            raise self._problem(f"no answer for: {command}")
        expected = max(matching, key=lambda each: len(each.argv))
        if differences := expected.differences(command):
            raise self._problem("\n  ".join((f"{command} is not run as expected:", *differences)))
        if expected in self._unused:
            self._unused.remove(expected)
        answer = self.answers[expected]
        return answer if isinstance(answer, Completed) else answer(command)

    def problems(self) -> tuple[str, ...]:
        """Return what a test has to fail for."""
        return (*self._problems, *(f"an answer that was never asked for: {each}" for each in self._unused))

    def _problem(self, text: str) -> AssertionError:
        self._problems.append(text)
        return AssertionError(text)


def begin_test() -> None:
    """Forget the runners of the test before."""
    global _scripted  # noqa: PLW0603 - one test runs at a time in a process
    _scripted = []


def end_test() -> tuple[str, ...]:
    """Return what the scripted runners of this test have to fail it for."""
    return tuple(problem for each in _scripted or () for problem in each.problems())


@dataclass
class RecordingReporter:
    """A Reporter that remembers; ``began`` is set when a task was begun, for who waits for that."""

    steps: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)

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
        self.began.set()
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
