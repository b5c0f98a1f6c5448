"""Run the stages of a build in order: ``build`` is the table of contents, the functions below call the stages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from venvpkg.config.project_files import read_project_files
from venvpkg.config.settings import settings_table
from venvpkg.config.starter import Detected, declared_commands, require_unconfigured, write_starter
from venvpkg.console import Work
from venvpkg.context import build_context, resolve_target
from venvpkg.depends.derive import require_known_floors
from venvpkg.errors import DownloadError, LockError, MissingToolError
from venvpkg.explain.evidence import dump_evidence
from venvpkg.families.common.artifact_cache import ArtifactCache
from venvpkg.families.common.compose import PackageParts, compose_spec
from venvpkg.families.common.preflight import check_project, is_owned, require_owned, warning_of
from venvpkg.families.registry import FAMILIES
from venvpkg.host.files import sha256_of
from venvpkg.linking.tree import scan as scan_tree
from venvpkg.lock.obtain import obtain_lock, renew_lock, require_all_needed
from venvpkg.lock.venvpkg_lock import read_build_pins
from venvpkg.model.package import BuildRecord
from venvpkg.model.wheels import Action
from venvpkg.record.file import dump_build_record, write_outputs
from venvpkg.record.inputs import Ingredients, inputs_of
from venvpkg.sbom.bundled import binary_warnings, bundled_libraries, native_code_in_pure_wheels
from venvpkg.sbom.cyclonedx import Contents, bill_of_materials
from venvpkg.staging.clock import source_date_epoch
from venvpkg.staging.stage import StageInputs
from venvpkg.staging.stage import stage as stage_payload
from venvpkg.targets.prerequisites import missing_prerequisites
from venvpkg.text import strip_credentials
from venvpkg.wheel_stages import (
    choose_fallbacks,
    compile_wheels,
    find_system_distributions,
    plan_wheels,
    require_prerequisites,
    run_prepare_steps,
)
from venvpkg.wheelbuild.debug_symbols import extract_debug

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.context import BuildContext, Session
    from venvpkg.lock.obtain import ObtainedLock
    from venvpkg.model.depends import DependencySet
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.project import Project, ProjectFiles
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import ReadyWheel, WheelPlan
    from venvpkg.sbom.bundled import Bundled
    from venvpkg.targets.prerequisites import Missing


class Built(NamedTuple):
    """A package and its build record."""

    artifact: Artifact
    record: BuildRecord


def build(
    project: Project, destination: Path, session: Session, *, locked: bool, leave_out: tuple[Path, ...] = ()
) -> Built:
    """Build the native package of ``project``, and write it and its record into ``destination``.

    Args:
        project: project to build.
        destination: directory for the package; created if it does not exist.
        session: this run.
        locked: fail if the lockfile is missing or out of date, instead of resolving.
        leave_out: further directories inside the project that are not source.

    Raises:
        VenvpkgError: a stage failed; each family of errors has its exit code.
    """
    resolved = resolve_target(session, project)
    with build_context(project, resolved, session, (destination, *leave_out)) as context:
        project_files = check(context)
        lock = obtain_lock(context.project, context.target, context.resolver, locked=locked)
        system = find_system_distributions(lock.lock, context)
        plan = plan_wheels(lock.lock, system, context)
        plan = choose_fallbacks(plan, lock.lock, context)
        require_prerequisites(plan, context)
        plan = run_prepare_steps(plan, context)
        wheels = compile_wheels(plan, context)
        staged = stage(wheels, plan, project_files, context)
        require_all_needed(lock, staged, context.project)
        elf = scan(staged, context)
        dependencies = derive(staged, elf, context)
        bundled = find_bundled_libraries(staged, elf, plan, wheels, context)
        epoch = source_date_epoch(context.project, lock.lock, session.environ, session.host)
        name = context.project.package_name
        contents = Contents(name, context.target, staged, plan, wheels, dependencies, bundled, epoch)
        spec = compose(contents, elf, project_files, context)
        built = assemble(spec, contents, lock, context)
        artifact = write(built, destination)
    session.reporter.step(f"wrote {artifact.path.name}, {artifact.size_bytes / 1e6:.1f} MB")
    return Built(artifact, built.record)


def plan(project: Project, session: Session, *, locked: bool = False) -> WheelPlan:
    """Return the plan of a build, with a reason for each distribution. Only metadata is fetched; nothing is written.

    Args:
        project: project to plan for.
        session: this run.
        locked: fail if the lockfile is missing or out of date, as the build would.

    Raises:
        VenvpkgError: as ``build``.
    """
    with build_context(project, resolve_target(session, project), session) as context:
        lock = obtain_lock(context.project, context.target, context.resolver, locked=locked, preview=True).lock
        return plan_wheels(lock, find_system_distributions(lock, context), context, preview=True)


def lock(project: Project, session: Session, *, upgrade: bool) -> Path:
    """Resolve ``project``, write its lockfile and return the path."""
    with build_context(project, resolve_target(session, project), session) as context:
        return renew_lock(context.project, context.target, context.resolver, upgrade=upgrade)


def init(project: Project, session: Session) -> Path:
    """Write a starter configuration of an application, with what was detected, and return the file's path."""
    require_unconfigured(project)
    native, unknown = None, ""
    try:
        chosen = plan(project, session)
        built = (*chosen.by_action(Action.COMPILE), *chosen.by_action(Action.REUSE))
        native = tuple(sorted(each.name for each in built if each.name != project.name or project.directory is None))
    except (DownloadError, LockError, MissingToolError) as error:
        unknown = error.brief
        session.reporter.warn(f"could not find out which distributions will be compiled: {unknown}")
    return write_starter(project, Detected(project.package_name, declared_commands(project), native, unknown))


