"""Build one wheel: pin its build requirements, create its build environment, call the backend, repack, store."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.console import Work
from venvpkg.errors import CompileError, MachineError
from venvpkg.host.files import keep_log, read_log_end
from venvpkg.host.oserrors import environment_error_in, is_environment_error
from venvpkg.model.lock import BuildPins
from venvpkg.model.wheels import SourceTree
from venvpkg.sources.build_sandbox import BuildSandbox, shown_interpreter
from venvpkg.sources.build_system import read_build_system, requirement_problems
from venvpkg.sources.crates import CratesError, copy_crates, describe_missing_crates, missing_crates
from venvpkg.sources.diagnose import diagnose
from venvpkg.sources.source_tree import copy_tree
from venvpkg.sources.unpack import EARLIEST_TIME, unpack_sdist
from venvpkg.store.filecache import key_of
from venvpkg.text import strip_credentials
from venvpkg.wheelbuild.backend import (
    HookFailedError,
    build_raw_wheel,
    build_variables,
    create_build_environment,
    get_build_requires,
    git_variables,
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
    from venvpkg.wheelbuild.requirements import Requirements


_LOG_END_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """A wheel to build.

    Attributes:
        wheel: the planned wheel.
        sdist: path of its sdist; None for the application's own tree.
        pins: its pinned build requirements; None if they are not known.
        is_stopping: whether the run is ending.
        requirements: the build requirements of the run.
        cores: number of cores for its build; set when it begins.
        parents: source and title of the wheels that require it for their build, outermost first; empty if packaged.
    """

    wheel: PlannedWheel
    sdist: Path | None
    pins: BuildPins | None
    is_stopping: Callable[[], bool]
    requirements: Requirements
    cores: int = 1
    parents: tuple[tuple[str, str], ...] = ()

    @property
    def general_advice(self) -> str:
        """What to do about a failure without a known cause; nobody else publishes a wheel of a source tree."""
        is_tree = isinstance(self.wheel.source, SourceTree)
        return "Read the log." if is_tree else "Read the log, or use the prebuilt wheel (policy `binary`)."

    @property
    def label(self) -> str:
        """Name for directories and logs, ``lxml-6.1.3``."""
        return f"{self.wheel.name}-{self.wheel.version}".removesuffix("-")

    @property
    def title(self) -> str:
        """Name for messages, ``lxml 6.1.3``."""
        return f"{self.wheel.name} {self.wheel.version}".rstrip()


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a job: the wheel, and the pins of its build requirements if they are new."""

    wheel: ReadyWheel
    pins: BuildPins | None


def run_job(job: Job, context: WheelBuildContext) -> Built:
    """Build the wheel and store it in the wheelhouse, or find it there once its key is known.

    Raises:
        MachineError: space or permission was missing on the machine, or a file became too large.
        CompileError: it cannot be built; the error has the relevant lines of the log, which is kept.
        WheelError: the sdist or the wheel built from it is damaged or hostile.
        LockError, DownloadError: its build requirements could not be resolved or fetched.
        StoppedError: the run is ending.
    """
    # The same sdist can be compiled for the package and for another build at once; a path does not change the bytes.
    role = "required-" if job.parents else ""
    place = context.workspace / "compile" / f"{role}{job.label}"
    log = context.workspace / "logs" / f"{role}{job.label}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    kept_log = context.logs / f"{role}{job.label}-{context.target.abi_name}.log"
    try:
        with context.reporter.task(Work.WHEEL, f"building {job.title}") as task:
            return _Building(job, context, place, log, task).run()
    except HookFailedError as error:
        end = read_log_end(log, context.secrets, _LOG_END_BYTES)
        refusal = environment_error_in(end, is_sandboxed=True)
        if refusal is not None:
            raise MachineError(
                f"{job.title} cannot be built: {refusal.brief}",
                details=f"{refusal.details}\n  The full log: {kept_log}",
                resolution=refusal.resolution,
            ) from error
        diagnosis = diagnose(end)
        raise CompileError(
            f"{job.title} cannot be built ({error}).",
            details="\n".join((*(f"  {line}" for line in diagnosis.lines), f"  The full log: {kept_log}")),
            resolution="\n".join(diagnosis.advice) or job.general_advice,
        ) from error
    except OSError as error:
        kind = MachineError if is_environment_error(error) else CompileError
        raise kind(
            f"{job.title} cannot be built: {error.strerror or error}.",
            details=f"  {error}",
            resolution="Give the cache space and permissions, or choose another with --cache.",
        ) from error
    finally:
        keep_log(log, kept_log, context.secrets)
        shutil.rmtree(place, ignore_errors=True)


