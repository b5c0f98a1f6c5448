"""Build one wheel: ask the backend what it needs, make its environment, build, repack, keep."""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.console import Work
from venvpkg.errors import CompileError
from venvpkg.host.files import open_atomic
from venvpkg.model.lock import BuildPins
from venvpkg.model.wheels import SourceTree
from venvpkg.sources.build_sandbox import BuildSandbox, shown_interpreter
from venvpkg.sources.build_system import read_build_system, requirement_problems
from venvpkg.sources.crates import CratesError, copy_crates, describe_missing_crates, missing_crates
from venvpkg.sources.diagnose import diagnose
from venvpkg.sources.source_tree import copy_tree
from venvpkg.sources.unpack import EARLIEST_TIME, unpack_sdist
from venvpkg.store.filecache import key_of
from venvpkg.wheelbuild.backend import (
    HookFailedError,
    ask_requires,
    build_raw_wheel,
    build_variables,
    make_environment,
    prepare_directories,
    tools,
)
from venvpkg.wheelbuild.repack import repack_wheel
from venvpkg.wheelhouse.key import key_inputs, source_id
from venvpkg.wheelhouse.plan import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from venvpkg.console import Task
    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.wheels import PlannedWheel, ReadyWheel
    from venvpkg.sources.build_system import BuildSystem
    from venvpkg.store.filecache import Json
    from venvpkg.wheelbuild.context import WheelBuildContext


_LOG_END_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """One wheel to build.

    Attributes:
        wheel: what is planned.
        sdist: its source here; None for the application's own tree.
        pins: its build requirements, if they are known.
        is_stopping: whether the run is being ended.
        cores: that its build may use; known when it begins.
    """

    wheel: PlannedWheel
    sdist: Path | None
    pins: BuildPins | None
    is_stopping: Callable[[], bool]
    cores: int = 1

    @property
    def label(self) -> str:
        """``lxml-6.1.3``, for directories and logs."""
        return f"{self.wheel.name}-{self.wheel.version}".removesuffix("-")

    @property
    def title(self) -> str:
        """``lxml 6.1.3``, for people."""
        return f"{self.wheel.name} {self.wheel.version}".rstrip()


@dataclass(frozen=True, slots=True)
class Built:
    """What a job made: the wheel, and its build requirements when they were not known before."""

    wheel: ReadyWheel
    pins: BuildPins | None


def run_job(job: Job, shop: WheelBuildContext) -> Built:
    """Build the wheel and keep it in the wheelhouse; or find it there, once its key is known.

    Raises:
        CompileError: it cannot be built; with the telling lines of the log, which is kept.
        WheelError: the sdist or what was built from it is damaged or hostile.
        LockError, DownloadError: its build requirements cannot be had.
        StoppedError: the run is being ended.
    """
    place = shop.workspace / "compile" / job.label
    log = shop.workspace / "logs" / f"{job.label}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    kept_log = shop.logs / f"{job.label}-{shop.target.abi_name}.log"
    try:
        with shop.reporter.task(Work.WHEEL, f"building {job.title}") as task:
            return _Building(job, shop, place, log, task).run()
    except HookFailedError as error:
        diagnosis = diagnose(_end_of(log))
        raise CompileError(
            f"{job.title} cannot be built ({error}).",
            details="\n".join((*(f"  {line}" for line in diagnosis.lines), f"  The whole log: {kept_log}")),
            resolution="\n".join(diagnosis.advice) or "Read the log; or use the publisher's wheel (policy `binary`).",
        ) from error
    except OSError as error:
        raise CompileError(
            f"{job.title} cannot be built: {error.strerror or error}.",
            details=f"  {error}",
            resolution="Give the cache space and permission, or choose another with --cache.",
        ) from error
    finally:
        # Without its log an error is still better than another error about the log.
        with contextlib.suppress(OSError), log.open("rb") as source, open_atomic(kept_log) as copy:
            shutil.copyfileobj(source, copy)
        shutil.rmtree(place, ignore_errors=True)


