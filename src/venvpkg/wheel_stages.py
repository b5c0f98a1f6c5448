"""The stages from a lock to wheels: find system packages, plan where each wheel comes from, compile the wheels."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, assert_never

from venvpkg.errors import ConfigurationError, MissingToolError
from venvpkg.lock.build_requirements import pin_build_requirements
from venvpkg.lock.venvpkg_lock import read_build_pins, read_fallbacks, write_build_pins, write_fallbacks
from venvpkg.model.lock import LockedCommit, LockedDirectory
from venvpkg.model.wheels import Action, SourceTree
from venvpkg.sources.source_tree import read_source_tree
from venvpkg.targets.prerequisites import always_missing, missing_prerequisites, require
from venvpkg.wheelbuild.compile import compile_wheels as get_wheels
from venvpkg.wheelbuild.context import WheelBuildContext
from venvpkg.wheelbuild.fallbacks import SourceAccess, find_uncompilable
from venvpkg.wheelbuild.sbom import WheelSbomWriter
from venvpkg.wheelhouse import plan as planning
from venvpkg.wheelhouse.key import Toolchain
from venvpkg.wheelhouse.plan import WheelSources

if TYPE_CHECKING:
    from venvpkg.context import BuildContext
    from venvpkg.model.lock import BuildPins, Lock
    from venvpkg.model.wheels import PlannedWheel, ReadyWheel, SystemDistribution, WheelPlan


def find_system_distributions(lock: Lock, context: BuildContext) -> tuple[SystemDistribution, ...]:
    """Return the distributions of the lock that the user wants to take from the release's own packages.

    Raises:
        ConfigurationError: one is the application itself, or is configured to be a wheel as well.
        PackageDatabaseError: one is not installed on the target.
    """
    project, wheels = context.project, context.project.settings.wheels
    wanted = [name for name in wheels.system if lock.get(name) is not None or name == project.name]
    unused = [name for name in wheels.system if name not in wanted]
    if unused:
        context.reporter.warn(f"wheels.system: the application does not need {', '.join(unused)}")
    system = context.format.system_distributions(wanted, context.on_target)
    as_wheels = {name: key for key in ("compile", "prefer_compile", "binary") for name in getattr(wheels, key)}
    problems = [
        f"wheels.{as_wheels[each.name].replace('_', '-')}: {each.name} must come from the release's packages, because"
        f" {each.needed_by} of the release requires it"
        for each in system
        if each.name in as_wheels
    ]
    if any(each.name == project.name for each in system):
        problems.append(f"wheels.system: {project.name} is the application itself, or a listed package requires it")
    if problems:
        raise ConfigurationError(project.source, problems)
    return system


def plan_wheels(
    lock: Lock, system: tuple[SystemDistribution, ...], context: BuildContext, *, preview: bool = False
) -> WheelPlan:
    """Return the plan of where each wheel comes from, made without looking into any sdist.

    Args:
        lock: distributions of the application.
        system: the distributions that come from the release's packages.
        context: context of this build.
        preview: do not fetch commits; a distribution whose commit is not on this machine is planned without its source.
    """
    trees = _source_trees(lock, context, preview=preview)
    return planning.plan_wheels(lock, context.project, context.target, _sources(context, trees, system))


def choose_fallbacks(plan: WheelPlan, lock: Lock, context: BuildContext) -> WheelPlan:
    """Inspect the sdists to compile, and return the plan with fallbacks for those that cannot be compiled.

    The fallbacks are written to venvpkg.lock.
    """
    project = context.project
    for each in plan.wheels:
        repository = each.source.repository if isinstance(each.source, SourceTree) else None
        if repository is not None and repository.changed:
            context.reporter.detail(
                f"{each.name}: its version may come from git, and these files have uncommitted changes:"
                f" {_abbreviate(repository.changed)}"
            )
    access = SourceAccess(context.downloads.fetch, context.crates, context.work)
    found = find_uncompilable(plan, project, context.target, access)
    if found:
        plan = planning.with_fallbacks(plan, lock, found, project, context.target)
    with context.session.lockfiles:
        known = read_fallbacks(project.build_lock)
        if not set(plan.fallbacks) <= set(known):
            merged = {(each.name, each.version, each.source, each.target): each for each in (*known, *plan.fallbacks)}
            write_fallbacks(project.build_lock, merged.values())
    return plan


def require_prerequisites(plan: WheelPlan, context: BuildContext) -> None:
    """Raise if the target or this machine lacks a prerequisite of the plan.

    Raises:
        MissingToolError: with everything that is missing.
    """
    target, wanted = context.target, context.project.settings.build_depends
    compiles = bool(plan.by_action(Action.COMPILE))
    missing = missing_prerequisites(target, context.runner, wanted) if compiles else always_missing(target)
    require(missing, target)


def run_prepare_steps(plan: WheelPlan, context: BuildContext) -> WheelPlan:
    """Run the project's prepare commands if their output is not cached, and return the plan with that output."""
    own, project = context.own_tree, context.project
    if own is None or own.is_ready:
        return plan
    prepared = context.preparations.run(own, project.settings.prepare, project.name, context.work)
    return planning.with_own_tree(plan, project, context.target, _sources(context, own=prepared))


