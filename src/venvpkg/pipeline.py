"""The stages in order."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from venvpkg.backends import backend_of
from venvpkg.config.inclusions import read_inclusions
from venvpkg.config.project import read_project
from venvpkg.config.starter import Detected
from venvpkg.config.table import settings_table
from venvpkg.config.write_starter import declared_commands, require_unconfigured, write_starter
from venvpkg.depends.explain import explanation
from venvpkg.depends.record import dump_record, load_record
from venvpkg.elf.tree import scan
from venvpkg.errors import AssembleError, DownloadError, LockError, MissingToolError
from venvpkg.host.files import write_whole
from venvpkg.host.places import workspace
from venvpkg.host.tools import find_uv
from venvpkg.lock.build_pins import read_build_pins, write_build_pins
from venvpkg.lock.build_requirements import pin_build_requirements
from venvpkg.lock.credentials import without_credentials
from venvpkg.lock.download import Downloads
from venvpkg.lock.obtain import obtain_lock, renew_lock
from venvpkg.lock.pip_settings import uv_settings
from venvpkg.lock.uv import Resolver
from venvpkg.model.lock import LockedCommit, LockedDirectory
from venvpkg.model.record import BuildRecord
from venvpkg.model.target import Family
from venvpkg.model.wheels import Action
from venvpkg.record.file import dump_record as dump_build_record
from venvpkg.record.file import record_path
from venvpkg.record.inputs import Ingredients, inputs_of
from venvpkg.sbom.bundled import bundled_libraries
from venvpkg.sbom.cyclonedx import Contents, bill_of_materials
from venvpkg.staging.clock import source_date_epoch
from venvpkg.staging.stage import stage
from venvpkg.targets.abilities import Purpose, lacks, require
from venvpkg.targets.host import resolve_host
from venvpkg.wheelhouse.checkout import Checkouts
from venvpkg.wheelhouse.compile import compile_wheels
from venvpkg.wheelhouse.plan import plan_wheels
from venvpkg.wheelhouse.source_tree import read_source_tree
from venvpkg.wheelhouse.store import Wheelhouse
from venvpkg.wheelhouse.toolchain import read_toolchain
from venvpkg.wheelhouse.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvpkg.console import Report
    from venvpkg.host.places import Places
    from venvpkg.host.runner import Runner, Streamer, SubprocessRunner
    from venvpkg.lock.obtain import ObtainedLock
    from venvpkg.model.inspection import Inspection
    from venvpkg.model.lock import BuildPins, Lock
    from venvpkg.model.package import Artifact
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel, SourceTree, WheelPlan
    from venvpkg.targets.abilities import Lack
    from venvpkg.wheelhouse.toolchain import Toolchain


@dataclass(frozen=True, slots=True)
class Session:
    """One run of venvpkg: what every stage works with.

    Attributes:
        runner: the door to other programs.
        report: hears what happens.
        places: directories that outlive the run.
        environment: venvpkg's own environment variables.
        jobs: how many things may run at once.
        offline: use nothing from the network.
    """

    runner: SubprocessRunner
    report: Report
    places: Places
    environment: Mapping[str, str]
    jobs: int
    offline: bool


def read(
    application: str, overrides: Mapping[str, str | Sequence[str]], environment: Mapping[str, str] | None = None
) -> Project:
    """Return the project that the command line names; see ``config.project``."""
    return read_project(application, overrides, Path.cwd(), environment)


def build(project: Project, destination: Path, session: Session, *, locked: bool) -> Artifact:
    """Build the native package of ``project``, and write it and its record into ``destination``.

    Args:
        project: what to build.
        destination: directory for the package; made when it is not there.
        session: this run.
        locked: fail when the lock is missing or out of date, instead of resolving.

    Raises:
        VenvpkgError: a stage failed; each family has its exit code.
    """
    artifact, record = build_recorded(project, destination, session, locked=locked)
    path = record_path(artifact.path)
    try:
        write_whole(path, dump_build_record(record))
    except OSError as error:
        raise AssembleError(f"{path} cannot be written: {error.strerror}.") from error
    return artifact


def build_recorded(
    project: Project, destination: Path, session: Session, *, locked: bool, leave_out: tuple[Path, ...] = ()
) -> tuple[Artifact, BuildRecord]:
    """Build the native package of ``project``, and return it with its record, which is not written.

    Args:
        project: what to build.
        destination: directory for the package; made when it is not there.
        session: this run.
        locked: fail when the lock is missing or out of date, instead of resolving.
        leave_out: further directories inside the project that are no source.

    Raises:
        VenvpkgError: a stage failed; each family has its exit code.
    """
    target = resolve_host(session.runner)
    project = project.on(target.release)
    backend = backend_of(target.family)
    inclusions = read_inclusions(project, session.runner)
    backend.check(project, inclusions)
    with _at_work(project, session) as (work, resolver):
        obtained = obtain_lock(project, target, resolver, locked=locked)
        lock = obtained.lock
        toolchain = read_toolchain(target, session.runner)
        plan = _plan(project, lock, target, session, toolchain=toolchain, no_source=(destination, *leave_out))
        _require_abilities(project, plan, target, session)
        for wheel in plan.by_action(Action.BINARY):
            session.report.warn(f"{wheel.name} {wheel.version}: {wheel.reason}")
        wheels = _compile(project, plan, target, session, toolchain=toolchain, resolver=resolver)
        staged = stage(
            project, wheels, target,
            workspace=work, places=session.places, runner=session.runner, report=session.report,
            files=inclusions.files,
        )  # fmt: skip
        count = len(staged.distributions)
        session.report.step(f"staged {count} distribution{'s' * (count != 1)} at {staged.prefix}")
        report = scan(staged.destdir, target, session.report)
        dependencies = backend.derive_dependencies(
            report, staged, target, session.runner, session.report,
            declared=project.settings.depends, sonames=project.settings.sonames,
        )  # fmt: skip
        epoch = source_date_epoch(project, lock, session.environment, session.runner)
        bundled = bundled_libraries(staged, report, wheels, session.report)
        sbom = bill_of_materials(
            Contents(project.package_name, target, staged, plan, wheels, dependencies, bundled, epoch)
        )
        spec = backend.compose(
            project, staged, dependencies, epoch,
            evidence=dump_record(dependencies), inclusions=inclusions, sbom=sbom,
        )  # fmt: skip
        artifact = backend.assemble(spec, target, destination, session.runner, session.report)
        ingredients = Ingredients(
            target, plan, wheels, read_build_pins(project.build_lock), dependencies, inclusions,
            toolchain.flags, toolchain.packages, backend.packers(target, session.runner),
        )  # fmt: skip
        record = _record(project, obtained, artifact, inputs_of(ingredients))
    session.report.step(f"wrote {artifact.path.name}, {artifact.size_bytes / 1e6:.1f} MB")
    return artifact, record


def init(project: Project, session: Session) -> Path:
    """Write the first configuration of an application, with what is known of it, and return the file's path."""
    require_unconfigured(project)
    native, unknown = None, ""
    try:
        chosen = plan(project, session)
        built = (*chosen.by_action(Action.COMPILE), *chosen.by_action(Action.REUSE))
        native = tuple(sorted(each.name for each in built if each.name != project.name or project.directory is None))
    except (DownloadError, LockError, MissingToolError) as error:
        unknown = error.brief
        session.report.warn(f"the distributions that will be compiled are not known: {unknown}")
    detected = Detected(project.package_name, declared_commands(project), native, unknown)
    return write_starter(project, detected)


