"""The stages from a lock to wheels: what the release has, where each wheel comes from, getting it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, assert_never

from venvpkg.errors import ConfigurationError, MissingToolError
from venvpkg.lock.build_requirements import pin_build_requirements
from venvpkg.lock.venvpkg_lock import read_build_pins, read_fallbacks, write_build_pins, write_fallbacks
from venvpkg.model.lock import LockedCommit, LockedDirectory
from venvpkg.model.wheels import Action, SourceTree
from venvpkg.sources.source_tree import read_source_tree, uncommitted
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
    from venvpkg.model.wheels import ReadyWheel, SystemDistribution, WheelPlan


def find_system_packages(lock: Lock, context: BuildContext) -> tuple[SystemDistribution, ...]:
    """Return the distributions of the lock that come from the release's own packages, where the user wants that.

    Raises:
        ConfigurationError: the application itself would come from there, or what would is to be a wheel all the same.
        PackageDatabaseError: what the user wants is not installed on the target.
    """
    project, wheels = context.project, context.project.settings.wheels
    wanted = [name for name in wheels.system if lock.get(name) is not None or name == project.name]
    unused = [name for name in wheels.system if name not in wanted]
    if unused:
        context.reporter.warn(f"wheels.system: the application does not need {', '.join(unused)}")
    system = context.format.system_distributions(wanted, context.on_target)
    by_hand = {name: key for key in ("compile", "prefer_compile", "binary") for name in getattr(wheels, key)}
    problems = [
        f"wheels.{by_hand[each.name].replace('_', '-')}: {each.name} is required by {each.needed_by} of the release"
        for each in system
        if each.name in by_hand
    ]
    if any(each.name == project.name for each in system):
        problems.append(f"wheels.system: {project.name} is the application itself, or is required by what is there")
    if problems:
        raise ConfigurationError(project.source, problems)
    return system


def plan_wheels(
    lock: Lock, system: tuple[SystemDistribution, ...], context: BuildContext, *, preview: bool = False
) -> WheelPlan:
    """Return where each wheel comes from, by what is known without looking into any sdist.

    Args:
        lock: what the application needs.
        system: the distributions that come from the release's packages.
        context: of this build.
        preview: fetch no commit; what is not on this machine is planned without its source.
    """
    trees = _source_trees(lock, context, preview=preview)
    return planning.plan_wheels(lock, context.project, context.target, _sources(context, trees, system))


def choose_fallbacks(plan: WheelPlan, lock: Lock, context: BuildContext) -> WheelPlan:
    """Return the plan after a look into the sdists that it compiles; what cannot be compiled is kept in the lock."""
    project = context.project
    for each in plan.wheels:
        changed = uncommitted(each.source, context.session.host) if isinstance(each.source, SourceTree) else ()
        if changed:
            context.reporter.warn(
                f"{each.name}: git tells the version, and does not know of changes since its commit: {_some(changed)}"
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
    """Raise when the target or this machine lacks what the plan needs.

    Raises:
        MissingToolError: with all that is missing.
    """
    target, wanted = context.target, context.project.settings.build_depends
    compiles = bool(plan.by_action(Action.COMPILE))
    missing = missing_prerequisites(target, context.runner, wanted) if compiles else always_missing(target)
    require(missing, target)


def run_prepare_steps(plan: WheelPlan, context: BuildContext) -> WheelPlan:
    """Return the plan after the project's prepare commands made what they make, where that is not known yet."""
    own, project = context.own_tree, context.project
    if own is None or own.is_ready:
        return plan
    prepared = context.preparations.run(own, project.settings.prepare, project.name, context.work)
    return planning.with_own_tree(plan, project, context.target, _sources(context, own=prepared))


def compile_wheels(plan: WheelPlan, context: BuildContext) -> tuple[ReadyWheel, ...]:
    """Get every wheel of the plan, and keep the build requirements that were pinned on the way."""
    session, project = context.session, context.project
    compiled = get_wheels(plan, read_build_pins(project.build_lock), _wheel_build_context(plan, context))
    if compiled.pins:
        with session.lockfiles:  # and read again: another target may have written since
            known = read_build_pins(project.build_lock)
            write_build_pins(project.build_lock, _merged(known, compiled.pins))
    return compiled.wheels


def _wheel_build_context(plan: WheelPlan, context: BuildContext) -> WheelBuildContext:
    session = context.session
    # A wheel that was built before is built again when it turns out to be damaged.
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
        uv_libraries=context.uv_libraries if may_compile else (),
    )


def _sources(
    context: BuildContext,
    trees: dict[str, SourceTree] | None = None,
    system: tuple[SystemDistribution, ...] = (),
    own: SourceTree | None = None,
) -> WheelSources:
    def toolchain() -> Toolchain | None:
        # What is missing is reported with everything else that is, once it is known that something compiles.
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
    """Return the sources of distributions that come from a directory or a commit, by name."""
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


def _merged(known: tuple[BuildPins, ...], learned: tuple[BuildPins, ...]) -> tuple[BuildPins, ...]:
    """Return the pins known before, with those learned in this run in place of older ones for the same build."""
    merged = {(each.name, each.source, each.target): each for each in (*known, *learned)}
    return tuple(merged.values())


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")  # noqa: PLR2004 -- enough to know which
