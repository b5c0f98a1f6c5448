"""The stages in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.composition import bundled_in, described, packed, related, scanned, staged_of
from venvpkg.config.project import read_project
from venvpkg.config.project_files import read_project_files
from venvpkg.config.starter import Detected, declared_commands, require_unconfigured, write_starter
from venvpkg.errors import DownloadError, LockError, MissingToolError
from venvpkg.explain.evidence import load_evidence
from venvpkg.explain.formats import OutputFormat, render_dependencies
from venvpkg.families import backend_of, backend_of_file
from venvpkg.families.common.preflight import is_owned, refuse, require_owned, warning_of
from venvpkg.lock.obtain import obtain_lock, renew_lock
from venvpkg.model.wheels import Action
from venvpkg.record.file import dump_build_record, publish
from venvpkg.sbom.cyclonedx import Contents
from venvpkg.staging.clock import source_date_epoch
from venvpkg.targets.prerequisites import always_missing, missing_prerequisites, require
from venvpkg.workbench import (
    Session,
    examined,
    planned,
    prepared,
    site_target,
    toolchain_of,
    wheels_of,
    with_system,
    workbench,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvpkg.host.runner import Streamer
    from venvpkg.model.inspection import Inspection
    from venvpkg.model.package import Artifact, BuildRecord
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import WheelPlan
    from venvpkg.targets.prerequisites import Missing
    from venvpkg.workbench import Workbench


__all__ = [
    "Session", "build", "build_recorded", "examine", "explain", "init", "inspect", "lock", "plan", "read",
]  # fmt: skip


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
    return build_recorded(project, destination, session, locked=locked)[0]


def build_recorded(
    project: Project, destination: Path, session: Session, *, locked: bool, leave_out: tuple[Path, ...] = ()
) -> tuple[Artifact, BuildRecord]:
    """Build the native package of ``project``, and return it with its record; both are in ``destination`` then.

    Args:
        project: what to build.
        destination: directory for the package; made when it is not there.
        session: this run.
        locked: fail when the lock is missing or out of date, instead of resolving.
        leave_out: further directories inside the project that are no source.

    Raises:
        VenvpkgError: a stage failed; each family has its exit code.
    """
    site = site_target(session, project)
    target, runner = site.target, site.runner
    project = project.on(target)
    backend = backend_of(target.family)
    project_files = read_project_files(project, session.runner)
    refuse(project, project_files, backend.problems(project))
    require_owned(project, target, runner, backend)
    backend.warn_if_name_taken(project.package_name, target, runner, session.reporter, cache=session.dirs.cache)
    with workbench(project, site, session, (destination, *leave_out)) as first:
        obtained = obtain_lock(project, target, first.resolver, locked=locked)
        bench = with_system(first, obtained.lock)
        toolchain = toolchain_of(bench)
        plan = planned(bench, obtained.lock, toolchain)
        plan = examined(plan, bench, obtained.lock, toolchain)
        _require_abilities(plan, bench)
        plan = prepared(plan, bench, obtained.lock, toolchain)
        wheels = wheels_of(plan, bench, toolchain)
        staged = staged_of(wheels, plan, project_files, bench)
        elf = scanned(staged, bench)
        bundled = bundled_in(staged, elf, plan, wheels, bench)
        dependencies = related(staged, elf, bench)
        epoch = source_date_epoch(project, obtained.lock, session.environment, session.runner)
        contents = Contents(project.package_name, target, staged, plan, wheels, dependencies, bundled, epoch)
        spec = described(contents, elf, project_files, bench)
        artifact, record = packed(spec, contents, obtained, toolchain, bench)
        artifact = _published(artifact, record, destination)
    session.reporter.step(f"wrote {artifact.path.name}, {artifact.size_bytes / 1e6:.1f} MB")
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
        session.reporter.warn(f"the distributions that will be compiled are not known: {unknown}")
    detected = Detected(project.package_name, declared_commands(project), native, unknown)
    return write_starter(project, detected)


def plan(project: Project, session: Session, *, locked: bool = False) -> WheelPlan:
    """Return what a build would do for each distribution, and why; the project and the wheelhouse stay as they are.

    Args:
        project: what would be built.
        session: this run.
        locked: fail when the lock is missing or out of date, as the build would.

    Raises:
        VenvpkgError: as ``build``.
    """
    site = site_target(session, project)
    project = project.on(site.target)
    with workbench(project, site, session) as first:
        lock = obtain_lock(project, first.target, first.resolver, locked=locked, preview=True).lock
        bench = with_system(first, lock)
        return planned(bench, lock, toolchain_of(bench))


def lock(project: Project, session: Session, *, upgrade: bool) -> Path:
    """Resolve ``project``, write its lock and return it."""
    site = site_target(session, project)
    project = project.on(site.target)
    with workbench(project, site, session) as bench:
        return renew_lock(project, bench.target, bench.resolver, upgrade=upgrade)


def examine(project: Project | None, session: Session) -> tuple[Target, tuple[Missing, ...]]:
    """Return the target, and what lacks for building there."""
    site = site_target(session, project)
    project = project.on(site.target) if project else None
    backend = backend_of(site.target.family)
    if project:
        require_owned(project, site.target, site.runner, backend)
    if not is_owned(site.target, site.runner, backend):
        session.reporter.warn(warning_of(site.target.interpreter.path))
    return site.target, missing_prerequisites(
        site.target, site.runner, project.settings.build_depends if project else ()
    )


def explain(
    artifact: Path, package: str | None, runner: Streamer, output_format: OutputFormat = OutputFormat.TEXT
) -> str:
    """Return why a package depends on what it depends on; see ``explain.formats``."""
    record = load_evidence(backend_of_file(artifact).read_evidence(artifact, runner), artifact.name)
    return render_dependencies(record, output_format, artifact.name, package)


def inspect(artifact: Path, runner: Streamer) -> Inspection:
    """Return what is in a package, whoever made it."""
    return backend_of_file(artifact).inspect(artifact, runner)


def _published(artifact: Artifact, record: BuildRecord, destination: Path) -> Artifact:
    path = publish(artifact.path, artifact.debug_packages, dump_build_record(record), destination)
    return replace(
        artifact, path=path, debug_packages=tuple(path.with_name(each.name) for each in artifact.debug_packages)
    )


def _require_abilities(plan: WheelPlan, bench: Workbench) -> None:
    target, wanted = bench.target, bench.project.settings.build_depends
    compiles = bool(plan.by_action(Action.COMPILE))
    require(missing_prerequisites(target, bench.runner, wanted) if compiles else always_missing(target), target)
