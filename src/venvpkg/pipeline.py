"""The stages in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.backends import backend_of, backend_of_file
from venvpkg.backends.describe import describe
from venvpkg.backends.packed import PackedPackages
from venvpkg.backends.refusal import refuse
from venvpkg.backends.unowned import is_owned, require_owned, warning_of
from venvpkg.config.inclusions import read_inclusions
from venvpkg.config.project import read_project
from venvpkg.config.starter import Detected
from venvpkg.config.table import settings_table
from venvpkg.config.write_starter import declared_commands, require_unconfigured, write_starter
from venvpkg.console import Work
from venvpkg.depends.forms import Form, explained
from venvpkg.depends.record import dump_record, load_record
from venvpkg.elf.tree import scan
from venvpkg.errors import DownloadError, LockError, MissingToolError
from venvpkg.host.files import sha256_of
from venvpkg.lock.build_pins import read_build_pins
from venvpkg.lock.credentials import without_credentials
from venvpkg.lock.obtain import obtain_lock, renew_lock
from venvpkg.model.record import BuildRecord
from venvpkg.model.wheels import Action
from venvpkg.record.file import dump_record as dump_build_record
from venvpkg.record.inputs import Ingredients, inputs_of
from venvpkg.record.publish import publish
from venvpkg.sbom.bundled import bundled_libraries
from venvpkg.sbom.cyclonedx import Contents, bill_of_materials
from venvpkg.sbom.warnings import binary_warnings
from venvpkg.staging.clock import source_date_epoch
from venvpkg.staging.mistagged import native_code_in_pure_wheels
from venvpkg.staging.stage import stage
from venvpkg.targets.abilities import lacks, lacks_always, require
from venvpkg.wheelhouse.debug import extract_debug
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
    from collections.abc import Iterable, Mapping, Sequence

    from venvpkg.console import Report
    from venvpkg.host.runner import Streamer
    from venvpkg.lock.obtain import ObtainedLock
    from venvpkg.model.inspection import Inspection
    from venvpkg.model.package import Artifact
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel, WheelPlan
    from venvpkg.targets.abilities import Lack
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
    inclusions = read_inclusions(project, session.runner)
    refuse(project, inclusions, backend.problems(project))
    require_owned(project, target, runner, backend)
    backend.warn_of_namesake(project.package_name, target, runner, session.report, cache=session.places.cache)
    with workbench(project, site, session, (destination, *leave_out)) as first:
        obtained = obtain_lock(project, target, first.resolver, locked=locked)
        bench = with_system(first, obtained.lock)
        toolchain = toolchain_of(bench)
        plan = planned(bench, obtained.lock, toolchain)
        plan = examined(plan, bench, obtained.lock, toolchain)
        _require_abilities(plan, bench)
        plan = prepared(plan, bench, obtained.lock, toolchain)
        wheels = wheels_of(plan, bench, toolchain)
        with session.report.task(Work.STAGE, f"staging {len(wheels)} wheels"):
            staged = stage(
                project, wheels, target,
                workspace=bench.work, places=session.places, runner=runner, report=session.report,
                files=inclusions.files, system=plan.system,
            )  # fmt: skip
        count = len(staged.distributions)
        session.report.step(f"staged {count} distribution{'s' * (count != 1)} at {staged.prefix}")
        with session.report.task(Work.SCAN, "reading ELF files"):
            report = scan(staged.destdir, target, session.report)
        bundled = bundled_libraries(staged, report, wheels, session.report)
        for warning in (
            *native_code_in_pure_wheels(report, staged.distributions, wheels),
            *binary_warnings(plan, staged, report, bundled),
        ):
            session.report.warn(warning)
        with session.report.task(Work.DERIVE, "asking which packages own the libraries"):
            dependencies = backend.derive_dependencies(
                report, staged, target, runner, session.report,
                declared=project.settings.depends, sonames=project.settings.sonames,
                with_floors=project.settings.rpm_min_versions,
            )  # fmt: skip
        epoch = source_date_epoch(project, obtained.lock, session.environment, session.runner)
        sbom = bill_of_materials(
            Contents(project.package_name, target, staged, plan, wheels, dependencies, bundled, epoch)
        )
        spec = describe(
            project, staged, dependencies, epoch,
            evidence=dump_record(dependencies), inclusions=inclusions, sbom=sbom, elf=report,
        )  # fmt: skip
        if project.settings.debug_symbols:
            spec = replace(spec, debug=_debug_files(wheels, bench.work / "debug", session.report))
        declared = spec.relations.conflicts
        with session.report.task(Work.PACK, f"packing {project.package_name}"):
            spec = backend.avoid_collisions(spec, target, runner, session.report, cache=session.places.cache)
            packers = backend.packers(target, runner)
            kept = bench.work / "packed" if session.repacks else session.places.packed
            earlier = PackedPackages(kept, packers, session.report)
            finished = bench.work / "finished"
            artifact = backend.assemble(spec, target, finished, runner, session.report, earlier=earlier)
        artifact = replace(artifact, wheels=wheels)
        ingredients = Ingredients(
            target, plan, wheels, read_build_pins(project.build_lock), dependencies, inclusions,
            toolchain.flags, toolchain.packages, packers,
            [each for each in spec.relations.conflicts if each not in declared],
        )  # fmt: skip
        record = _record(project, obtained, artifact, inputs_of(ingredients))
        artifact = _published(artifact, record, destination)
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


def examine(project: Project | None, session: Session) -> tuple[Target, tuple[Lack, ...]]:
    """Return the target, and what lacks for building there."""
    site = site_target(session, project)
    project = project.on(site.target) if project else None
    backend = backend_of(site.target.family)
    if project:
        require_owned(project, site.target, site.runner, backend)
    if not is_owned(site.target, site.runner, backend):
        session.report.warn(warning_of(site.target.interpreter.path))
    return site.target, lacks(site.target, site.runner, project.settings.build_depends if project else ())


def explain(artifact: Path, package: str | None, runner: Streamer, form: Form = Form.TEXT) -> str:
    """Return why a package depends on what it depends on; see ``depends.forms``."""
    record = load_record(backend_of_file(artifact).read_evidence(artifact, runner), artifact.name)
    return explained(record, form, artifact.name, package)


def inspect(artifact: Path, runner: Streamer) -> Inspection:
    """Return what is in a package, whoever made it."""
    return backend_of_file(artifact).inspect(artifact, runner)


def _debug_files(wheels: Iterable[ReadyWheel], directory: Path, report: Report) -> tuple[tuple[str, Path], ...]:
    """Return build-id and file of all debug information that the wheels have; warn where there is none."""
    found = {
        build_id: file
        for wheel in wheels
        if wheel.debug is not None
        for build_id, file in extract_debug(wheel.debug, directory).items()
    }
    if not found:
        report.warn("debug-symbols: nothing in the package was compiled with debug information")
    return tuple(sorted(found.items()))


def _published(artifact: Artifact, record: BuildRecord, destination: Path) -> Artifact:
    path = publish(artifact.path, artifact.companions, dump_build_record(record), destination)
    return replace(artifact, path=path, companions=tuple(path.with_name(each.name) for each in artifact.companions))


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
        companions={each.name: sha256_of(each) for each in artifact.companions},
    )


def _require_abilities(plan: WheelPlan, bench: Workbench) -> None:
    target, wanted = bench.target, bench.project.settings.build_depends
    compiles = bool(plan.by_action(Action.COMPILE))
    require(lacks(target, bench.runner, wanted) if compiles else lacks_always(target), target)
