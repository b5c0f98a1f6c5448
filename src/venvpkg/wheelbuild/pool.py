"""Where compile jobs wait for a core: one pool for all targets of a call, the heaviest job that waits is the next."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


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


# What a compiler may take at its worst, such as g++ for a module of templates; most stay far below.
_BYTES_A_JOB: Final = 1 << 30
_MEMINFO = Path("/proc/meminfo")
_OWN_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def default_jobs() -> int:
    """Return how many compile jobs run at once where the user does not say: a core and a GiB for each, at least one."""
    return jobs_within(*capacity(len(os.sched_getaffinity(0)), _MEMINFO, _OWN_GROUP, _GROUPS))


def capacity(cores: int, meminfo: Path, own_group: Path, groups: Path) -> tuple[float, int]:
    """Return the cores and the bytes of memory that this process may use.

    Args:
        cores: that it may run on.
        meminfo: proc(5), /proc/meminfo.
        own_group: cgroups(7), /proc/self/cgroup.
        groups: where the control groups are mounted.
    """
    limits = tuple(_own_groups(own_group, groups))
    quotas = [cores, *(quota for group in limits if (quota := _cores(group)) is not None)]
    memory = [_available(meminfo), *(free for group in limits if (free := _free(group)) is not None)]
    return min(quotas), min(memory)


def jobs_within(cores: float, memory_bytes: int) -> int:
    """Return how many jobs fit; at least one, which then takes what there is."""
    return max(1, min(int(cores), memory_bytes // _BYTES_A_JOB))


def _own_groups(own: Path, top: Path) -> Iterator[Path]:
    """Yield the directories of this process's control group and those above it: the limits of each hold.

    Source:
        cgroups(7), /proc/pid/cgroup of version 2; the kernel's Documentation/admin-guide/cgroup-v2.rst.
    """
    line = next((each for each in _text(own).splitlines() if each.startswith("0::/")), "")
    inside = Path(line.removeprefix("0::/"))
    if line and ".." not in inside.parts:
        yield from (top / inside, *(top / parent for parent in inside.parents))


def _cores(group: Path) -> float | None:
    quota, _, period = _text(group / "cpu.max").partition(" ")
    if not (quota.isdigit() and period.strip().isdigit()) or int(period) == 0:
        return None
    return int(quota) / int(period)


def _free(group: Path) -> int | None:
    """Return the bytes that the group may still use; what it read from files and can do without counts as free."""
    limit, used = _text(group / "memory.max").strip(), _text(group / "memory.current").strip()
    if not (limit.isdigit() and used.isdigit()):
        return None
    words = dict(line.split(" ", 1) for line in _text(group / "memory.stat").splitlines() if " " in line)
    spare = words.get("inactive_file", "")
    return max(0, int(limit) - int(used) + (int(spare) if spare.isdigit() else 0))


def _available(meminfo: Path) -> int:
    """Return the bytes that programs can get without swapping; more than anybody needs where it cannot be told."""
    for line in _text(meminfo).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable" and value.split()[:1] and value.split()[0].isdigit():
            return int(value.split()[0]) * 1024
    return 1 << 62


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
