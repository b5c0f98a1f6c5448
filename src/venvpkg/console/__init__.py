"""What is told while venvpkg works: to people on standard error, to programs that ask for it on standard output."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager


class Verbosity(IntEnum):
    """How much people want to read."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class Work(StrEnum):
    """What a task is about; programs read the value."""

    LOCK = "lock"
    DOWNLOAD = "download"
    QUEUE = "queue"  # wheels that wait until others are built
    WHEEL = "wheel"
    BUILD_ROOT = "system"  # created, or given packages; the value is older than the name
    WAIT = "wait"  # for something that another process holds
    STAGE = "stage"
    SCAN = "scan"
    DERIVE = "derive"
    PACK = "pack"


class Task(Protocol):
    """Something that runs."""

    def now(self, text: str) -> None:
        """Say what it is doing now, in a few words; may be called from any thread, and often."""


class Reporter(Protocol):
    """Hears what happens. Stages get one as an argument; every method may be called from any thread."""

    def step(self, text: str) -> None:
        """A stage did something worth a line."""

    def detail(self, text: str) -> None:
        """Something only ``-v`` shows."""

    def warn(self, text: str) -> None:
        """Something the user should know and may want to change."""

    def task(self, work: Work, text: str) -> AbstractContextManager[Task]:
        """Something runs as long as the block; ``text`` says what, as ``building lxml 6.1.3``."""

    def summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """What a command came to: label and value."""

    def about(self, target: str, label: str, is_mute: Callable[[], bool]) -> Reporter:
        """Return the reporter of one target of several.

        Args:
            target: as the user names it.
            label: short name, for people.
            is_mute: whether nothing more is told of it.
        """
