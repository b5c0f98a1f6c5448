"""A pool of compile jobs, shared by all targets of a run; the heaviest waiting job runs next."""

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
    """A function to run in the pool.

    Attributes:
        weight: heavier tasks run first; in any unit.
        work: called in one of the pool's threads with the number of cores that it may use.
    """

    weight: int
    work: Callable[[int], T]


class Pool:
    """Threads that all users of the pool share.

    Args:
        jobs: number of tasks that run in parallel, and of the cores that they use together.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._running = 0
        self._executor = ThreadPoolExecutor(jobs, thread_name_prefix="compile")

    def submit(self, tasks: Iterable[Task[T]]) -> tuple[Future[T], ...]:
        """Queue tasks together, and return their futures, in order.

        Tasks of equal weight run in the order of submission. A task whose future is cancelled before never runs.
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
        """Return the number of cores for each running task; all of them for a single one if no other waits."""
        with self._lock:
            workers = min(self.jobs, self._running + len(self._waiting))
        return -(-self.jobs // max(1, workers))


def _step(task: Task[T], future: Future[T], cores: Callable[[], int]) -> Callable[[], None]:
    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(task.work(cores()))
        except BaseException as error:  # noqa: BLE001 - raised again by the future
            future.set_exception(error)

    return run


# Memory of a compiler in the worst case, such as g++ for a module full of templates; most need far less.
_BYTES_A_JOB: Final = 1 << 30
_MEMINFO = Path("/proc/meminfo")
_OWN_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def default_jobs() -> int:
    """Return the default number of parallel compile jobs: a core and a GiB for each, at least one."""
    return jobs_within(*capacity(len(os.sched_getaffinity(0)), _MEMINFO, _OWN_GROUP, _GROUPS))


def capacity(cores: int, meminfo: Path, own_group: Path, groups: Path) -> tuple[float, int]:
    """Return the number of cores and the bytes of memory that this process may use.

    Args:
        cores: number of cores in its CPU affinity.
        meminfo: /proc/meminfo; see proc(5).
        own_group: /proc/self/cgroup; see cgroups(7).
        groups: mount point of the control groups.
    """
    limits = tuple(_own_groups(own_group, groups))
    quotas = [cores, *(quota for group in limits if (quota := _cpu_quota(group)) is not None)]
    memory = [_available_bytes(meminfo), *(free for group in limits if (free := _free_bytes(group)) is not None)]
    return min(quotas), min(memory)


def jobs_within(cores: float, memory_bytes: int) -> int:
    """Return the number of jobs that fit; at least one, even if resources are short."""
    return max(1, min(int(cores), memory_bytes // _BYTES_A_JOB))


def _own_groups(own: Path, top: Path) -> Iterator[Path]:
    """Yield the directories of this process's control group and its parents; the limits of all apply.

    Source:
        cgroups(7), /proc/pid/cgroup of version 2; the kernel's Documentation/admin-guide/cgroup-v2.rst.
    """
    line = next((each for each in _read_text(own).splitlines() if each.startswith("0::/")), "")
    inside = Path(line.removeprefix("0::/"))
    if line and ".." not in inside.parts:
        yield from (top / inside, *(top / parent for parent in inside.parents))


def _cpu_quota(group: Path) -> float | None:
    quota, _, period = _read_text(group / "cpu.max").partition(" ")
    if not (quota.isdigit() and period.strip().isdigit()) or int(period) == 0:
        return None
    return int(quota) / int(period)


def _free_bytes(group: Path) -> int | None:
    """Return the bytes that the group may still use; the inactive page cache counts as free."""
    limit, used = _read_text(group / "memory.max").strip(), _read_text(group / "memory.current").strip()
    if not (limit.isdigit() and used.isdigit()):
        return None
    words = dict(line.split(" ", 1) for line in _read_text(group / "memory.stat").splitlines() if " " in line)
    spare = words.get("inactive_file", "")
    return max(0, int(limit) - int(used) + (int(spare) if spare.isdigit() else 0))


def _available_bytes(meminfo: Path) -> int:
    """Return the memory that is available without swapping, in bytes; effectively unlimited if unknown."""
    for line in _read_text(meminfo).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable" and value.split()[:1] and value.split()[0].isdigit():
            return int(value.split()[0]) * 1024
    return 1 << 62


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
