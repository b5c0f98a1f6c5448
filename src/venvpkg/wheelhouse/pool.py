"""Where compile jobs wait for a core: one pool for all targets of a call, the heaviest job that waits is the next."""

from __future__ import annotations

import heapq
import itertools
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """Something that wants a core.

    Attributes:
        weight: the heavier is run first; in any unit.
        work: called in one of the pool's threads, with the number of cores that it may use.
    """

    weight: int
    work: Callable[[int], T]


class Pool:
    """Threads that everybody who was given the pool shares.

    Args:
        jobs: how many tasks run at once; all of them together use as many cores.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._running = 0
        self._executor = ThreadPoolExecutor(jobs, thread_name_prefix="compile")

    def submit(self, tasks: Iterable[Task[T]]) -> tuple[Future[T], ...]:
        """Let tasks wait together, and return what will come of each, in their order.

        Of equal weight, the one that came first is the first. One whose future is cancelled while it waits never runs.
        """
        futures: list[Future[T]] = []
        with self._lock:
            for task in tasks:
                future: Future[T] = Future()
                futures.append(future)
                heapq.heappush(self._waiting, (-task.weight, next(self._numbers), _step(task, future, self._cores)))
        for _ in futures:
            self._executor.submit(self._run_heaviest)
        return tuple(futures)

    def _run_heaviest(self) -> None:
        with self._lock:
            *_, step = heapq.heappop(self._waiting)
            self._running += 1
        try:
            step()
        finally:
            with self._lock:
                self._running -= 1

    def _cores(self) -> int:
        """Return how many cores one of those that run now may use: all of them, where nothing else wants any."""
        with self._lock:
            workers = min(self.jobs, self._running + len(self._waiting))
        return -(-self.jobs // max(1, workers))


def _step(task: Task[T], future: Future[T], cores: Callable[[], int]) -> Callable[[], None]:
    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(task.work(cores()))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    return run
