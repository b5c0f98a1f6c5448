"""Get every wheel of a plan: from an index, from the wheelhouse, or by compiling it."""

from __future__ import annotations

import contextlib
import itertools
import threading
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from packaging.version import Version

from venvpkg.console import Work
from venvpkg.errors import CompileError, DownloadError, LockError, MachineError, VenvpkgError, WheelError
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import Action, CompiledWheels, PlannedWheel, ReadyWheel, SourceTree
from venvpkg.wheelbuild.job import Built, Job, run_job
from venvpkg.wheelbuild.pool import Task
from venvpkg.wheelbuild.requirements import Requirements
from venvpkg.wheelhouse.check import check_wheel
from venvpkg.wheelhouse.plan import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from venvpkg.model.lock import BuildPins
    from venvpkg.model.wheels import WheelPlan
    from venvpkg.wheelbuild.context import WheelBuildContext


def compile_wheels(plan: WheelPlan, pins: Iterable[BuildPins], context: WheelBuildContext) -> CompiledWheels:
    """Return every wheel of the plan, and the build requirements that had to be pinned.

    Wheels are built in parallel in the context's pool, those with the largest sources first. If one fails, the others
    are still built, so that all failures are reported together; the wheels that succeed are kept in the wheelhouse.

    Args:
        plan: where each wheel comes from.
        pins: known pins of build requirements, for any target.
        context: what the wheels are compiled for and with.

    Raises:
        CompileError: some distributions cannot be built; the error lists all, with the relevant lines of their logs.
        WheelError: a prebuilt wheel, an sdist or a compiled wheel is damaged or hostile.
        DownloadError, LockError: from ``fetch`` and ``pin``; or a wheel does not have the locked version.
        MachineError: the wheelhouse cannot be written.
    """
    context.wheelhouse.sweep()
    pinned = {(each.name, each.source): each for each in pins if each.target == context.target.abi_name}
    ready: dict[str, ReadyWheel] = {}
    to_build: list[PlannedWheel] = []
    for wheel in plan.wheels:
        known = context.wheelhouse.take(wheel.key) if wheel.action is Action.REUSE and wheel.key else None
        if known is not None:
            ready[wheel.name] = known
        elif wheel.action in {Action.REUSE, Action.COMPILE}:
            to_build.append(wheel)
    if to_build:
        context.wheelhouse.require_writable()
    known_pins = {wheel.name: pinned.get((wheel.name, _source_id(wheel))) for wheel in to_build}
    paths = _fetch_files(plan, to_build, known_pins.values(), context)
    ready |= _check_prebuilt_wheels(plan, paths)
    stopping = threading.Event()
    requirements = Requirements(pinned.values(), run_job, context)
    jobs = [
        Job(
            wheel,
            paths[wheel.source] if isinstance(wheel.source, RemoteFile) else None,
            known_pins[wheel.name],
            stopping.is_set,
            requirements,
        )
        for wheel in to_build
    ]
    built = _run_all(jobs, context, stopping)
    ready |= {name: each.wheel for name, each in built.items()}
    _require_locked_versions(plan, ready)
    new_pins = {(each.name, each.source): each for each in requirements.new_pins}
    new_pins |= {(each.pins.name, each.pins.source): each.pins for each in built.values() if each.pins is not None}
    return CompiledWheels(
        tuple(ready[wheel.name] for wheel in plan.wheels), tuple(new_pins[key] for key in sorted(new_pins))
    )


def _fetch_files(
    plan: WheelPlan, to_build: Iterable[PlannedWheel], pins: Iterable[BuildPins | None], context: WheelBuildContext
) -> Mapping[RemoteFile, Path]:
    wheels = (*plan.by_action(Action.PURE), *plan.by_action(Action.BINARY), *to_build)
    files = {wheel.source for wheel in wheels if isinstance(wheel.source, RemoteFile)}
    files.update(file for each in pins if each is not None for file in each.files)
    return context.fetch(sorted(files, key=lambda file: (file.filename, file.url))) if files else {}