class _Building:
    """One job on its way."""

    def __init__(self, job: Job, shop: WheelBuildContext, place: Path, log: Path, task: Task) -> None:
        self._job = job
        self._shop = shop
        self._task = task
        task.now("laying out its source")
        self._python = shop.target.interpreter.path
        self._place = place
        self._epoch = self._lay_source(place / "src")
        variables = build_variables(job.label, self._epoch, shop.toolchain, job.cores)
        shown = (*tools(shop.uv), *shown_interpreter(shop.target))
        self._sandbox = BuildSandbox(place, log, shop.runner, variables, job.is_stopping, shown)

    def run(self) -> Built:
        start, wheel = time.monotonic(), self._job.wheel
        system = read_build_system(self._place / "src", self._job.title, _subdirectory(wheel))
        prepare_directories(self._sandbox, self._shop.uv_libraries)
        pins = self._settled_pins(system)
        new = None if pins == self._job.pins else pins
        inputs = key_inputs(
            name=wheel.name,
            version=wheel.version,
            source=source_id(wheel.source),
            requirements=pins.files,
            target=self._shop.target,
            toolchain=self._shop.toolchain,
        )
        known = self._shop.wheelhouse.take(key_of(inputs))
        if known is not None:
            self._shop.reporter.step(f"found {known.path.name}, built before from the same inputs")
            return Built(known, new)
        self._lay_crates(system)
        self._task.now("compiling")
        raw = build_raw_wheel(self._sandbox, self._python, system)
        self._task.now("packing")
        finished = repack_wheel(
            raw, wheel, target=self._shop.target, sandbox=self._sandbox, write_sbom=self._shop.write_sbom
        )
        about: dict[str, Json] = {
            "backend": system.backend,
            "requires": list(pins.requires),
            "source_date_epoch": self._epoch,
        }
        ready = self._shop.wheelhouse.publish(finished.wheel, inputs, about, finished.debug)
        self._shop.reporter.step(f"built {ready.path.name} in {time.monotonic() - start:.1f} s")
        return Built(ready, new)

    def _lay_crates(self, system: BuildSystem) -> None:
        """Put the Rust crates there that the source does not bring; its Cargo.lock, and so its key, pins them."""
        source = self._place / "src"
        crates = missing_crates(source, system)
        if not crates:
            return
        try:
            copy_crates(self._shop.crates.vendor(source, self._job.title), self._sandbox)
        except CratesError as error:
            raise CompileError(
                f"{self._job.title} cannot be built: {describe_missing_crates(crates, 'its source')}, and {error}.",
                details=error.output,
                resolution="Install cargo and rustc (Debian 12 has newer ones as cargo-web and rustc-web), and name a"
                " registry that is reachable in cargo's configuration ([source.crates-io] replace-with); or use the"
                " publisher's wheel (policy `binary`).",
            ) from error

    def _settled_pins(self, system: BuildSystem) -> BuildPins:
        """Return the build requirements; source and environment are then as they must be for the build.

        A backend answers for its sdist always the same on one target, so pins of an sdist are taken as they are. The
        application's own tree changes: its backend is asked each time it is built, which needs no network when the
        answer is the one that is pinned.
        """
        pins = self._job.pins
        if pins is not None and not set(system.requires) <= set(pins.requires):
            pins = None
        if pins is not None and not isinstance(self._job.wheel.source, SourceTree):
            self._make_environment(pins.files)
            return pins
        files = pins.files if pins is not None else self._pinned(system.requires)
        self._make_environment(files)
        requires = tuple(sorted({*system.requires, *self._asked(system)}))
        if pins is None or requires != pins.requires:
            wanted = files if pins is None and requires == system.requires else self._pinned(requires)
            pins = BuildPins(self._job.wheel.name, self._source_id(), self._shop.target.abi_name, requires, wanted)
        if pins.files != files:
            self._make_environment(pins.files)
        # The hook may have written among the sources (setuptools' egg-info), which can change what is built.
        shutil.rmtree(self._place / "src")
        self._lay_source(self._place / "src")
        return pins

    def _asked(self, system: BuildSystem) -> tuple[str, ...]:
        self._task.now("asking its backend what it needs")
        answer = ask_requires(self._sandbox, self._python, system)
        problems = requirement_problems(answer)
        if problems:
            raise CompileError(
                f"{self._job.title} cannot be built: its backend asks for what is no requirement.",
                details="\n".join(f"  {problem}" for problem in problems),
                resolution="Report it to its publisher, or choose another version.",
            )
        return answer

    def _pinned(self, requires: tuple[str, ...]) -> tuple[RemoteFile, ...]:
        self._task.now("resolving what its backend needs")
        return tuple(sorted(self._shop.pin(requires))) if requires else ()

    def _make_environment(self, files: tuple[RemoteFile, ...]) -> None:
        self._task.now("making its build environment")
        make_environment(self._sandbox, self._python, files, self._shop.fetch(files) if files else {})

    def _lay_source(self, directory: Path) -> int:
        """Put the source there; return the SOURCE_DATE_EPOCH of its build."""
        source = self._job.wheel.source
        if isinstance(source, SourceTree):
            copy_tree(source, directory, EARLIEST_TIME)
            return EARLIEST_TIME
        if self._job.sdist is None:
            raise CompileError(f"The sdist of {self._job.title} was not fetched.")
        return unpack_sdist(self._job.sdist, directory)

    def _source_id(self) -> str:
        source = self._job.wheel.source
        return DIRECTORY if isinstance(source, SourceTree) else source.sha256


def _subdirectory(wheel: PlannedWheel) -> str:
    return "" if isinstance(wheel.source, SourceTree) else wheel.source.subdirectory


def _end_of(log: Path) -> str:
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_END_BYTES))
        return file.read().decode("utf-8", "replace")