class _Building:
    """The state of a running job."""

    def __init__(self, job: Job, context: WheelBuildContext, place: Path, log: Path, task: Task) -> None:
        self._job = job
        self._context = context
        self._task = task
        task.now("laying out its source")
        self._python = context.target.interpreter.path
        self._place = place
        self._epoch = self._unpack_source(place / "src")
        variables = build_variables(job.label, self._epoch, context.toolchain, job.cores)
        if isinstance(job.wheel.source, SourceTree) and job.wheel.source.repository is not None:
            variables |= git_variables(has_own=bool(context.git))
        shown = (*tools(context.uv), *shown_interpreter(context.target))
        self._sandbox = BuildSandbox(place, log, context.runner, variables, job.is_stopping, shown)

    def run(self) -> Built:
        start, wheel = time.monotonic(), self._job.wheel
        system = read_build_system(self._place / "src", self._job.title, _subdirectory(wheel))
        prepare_directories(self._sandbox, self._context.uv_libraries, self._context.git)
        pins = self._determine_pins(system)
        new = None if pins == self._job.pins else pins
        inputs = key_inputs(
            name=wheel.name,
            version=wheel.version,
            source=source_id(wheel.source),
            requirements=self._job.requirements.with_their_requirements(pins.files),
            target=self._context.target,
            toolchain=self._context.toolchain,
        )
        known = self._context.wheelhouse.take(key_of(inputs))
        if known is not None:
            self._context.reporter.step(f"found {known.path.name}, built before from the same inputs")
            return Built(known, new)
        self._context.wheelhouse.require_free(key_of(inputs))
        self._add_crates(system)
        self._task.now("compiling")
        raw = build_raw_wheel(self._sandbox, self._python, system)
        self._task.now("packing")
        finished = repack_wheel(
            raw,
            wheel,
            target=self._context.target,
            sandbox=self._sandbox,
            write_sbom=self._context.write_sbom,
            secrets=self._context.secrets,
        )
        if finished.has_credentials_removed:
            self._context.reporter.warn(
                f"{self._job.title}: users and passwords were removed from the URLs in its METADATA; keep them in netrc"
            )
        about: dict[str, Json] = {
            "backend": system.backend,
            "requires": list(map(strip_credentials, pins.requires)),
            "source_date_epoch": self._epoch,
        }
        ready = self._context.wheelhouse.publish(finished.wheel, inputs, about, finished.debug)
        self._context.reporter.step(f"built {ready.path.name} in {time.monotonic() - start:.1f} s")
        return Built(ready, new)

    def _add_crates(self, system: BuildSystem) -> None:
        """Copy the Rust crates that the source does not include; its Cargo.lock, and so its key, pins them."""
        source = self._place / "src"
        crates = missing_crates(source, system)
        if not crates:
            return
        try:
            copy_crates(self._context.crates.vendor(source, self._job.title), self._sandbox)
        except CratesError as error:
            raise CompileError(
                f"{self._job.title} cannot be built: {describe_missing_crates(crates, 'its source')}, and {error}.",
                details=error.output,
                resolution="Install cargo and rustc (Debian 12 has newer ones as cargo-web and rustc-web), and"
                " configure a reachable registry for cargo ([source.crates-io] replace-with); or use the prebuilt"
                " wheel (policy `binary`).",
            ) from error

    def _determine_pins(self, system: BuildSystem) -> BuildPins:
        """Return the pinned build requirements, with the source and the build environment ready for the build.

        For an sdist a backend always returns the same requirements on one target, so existing pins are used. The
        application's own tree changes, so its backend is called for every build. That needs no network if the
        requirements match the pins.
        """
        pins = self._job.pins
        if pins is not None and not set(system.requires) <= set(pins.requires):
            pins = None
        if pins is not None and not isinstance(self._job.wheel.source, SourceTree):
            self._create_environment(pins.files)
            return pins
        files = pins.files if pins is not None else self._pin(system.requires)
        self._create_environment(files)
        requires = tuple(sorted({*system.requires, *self._ask_backend(system)}))
        if pins is None or requires != pins.requires:
            wanted = files if pins is None and requires == system.requires else self._pin(requires)
            pins = BuildPins(self._job.wheel.name, self._source_id(), self._context.target.abi_name, requires, wanted)
        if pins.files != files:
            self._create_environment(pins.files)
        # The hook may have written into the source (setuptools' egg-info), which can change the wheel.
        shutil.rmtree(self._place / "src")
        self._unpack_source(self._place / "src")
        return pins

    def _ask_backend(self, system: BuildSystem) -> tuple[str, ...]:
        self._task.now("asking its backend what it needs")
        answer = get_build_requires(self._sandbox, self._python, system)
        problems = requirement_problems(answer)
        if problems:
            raise CompileError(
                f"{self._job.title} cannot be built: its backend returned invalid requirements.",
                details="\n".join(f"  {problem}" for problem in problems),
                resolution="Report it to its publisher, or use another version.",
            )
        return answer

    def _pin(self, requires: tuple[str, ...]) -> tuple[RemoteFile, ...]:
        self._task.now("resolving what its backend needs")
        return tuple(sorted(self._context.pin(requires))) if requires else ()

    def _create_environment(self, files: tuple[RemoteFile, ...]) -> None:
        wheels, paths = self._job.requirements.wheels(files, self._job)
        self._task.now("making its build environment")
        create_build_environment(self._sandbox, self._python, wheels, paths)

    def _unpack_source(self, directory: Path) -> int:
        """Unpack or copy the source into ``directory``, and return the SOURCE_DATE_EPOCH of its build."""
        source = self._job.wheel.source
        if isinstance(source, SourceTree):
            copy_tree(source, directory / _subdirectory(self._job.wheel), EARLIEST_TIME)
            self._context.repositories.lay(source, directory)
            return EARLIEST_TIME
        if self._job.sdist is None:
            raise CompileError(f"the sdist of {self._job.title} was not fetched.")
        return unpack_sdist(self._job.sdist, directory)

    def _source_id(self) -> str:
        source = self._job.wheel.source
        return DIRECTORY if isinstance(source, SourceTree) else source.sha256


def _subdirectory(wheel: PlannedWheel) -> str:
    if isinstance(wheel.source, SourceTree):
        return wheel.source.repository.prefix if wheel.source.repository else ""
    return wheel.source.subdirectory