def examine(project: Project | None, session: Session) -> tuple[Target, tuple[Missing, ...]]:
    """Return the target, and what it lacks to build the project, or any package without a project."""
    resolved = resolve_target(session, project)
    target, runner, package_format = resolved.target, resolved.runner, FAMILIES[resolved.target.family].format
    wanted: tuple[str, ...] = ()
    if project is not None:
        project = project.on(target)
        require_owned(project, target, runner, package_format)
        wanted = project.settings.build_depends
    if not is_owned(target, runner, package_format):
        session.reporter.warn(warning_of(target.interpreter.path))
    return target, missing_prerequisites(target, runner, wanted)


def check(context: BuildContext) -> ProjectFiles:
    """Check the configuration and the target, and return the project's files that go into the package.

    Raises:
        ConfigurationError: with every problem.
        PackageDatabaseError: the project requires that a package owns the interpreter, and none does.
    """
    project_files = read_project_files(context.project, context.session.host)
    check_project(context.project, project_files, context.format.problems(context.project))
    require_owned(context.project, context.target, context.runner, context.format)
    context.format.warn_if_name_taken(context.project.package_name, context.on_target)
    return project_files


def stage(
    wheels: tuple[ReadyWheel, ...], plan: WheelPlan, project_files: ProjectFiles, context: BuildContext
) -> StagedVenv:
    """Return the application, installed with all its wheels as it will be on the target."""
    with context.reporter.task(Work.STAGE, f"staging {len(wheels)} wheels"):
        inputs = StageInputs(wheels, project_files.files, plan.system, context.secrets)
        staged = stage_payload(context.project, inputs, context.work, context.session.dirs, context.on_target)
    count = len(staged.distributions)
    context.reporter.step(f"staged {count} distribution{'s' * (count != 1)} at {staged.prefix}")
    return staged


def scan(staged: StagedVenv, context: BuildContext) -> ElfReport:
    """Return every ELF file of the payload."""
    with context.reporter.task(Work.SCAN, "reading ELF files"):
        return scan_tree(staged.destdir, context.target, context.reporter)


def derive(staged: StagedVenv, elf: ElfReport, context: BuildContext) -> DependencySet:
    """Return the dependencies of the package, with their evidence."""
    settings = context.project.settings
    with context.reporter.task(Work.DERIVE, "finding the packages that own the libraries"):
        dependencies = context.format.derive_dependencies(elf, staged, settings, context.on_target)
    if settings.strict:
        require_known_floors(dependencies)
    return dependencies