def plan(project: Project, session: Session) -> WheelPlan:
    """Return what a build would do for each distribution, and why; the project and the wheelhouse stay as they are."""
    target = resolve_host(session.runner)
    project = project.on(target.release)
    with _at_work(project, session) as (_, resolver):
        lock = obtain_lock(project, target, resolver, preview=True).lock
        return _plan(project, lock, target, session, toolchain=read_toolchain(target, session.runner))


def lock(project: Project, session: Session, *, upgrade: bool) -> Path:
    """Resolve ``project``, write its lock and return it."""
    target = resolve_host(session.runner)
    project = project.on(target.release)
    with _at_work(project, session) as (_, resolver):
        return renew_lock(project, target, resolver, upgrade=upgrade)


def examine(project: Project | None, session: Session) -> tuple[Target, tuple[Lack, ...]]:
    """Return this machine as a target, and what it lacks for building there."""
    target = resolve_host(session.runner)
    wanted = project.on(target.release).settings.build_depends if project else ()
    return target, lacks(target, session.runner, wanted)


def explain(artifact: Path, package: str | None, runner: Runner) -> str:
    """Return why a package depends on what it depends on; see ``depends.explain``."""
    return explanation(load_record(backend_of(Family.DEB).read_evidence(artifact, runner), artifact.name), package)


def inspect(artifact: Path, runner: Streamer) -> Inspection:
    """Return what is in a package, whoever made it."""
    return backend_of(Family.DEB).inspect(artifact, runner)