def compile_wheels(plan: WheelPlan, context: BuildContext) -> tuple[ReadyWheel, ...]:
    """Return every wheel of the plan; write the build requirements that were pinned on the way to venvpkg.lock."""
    session, project = context.session, context.project
    compiled = get_wheels(plan, read_build_pins(project.build_lock), _wheel_build_context(plan, context))
    if compiled.pins:
        with session.lockfiles:  # read again: another target may have written in the meantime
            known = read_build_pins(project.build_lock)
            write_build_pins(project.build_lock, _merge_pins(known, compiled.pins))
    return compiled.wheels


def _wheel_build_context(plan: WheelPlan, context: BuildContext) -> WheelBuildContext:
    session = context.session
    # A reused wheel is compiled again if it turns out to be damaged.
    may_compile = bool(plan.by_action(Action.COMPILE) or plan.by_action(Action.REUSE))
    return WheelBuildContext(
        target=context.target,
        toolchain=context.toolchain if may_compile else Toolchain((), ()),
        runner=context.runner,
        reporter=context.reporter,
        wheelhouse=context.wheelhouse,
        pin=lambda requires: pin_build_requirements(requires, context.target, context.resolver),
        fetch=context.downloads.fetch,
        crates=context.crates,
        write_sbom=WheelSbomWriter(context.target, context.runner),
        uv=context.resolver.uv,
        workspace=context.work,
        logs=session.dirs.logs,
        pool=session.pool,
        end=session.host.kill_all,
        secrets=context.secrets,
        repositories=context.repositories,
        uv_libraries=context.uv_libraries if may_compile else (),
        git=context.git if any(_sees_repository(each) for each in plan.wheels) else (),
    )


def _sources(
    context: BuildContext,
    trees: dict[str, SourceTree] | None = None,
    system: tuple[SystemDistribution, ...] = (),
    own: SourceTree | None = None,
) -> WheelSources:
    def toolchain() -> Toolchain | None:
        # require_prerequisites reports it, together with everything else that is missing, if something is compiled.
        with contextlib.suppress(MissingToolError):
            return context.toolchain
        return None

    build_lock = context.project.build_lock
    return WheelSources(
        context.wheelhouse,
        toolchain,
        read_build_pins(build_lock),
        read_fallbacks(build_lock),
        own or context.own_tree,
        trees or {},
        system,
    )


def _source_trees(lock: Lock, context: BuildContext, *, preview: bool) -> dict[str, SourceTree]:
    """Return the source trees of the distributions that come from a directory or a commit, by name."""
    session, project = context.session, context.project
    trees: dict[str, SourceTree] = {}
    for each in lock.distributions:
        if each.origin is None or (each.name == project.name and project.directory is not None):
            continue
        match each.origin:
            case LockedDirectory():
                trees[each.name] = read_source_tree(each.origin.path, session.host, leave_out=context.no_source)
            case LockedCommit():
                find = context.checkouts.find if preview else context.checkouts.directory
                directory = find(each.origin)
                if directory is not None:
                    trees[each.name] = read_source_tree(directory, session.host)
            case _:
                assert_never(each.origin)
    return trees


def _merge_pins(known: tuple[BuildPins, ...], new: tuple[BuildPins, ...]) -> tuple[BuildPins, ...]:
    """Return the known pins, with those of this run replacing older ones for the same build."""
    merged = {(each.name, each.source, each.target): each for each in (*known, *new)}
    return tuple(merged.values())


def _sees_repository(wheel: PlannedWheel) -> bool:
    return isinstance(wheel.source, SourceTree) and wheel.source.repository is not None


def _abbreviate(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")  # noqa: PLR2004 - enough to know which