def find_bundled_libraries(
    staged: StagedVenv, elf: ElfReport, plan: WheelPlan, wheels: tuple[ReadyWheel, ...], context: BuildContext
) -> tuple[Bundled, ...]:
    """Return the libraries bundled in wheels; warn about them, and about native code in pure wheels."""
    bundled = bundled_libraries(staged, elf, wheels, context.reporter)
    for warning in (
        *native_code_in_pure_wheels(elf, staged.distributions, wheels),
        *binary_warnings(plan, staged, elf, bundled),
    ):
        context.reporter.warn(warning)
    return bundled


def compose(contents: Contents, elf: ElfReport, project_files: ProjectFiles, context: BuildContext) -> PackageSpec:
    """Return the package's description, with its bill of materials and the wheels' debug information."""
    parts = PackageParts(
        contents.staged,
        elf,
        contents.dependencies,
        dump_evidence(contents.dependencies),
        bill_of_materials(contents),
        contents.source_date_epoch,
    )
    spec = compose_spec(context.project, project_files, parts)
    if not context.project.settings.debug_symbols:
        return spec
    return replace(spec, debug=_debug_files(contents.wheels, context.work / "debug", context.reporter))


def assemble(spec: PackageSpec, contents: Contents, lock: ObtainedLock, context: BuildContext) -> Built:
    """Build the package in this run's private directory; return it with its record."""
    session = context.session
    with context.reporter.task(Work.PACK, f"packing {spec.name}"):
        packed_spec = context.format.avoid_collisions(spec, context.on_target)
        tools = context.format.packaging_tool_versions(context.target, context.runner)
        kept = context.work / "packed" if session.repacks else session.dirs.packed
        earlier = ArtifactCache(kept, tools, context.reporter)
        artifact = context.format.assemble(packed_spec, context.work / "finished", earlier, context.on_target)
    compiled = any(each.is_vendor for each in contents.wheels)
    ingredients = Ingredients(
        context.target,
        contents.plan,
        contents.wheels,
        read_build_pins(context.project.build_lock),
        contents.dependencies,
        spec.project_files,
        context.toolchain if compiled else None,
        tools,
        [each for each in packed_spec.relations.conflicts if each not in spec.relations.conflicts],
    )
    return Built(replace(artifact, wheels=contents.wheels), _record(artifact, lock, ingredients, context))


def write(built: Built, destination: Path) -> Artifact:
    """Write the package, its record and its debug packages to ``destination``, and return the package there."""
    artifact = built.artifact
    path = write_outputs(artifact.path, artifact.debug_packages, dump_build_record(built.record), destination)
    return replace(
        artifact, path=path, debug_packages=tuple(path.with_name(each.name) for each in artifact.debug_packages)
    )


def _debug_files(wheels: Iterable[ReadyWheel], directory: Path, reporter: Reporter) -> tuple[tuple[str, Path], ...]:
    """Return the build-id and file of all debug information in the wheels; warn if there is none."""
    found = {
        build_id: file
        for wheel in wheels
        if wheel.debug is not None
        for build_id, file in extract_debug(wheel.debug, directory).items()
    }
    if not found:
        reporter.warn("debug-symbols: nothing in the package was compiled with debug information")
    return tuple(sorted(found.items()))


def _record(artifact: Artifact, lock: ObtainedLock, ingredients: Ingredients, context: BuildContext) -> BuildRecord:
    """Return the build record, with the lock that the package was built from, in whichever file it is kept."""
    project, secrets = context.project, context.secrets
    build_lock = project.build_lock
    return BuildRecord(
        name=project.name,
        requirement=strip_credentials(project.requirement) if project.requirement else None,
        settings=secrets.hide_in(settings_table(replace(project.settings, lock=None))),
        source_date_epoch=artifact.spec.source_date_epoch,
        lock=strip_credentials(lock.text(project.lock.parent)),
        build_lock=strip_credentials(build_lock.read_text(encoding="utf-8")) if build_lock.exists() else "",
        inputs=secrets.hide_in(inputs_of(ingredients)),
        artifact=artifact.path.name,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        debug_packages={each.name: sha256_of(each) for each in artifact.debug_packages},
    )