@contextlib.contextmanager
def _at_work(project: Project, session: Session) -> Iterator[tuple[Path, Resolver]]:
    """Yield this run's directory, and how to run uv in it."""
    with workspace(session.places) as work:
        settings = uv_settings(session.environment, session.report, cwd=Path.cwd(), project=project.directory)
        yield (
            work,
            Resolver(
                uv=find_uv(),
                settings=settings,
                runner=session.runner,
                report=session.report,
                work=work,
                directory=project.directory or Path("/"),
                offline=session.offline,
            ),
        )


def _plan(  # noqa: PLR0913 - what the stages before it made
    project: Project,
    lock: Lock,
    target: Target,
    session: Session,
    *,
    toolchain: Toolchain,
    no_source: tuple[Path, ...] = (Path("dist"),),
) -> WheelPlan:
    tree = None
    if project.directory is not None:
        tree = read_source_tree(project.directory, session.runner, leave_out=no_source)
    trees = _source_trees(project, lock, session, no_source)
    return plan_wheels(
        lock,
        tree,
        project,
        target,
        pins=read_build_pins(project.build_lock),
        toolchain=toolchain,
        shelf=_wheelhouse(target, session),
        trees=trees,
    )


def _record(
    project: Project, obtained: ObtainedLock, artifact: Artifact, inputs: Mapping[str, Mapping[str, str]]
) -> BuildRecord:
    """Return the record; its lock is the one that was built from, whichever program keeps it."""

    def text(path: Path) -> str:
        return without_credentials(path.read_text(encoding="utf-8")) if path.exists() else ""

    return BuildRecord(
        name=project.name,
        requirement=without_credentials(project.requirement) if project.requirement else None,
        settings=settings_table(replace(project.settings, lock=None)),
        source_date_epoch=artifact.spec.source_date_epoch,
        lock=without_credentials(obtained.text(project.lock.parent)),
        build_lock=text(project.build_lock),
        inputs=inputs,
        artifact=artifact.path.name,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
    )


def _source_trees(project: Project, lock: Lock, session: Session, no_source: tuple[Path, ...]) -> dict[str, SourceTree]:
    """Return the sources of distributions that come from a directory or a commit, by name."""
    places = session.places
    checkouts = Checkouts(places.checkouts, session.runner, session.report, session.environment, session.offline)
    trees: dict[str, SourceTree] = {}
    for each in lock.distributions:
        if each.origin is None or (each.name == project.name and project.directory is not None):
            continue
        match each.origin:
            case LockedDirectory():
                trees[each.name] = read_source_tree(each.origin.path, session.runner, leave_out=no_source)
            case LockedCommit():
                trees[each.name] = read_source_tree(checkouts.directory(each.origin), session.runner)
            case _:
                assert_never(each.origin)
    return trees


def _require_abilities(project: Project, plan: WheelPlan, target: Target, session: Session) -> None:
    lacking = lacks(target, session.runner, project.settings.build_depends)
    compiles = bool(plan.by_action(Action.COMPILE))
    require(lack for lack in lacking if compiles or lack.purpose is Purpose.ALWAYS)


def _compile(  # noqa: PLR0913 - what the stages before it made
    project: Project, plan: WheelPlan, target: Target, session: Session, *, toolchain: Toolchain, resolver: Resolver
) -> tuple[ReadyWheel, ...]:
    """Get every wheel of the plan, and keep the build requirements that were pinned on the way."""
    downloads = Downloads(session.places.downloads, resolver.settings, session.report, offline=session.offline)
    pins = read_build_pins(project.build_lock)
    shop = Workshop(
        target=target,
        toolchain=toolchain,
        runner=session.runner,
        report=session.report,
        wheelhouse=_wheelhouse(target, session),
        pin=lambda requires: pin_build_requirements(requires, target, resolver),
        fetch=downloads.fetch,
        uv=resolver.uv,
        workspace=resolver.work,
        logs=session.places.logs,
        jobs=session.jobs,
        end=session.runner.end_all,
    )
    compiled = compile_wheels(plan, pins, shop)
    if compiled.pins:
        write_build_pins(project.build_lock, _merged(pins, compiled.pins))
    return compiled.wheels


def _merged(known: tuple[BuildPins, ...], learned: tuple[BuildPins, ...]) -> tuple[BuildPins, ...]:
    """Return the pins known before, with those learned in this run in place of older ones for the same build."""
    merged = {(each.name, each.source, each.target): each for each in (*known, *learned)}
    return tuple(merged.values())


def _wheelhouse(target: Target, session: Session) -> Wheelhouse:
    return Wheelhouse(session.places.wheelhouse, target.platform_tag, session.report)
