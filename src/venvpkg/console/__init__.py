"""Report progress: lines for people on standard error, JSON events for programs on standard output."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager


class Verbosity(IntEnum):
    """Amount of output on standard error."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class Work(StrEnum):
    """Kind of a task; the values are part of the JSON events."""

    LOCK = "lock"
    DOWNLOAD = "download"
    QUEUE = "queue"  # wheels that wait for others to be built
    WHEEL = "wheel"
    BUILD_ROOT = "system"  # created, or packages installed into it; the value is older than the name
    WAIT = "wait"  # for a lock that another process holds
    STAGE = "stage"
    SCAN = "scan"
    DERIVE = "derive"
    PACK = "pack"


class Task(Protocol):
    """A running activity."""

    def now(self, text: str) -> None:
        """Set its current step, a few words; may be called from any thread, and often."""


class Reporter(Protocol):
    """Receives progress. Stages get one as an argument; every method may be called from any thread."""

    def step(self, text: str) -> None:
        """Report a result of a stage that is worth a line."""

    def detail(self, text: str) -> None:
        """Report a detail, which people only see with ``-v``."""

    def warn(self, text: str) -> None:
        """Report a condition that the user should know and may want to change."""

    def task(self, work: Work, text: str) -> AbstractContextManager[Task]:
        """Report an activity for the duration of the block; ``text`` describes it, ``building lxml 6.1.3``."""

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """Report the outcome of a command, as labels and values."""

    def for_target(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return the reporter for one target of several.

        Args:
            target: as the user names it.
            label: short name, for people.
            is_mute: whether to report nothing more.
        """
