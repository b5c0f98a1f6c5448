"""Get every wheel of a plan onto this machine: from the index, from the wheelhouse, or compiled now."""

from __future__ import annotations

import contextlib
import itertools
import threading
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from venvpkg.console import Work
from venvpkg.errors import CompileError, DownloadError, LockError, MachineError, VenvpkgError, WheelError
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import Action, CompiledWheels, PlannedWheel, ReadyWheel, SourceTree
from venvpkg.wheelbuild.job import Built, Job, run_job
from venvpkg.wheelbuild.pool import Task
from venvpkg.wheelhouse.check import check_wheel
from venvpkg.wheelhouse.plan import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from venvpkg.model.lock import BuildPins
    from venvpkg.model.wheels import WheelPlan
    from venvpkg.wheelbuild.context import WheelBuildContext


def compile_wheels(plan: WheelPlan, pins: Iterable[BuildPins], shop: WheelBuildContext) -> CompiledWheels:
    """Return every wheel of the plan, and the build requirements that were pinned on the way.

    Wheels are built several at once, the largest sources first, in the shop's pool. When one fails the others are still
    built, so that all failures are known at once; what succeeded is in the wheelhouse for the next run.

    Args:
        plan: what to get from where.
        pins: build requirements known so far, of any target.
        shop: where and with what.

    Raises:
        CompileError: some distributions cannot be built; all are named with the telling lines of their logs.
        WheelError: a publisher's wheel, an sdist or a built wheel is damaged or hostile.
        DownloadError, LockError: from fetch and pin.
        MachineError: the wheelhouse cannot be written.
    """
    shop.wheelhouse.sweep()
    pinned = {(each.name, each.source): each for each in pins if each.target == shop.target.abi_name}
    ready: dict[str, ReadyWheel] = {}
    to_build: list[PlannedWheel] = []
    for wheel in plan.wheels:
        known = shop.wheelhouse.take(wheel.key) if wheel.action is Action.REUSE and wheel.key else None
        if known is not None:
            ready[wheel.name] = known
        elif wheel.action in {Action.REUSE, Action.COMPILE}:
            to_build.append(wheel)
    if to_build:
        shop.wheelhouse.require_writable()
    known_pins = {wheel.name: pinned.get((wheel.name, _source_id(wheel))) for wheel in to_build}
    paths = _fetched(plan, to_build, known_pins.values(), shop)
    ready |= _publishers(plan, paths)
    stopping = threading.Event()
    jobs = [
        Job(
            wheel,
            paths[wheel.source] if isinstance(wheel.source, RemoteFile) else None,
            known_pins[wheel.name],
            stopping.is_set,
        )
        for wheel in to_build
    ]
    built = _run_all(jobs, shop, stopping)
    ready |= {name: each.wheel for name, each in built.items()}
    new_pins = (each.pins for _, each in sorted(built.items()))
    return CompiledWheels(
        tuple(ready[wheel.name] for wheel in plan.wheels), tuple(each for each in new_pins if each is not None)
    )


def _fetched(
    plan: WheelPlan, to_build: Iterable[PlannedWheel], pins: Iterable[BuildPins | None], shop: WheelBuildContext
) -> Mapping[RemoteFile, Path]:
    wheels = (*plan.by_action(Action.PURE), *plan.by_action(Action.BINARY), *to_build)
    files = {wheel.source for wheel in wheels if isinstance(wheel.source, RemoteFile)}
    files.update(file for each in pins if each is not None for file in each.files)
    return shop.fetch(sorted(files, key=lambda file: (file.filename, file.url))) if files else {}


def _publishers(plan: WheelPlan, paths: Mapping[RemoteFile, Path]) -> dict[str, ReadyWheel]:
    """Return the publisher's wheels after a look at their names and sizes; they are never altered.

    Their bytes are those of the lock, so contents are not hashed once more here; staging does when it installs them.
    """
    ready: dict[str, ReadyWheel] = {}
    errors: list[VenvpkgError] = []
    for wheel in (*plan.by_action(Action.PURE), *plan.by_action(Action.BINARY)):
        if isinstance(wheel.source, RemoteFile):
            path = paths[wheel.source]
            try:
                check_wheel(path, contents=False)
            except VenvpkgError as error:
                errors.append(error)
            ready[wheel.name] = ReadyWheel(wheel.name, wheel.version, path, wheel.source.sha256, wheel.action)
    if errors:
        raise _merged(errors)
    return ready


def _run_all(jobs: Sequence[Job], shop: WheelBuildContext, stopping: threading.Event) -> dict[str, Built]:
    """Run the jobs in the pool, which others may use too; an interrupt ends these at once."""
    if not jobs:
        return {}
    futures: tuple[Future[Built | VenvpkgError], ...] = ()
    try:
        with _queue(jobs, shop) as ended:
            futures = shop.pool.submit(Task(_weight(job), partial(_outcome, job, shop)) for job in jobs)
            for future in futures:
                future.add_done_callback(ended)
            first = wait(futures, return_when=FIRST_EXCEPTION).done
        for future in first:
            future.result()  # an exception comes out here, while others still run; all are done when there is none
        outcomes = [future.result() for future in futures]
    except BaseException:
        stopping.set()
        for future in futures:
            future.cancel()
        # Again and again: a job may have been about to start its next program when the others were ended.
        while running := [future for future in futures if not future.done()]:
            shop.end()
            wait(running, timeout=0.1)
        raise
    errors = [outcome for outcome in outcomes if isinstance(outcome, VenvpkgError)]
    if errors:
        raise _merged(errors)
    built = (outcome for outcome in outcomes if isinstance(outcome, Built))
    return {job.wheel.name: each for job, each in zip(jobs, built, strict=True)}


@contextlib.contextmanager
def _queue(jobs: Sequence[Job], shop: WheelBuildContext) -> Iterator[Callable[[object], None]]:
    """Show how many wheels are built, while several are; yield what is to be called at the end of each."""
    if len(jobs) == 1:
        yield lambda _: None
        return
    ended = itertools.count(1)
    with shop.reporter.task(Work.QUEUE, f"{len(jobs)} wheels to build") as task:
        yield lambda _: task.now(f"{next(ended)} of {len(jobs)} done")


def _outcome(job: Job, shop: WheelBuildContext, cores: int) -> Built | VenvpkgError:
    try:
        return run_job(replace(job, cores=cores), shop)
    except VenvpkgError as error:
        if not job.is_stopping():
            shop.reporter.warn(error.brief)
        return error


def _merged(errors: Sequence[VenvpkgError]) -> VenvpkgError:
    """Return one error that tells all; of the errors' own kind when they have one."""
    if len(errors) == 1:
        return errors[0]
    resolution = dict.fromkeys(line for error in errors for line in error.resolution.splitlines())
    details = "\n".join("\n".join(part for part in (error.brief, error.details) if part) for error in errors)
    kinds = {type(error) for error in errors}
    kind = (
        kinds.pop()
        if len(kinds) == 1 and kinds <= {WheelError, DownloadError, LockError, MachineError}
        else CompileError
    )
    return kind(f"{len(errors)} distributions cannot be had.", details=details, resolution="\n".join(resolution))


def _weight(job: Job) -> int:
    return job.sdist.stat().st_size if job.sdist is not None else 0


def _source_id(wheel: PlannedWheel) -> str:
    return DIRECTORY if isinstance(wheel.source, SourceTree) else wheel.source.sha256