def _check_prebuilt_wheels(plan: WheelPlan, paths: Mapping[RemoteFile, Path]) -> dict[str, ReadyWheel]:
    """Return the prebuilt wheels after a check of their names and sizes; they are never changed.

    Their hashes match the lock, so their contents are not hashed again here; staging does that when it installs them.
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
        raise _merge_errors(errors)
    return ready


def _require_locked_versions(plan: WheelPlan, ready: Mapping[str, ReadyWheel]) -> None:
    """Require the locked version of each wheel: if a backend computes the version, no hash pins it."""
    problems = [
        f"{wheel.name}: its wheel has version {found}, but {expected} is locked"
        for wheel in plan.wheels
        if (expected := wheel.version or wheel.locked_version)
        and Version(expected) != Version(found := ready[wheel.name].version)
    ]
    if problems:
        raise LockError(
            f"{len(problems)} distribution{'s were' if len(problems) != 1 else ' was'} not built as locked.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Run 'venvpkg lock --upgrade' if its source or the tags of its repository have changed (for the"
            " lock of another program, use that program).",
        )


def _run_all(jobs: Sequence[Job], context: WheelBuildContext, stopping: threading.Event) -> dict[str, Built]:
    """Run the jobs in the pool, which may have other users; an interrupt ends these jobs at once."""
    if not jobs:
        return {}
    futures: tuple[Future[Built | VenvpkgError], ...] = ()
    try:
        with _show_progress(jobs, context) as ended:
            futures = context.pool.submit(Task(_weight(job), partial(_run_or_warn, job, context)) for job in jobs)
            for future in futures:
                future.add_done_callback(ended)
            first = wait(futures, return_when=FIRST_EXCEPTION).done
        for future in first:
            future.result()  # raises an exception at once, while other jobs still run; without one, all are done
        outcomes = [future.result() for future in futures]
    except BaseException:
        stopping.set()
        for future in futures:
            future.cancel()
        # Repeated, because a job may have been about to start its next program when the others were ended.
        while running := [future for future in futures if not future.done()]:
            context.end()
            wait(running, timeout=0.1)
        raise
    errors = [outcome for outcome in outcomes if isinstance(outcome, VenvpkgError)]
    if errors:
        raise _merge_errors(errors)
    built = (outcome for outcome in outcomes if isinstance(outcome, Built))
    return {job.wheel.name: each for job, each in zip(jobs, built, strict=True)}


@contextlib.contextmanager
def _show_progress(jobs: Sequence[Job], context: WheelBuildContext) -> Iterator[Callable[[object], None]]:
    """Show how many of several wheels are built; yield a function to call at the end of each."""
    if len(jobs) == 1:
        yield lambda _: None
        return
    ended = itertools.count(1)
    with context.reporter.task(Work.QUEUE, f"{len(jobs)} wheels to build") as task:
        yield lambda _: task.now(f"{next(ended)} of {len(jobs)} done")


def _run_or_warn(job: Job, context: WheelBuildContext, cores: int) -> Built | VenvpkgError:
    try:
        return run_job(replace(job, cores=cores), context)
    except VenvpkgError as error:
        if not job.is_stopping():
            context.reporter.warn(error.brief)
        return error


def _merge_errors(errors: Sequence[VenvpkgError]) -> VenvpkgError:
    """Return one error with the texts of all, of their type if they have the same."""
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
    brief = f"{len(errors)} distributions could not be fetched or built."
    return kind(brief, details=details, resolution="\n".join(resolution))


def _weight(job: Job) -> int:
    return job.sdist.stat().st_size if job.sdist is not None else 0


def _source_id(wheel: PlannedWheel) -> str:
    return DIRECTORY if isinstance(wheel.source, SourceTree) else wheel.source.sha256
