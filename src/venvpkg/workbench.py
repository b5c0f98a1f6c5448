"""What the stages of one run share, and the wheels that it takes: planned, compiled, or found again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, assert_never

from venvpkg.config.build_roots import read_build_root_settings
from venvpkg.config.compatibility import MACHINE, read_compatibility
from venvpkg.errors import ConfigurationError
from venvpkg.families import backend_of
from venvpkg.families.targets import traits_of
from venvpkg.host.tools import find_uv, libraries_of
from venvpkg.index.downloads import Downloads
from venvpkg.index.pip_settings import uv_settings
from venvpkg.lock.build_requirements import pin_build_requirements
from venvpkg.lock.lockfile import LockfileStore
from venvpkg.lock.uv import Resolver
from venvpkg.lock.venvpkg_lock import read_build_pins, read_fallbacks, write_build_pins, write_fallbacks
from venvpkg.materials import Materials
from venvpkg.model.lock import LockedCommit, LockedDirectory
from venvpkg.model.wheels import SourceTree
from venvpkg.sources.cargo import CrateStore
from venvpkg.sources.checkout import Checkouts
from venvpkg.sources.prepare import Preparations
from venvpkg.sources.source_tree import read_source_tree, uncommitted
from venvpkg.store.dirs import workspace
from venvpkg.targets.bootstrap.store import BuildRootStore
from venvpkg.targets.processor import foreign_processor
from venvpkg.targets.resolve import resolve_made, resolve_target
from venvpkg.targets.selection import HOST
from venvpkg.wheelbuild.compile import compile_wheels
from venvpkg.wheelbuild.context import WheelBuildContext
from venvpkg.wheelbuild.fallbacks import find_uncompilable
from venvpkg.wheelhouse.key import read_toolchain
from venvpkg.wheelhouse.plan import plan_wheels
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.console import Reporter
    from venvpkg.host.runner import Streamer, SubprocessRunner
    from venvpkg.model.lock import BuildPins, Fallback, Lock
    from venvpkg.model.project import Project
    from venvpkg.model.target import Family, Release, Target
    from venvpkg.model.wheels import ReadyWheel, SystemDistribution, WheelPlan
    from venvpkg.store.dirs import Dirs
    from venvpkg.targets.resolve import ResolvedTarget
    from venvpkg.targets.selection import Selection
    from venvpkg.wheelbuild.pool import Pool
    from venvpkg.wheelhouse.key import Toolchain


@dataclass(frozen=True, slots=True)
class Session:
    """One run of venvpkg: what every stage works with.

    Attributes:
        runner: the door to other programs of this machine.
        reporter: hears what happens.
        dirs: directories that outlive the run.
        environment: venvpkg's own environment variables.
        pool: gives cores to compile jobs; that of all targets of this call.
        offline: use nothing from the network.
        target: what is built for, as the user names it.
        ledger: the lock files of the application; that of all targets of this call.
        compatibility_file: the site's binary-compatibility.cfg; None for the wheelhouse's own.
        repacks: whether packages are packed also when earlier builds have packed the same.
    """

    runner: SubprocessRunner
    reporter: Reporter
    dirs: Dirs
    environment: Mapping[str, str]
    pool: Pool
    offline: bool
    target: Selection = HOST
    lockfiles: LockfileStore = field(default_factory=LockfileStore)
    compatibility_file: Path | None = None
    repacks: bool = False

    def stop(self) -> None:
        """End what runs for it, and let it begin nothing any more; to be called from another thread than its own."""
        self.runner.stop()


@dataclass(frozen=True, slots=True)
class Workbench:
    """One application on one target, within a session.

    Attributes:
        project: with the settings that hold on the target's release.
        target: with the platform tags that the site decided on.
        runner: runs programs on the target; ``session.runner`` those of this machine.
        session: this run.
        resolver: how to run uv; its ``work`` is this run's private directory.
        downloads: brings files here.
        wheelhouse: what is taken from it is held until the run ends.
        no_source: directories inside the project that are no source, such as where packages are written.
        system: distributions that come from the release's own packages; known once the lock is.
    """

    project: Project
    target: Target
    runner: Streamer
    session: Session
    resolver: Resolver
    downloads: Downloads
    wheelhouse: Wheelhouse
    no_source: tuple[Path, ...]
    system: tuple[SystemDistribution, ...] = ()

    @property
    def work(self) -> Path:
        """This run's private directory."""
        return self.resolver.work


def build_roots_of(session: Session) -> BuildRootStore:
    """Return the systems that venvpkg made and keeps."""
    return BuildRootStore(
        session.dirs,
        read_build_root_settings(session.environment),
        session.runner,
        session.environment,
        session.reporter,
        session.offline,
    )


def site_target(session: Session, project: Project | None = None) -> ResolvedTarget:
    """Return the target of this session, with the platform tags that the site decided on.

    A system that venvpkg makes has the packages that the project's wheels need; on any other, who made it sees to them.
    """

    def python(family: Family, release: Release) -> str | None:
        return project.settings_on(family, release).python if project else None

    if session.target.is_bootstrapped:

        def wanted(target: Target) -> tuple[str, ...]:
            name = python(target.family, target.release)
            packages = traits_of(target.family).interpreter_packages(name, target.release) if name else ()
            return (*(project.on(target).settings.build_depends if project else ()), *packages)

        lease = build_roots_of(session).root(session.target, wanted)
        resolved = resolve_made(session.target, lease, session.runner, session.environment, python)
    else:
        resolved = resolve_target(session.target, session.runner, session.environment, session.dirs.cache, python)
    target = resolved.target
    rules = read_compatibility(
        session.environment,
        session.dirs.wheelhouse,
        session.compatibility_file,
        machine=target.on_host(PurePosixPath(MACHINE)),
    )
    return replace(resolved, target=rules.apply_to(target))


@contextlib.contextmanager
def workbench(
    project: Project, site: ResolvedTarget, session: Session, no_source: tuple[Path, ...] = (Path("dist"),)
) -> Iterator[Workbench]:
    """Yield a workbench; its private directory is gone afterwards."""
    target = site.target
    with workspace(session.dirs) as work:
        settings = uv_settings(session.environment, session.reporter, cwd=Path.cwd(), project=project.directory)
        resolver = Resolver(
            uv=find_uv(),
            settings=settings,
            runner=session.runner,
            reporter=session.reporter,
            work=work,
            directory=project.directory or Path("/"),
            offline=session.offline,
            lockfiles=session.lockfiles,
        )
        yield Workbench(
            project,
            target,
            site.runner,
            session,
            resolver,
            Downloads(session.dirs.downloads, settings, session.reporter, offline=session.offline),
            Wheelhouse(session.dirs.wheelhouse, target.platform_tag, session.reporter, target.accepts),
            # A job may keep these two below the checkout, where its service looks for what to keep.
            (*no_source, session.dirs.wheelhouse, session.dirs.cache),
        )


def with_system(bench: Workbench, lock: Lock) -> Workbench:
    """Return the workbench with what the target's own packages have of the lock, where the user wants that.

    Raises:
        ConfigurationError: what comes from there is the application, or is to be a wheel all the same.
        PackageDatabaseError: what the user wants is not installed on the target.
    """
    project, session = bench.project, bench.session
    wheels = project.settings.wheels
    wanted = [name for name in wheels.system if lock.get(name) is not None or name == project.name]
    unused = [name for name in wheels.system if name not in wanted]
    if unused:
        session.reporter.warn(f"wheels.system: the application does not need {', '.join(unused)}")
    backend = backend_of(bench.target.family)
    system = backend.system_distributions(wanted, bench.target, bench.runner, session.dirs.cache)
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
    return replace(bench, system=system)


def planned(bench: Workbench, lock: Lock, toolchain: Toolchain, found: tuple[Fallback, ...] = ()) -> WheelPlan:
    """Return where each wheel comes from, by what is known without looking into any sdist.

    Args:
        bench: this run.
        lock: what the application needs.
        toolchain: of the target.
        found: sdists that were found to be impossible to compile here, beside those that the lock records.
    """
    project = bench.project
    return plan_wheels(
        lock,
        _own_tree(bench),
        project,
        bench.target,
        pins=read_build_pins(project.build_lock),
        toolchain=toolchain,
        shelf=bench.wheelhouse,
        fallbacks=(*read_fallbacks(project.build_lock), *found),
        trees=_source_trees(bench, lock),
        system=bench.system,
    )


def examined(plan: WheelPlan, bench: Workbench, lock: Lock, toolchain: Toolchain) -> WheelPlan:
    """Return the plan after a look into the sdists that it compiles; what cannot be compiled is kept in the lock."""
    project = bench.project
    for each in plan.wheels:
        changed = uncommitted(each.source, bench.session.runner) if isinstance(each.source, SourceTree) else ()
        if changed:
            bench.session.reporter.warn(
                f"{each.name}: git tells the version, and does not know of changes since its commit: {_some(changed)}"
            )
    found = find_uncompilable(plan, project, bench.target, bench.downloads.fetch, _crates(bench), bench.work)
    if found:
        plan = planned(bench, lock, toolchain, found)
    with bench.session.lockfiles:
        known = read_fallbacks(project.build_lock)
        if not set(plan.fallbacks) <= set(known):
            merged = {(each.name, each.version, each.source, each.target): each for each in (*known, *plan.fallbacks)}
            write_fallbacks(project.build_lock, merged.values())
    return plan


def prepared(plan: WheelPlan, bench: Workbench, lock: Lock, toolchain: Toolchain) -> WheelPlan:
    """Return the plan after the project's prepare commands made what they make, where that is not known yet."""
    project = bench.project
    waiting = [each.source for each in plan.wheels if isinstance(each.source, SourceTree) and not each.source.is_ready]
    for tree in waiting:
        _preparations(bench).prepared(tree, project.settings.prepare, project.name, bench.work)
    return planned(bench, lock, toolchain) if waiting else plan


def wheels_of(plan: WheelPlan, bench: Workbench, toolchain: Toolchain) -> tuple[ReadyWheel, ...]:
    """Get every wheel of the plan, and keep the build requirements that were pinned on the way."""
    session, project = bench.session, bench.project
    pins = read_build_pins(project.build_lock)
    shop = WheelBuildContext(
        target=bench.target,
        toolchain=toolchain,
        runner=bench.runner,
        reporter=session.reporter,
        wheelhouse=bench.wheelhouse,
        pin=lambda requires: pin_build_requirements(requires, bench.target, bench.resolver),
        fetch=bench.downloads.fetch,
        crates=_crates(bench),
        materials=Materials(bench.target, bench.runner),
        uv=bench.resolver.uv,
        workspace=bench.work,
        logs=session.dirs.logs,
        pool=session.pool,
        end=session.runner.end_all,
        uv_libraries=_uv_libraries(bench),
    )
    compiled = compile_wheels(plan, pins, shop)
    if compiled.pins:
        with session.lockfiles:  # and read again: another target may have written since
            known = read_build_pins(project.build_lock)
            write_build_pins(project.build_lock, _merged(known, compiled.pins))
    return compiled.wheels


def toolchain_of(bench: Workbench) -> Toolchain:
    """Return what compiles on the target."""
    return read_toolchain(bench.target, bench.runner)


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")  # noqa: PLR2004 -- enough to know which


def _own_tree(bench: Workbench) -> SourceTree | None:
    """Return the project's own source, with what its prepare commands made of it before; None without a directory."""
    session, project = bench.session, bench.project
    if project.directory is None:
        return None
    tree = read_source_tree(project.directory, session.runner, leave_out=bench.no_source)
    if not project.settings.prepare:
        return tree
    known = _preparations(bench).known(tree, project.settings.prepare)
    return known or replace(tree, is_ready=False)


def _uv_libraries(bench: Workbench) -> tuple[Path, ...]:
    """Return what uv is loaded with, where programs of this machine find nothing of it on the target."""
    if foreign_processor(bench.target.root) is None:
        return ()
    return libraries_of(bench.resolver.uv, bench.session.runner)


def _crates(bench: Workbench) -> CrateStore:
    session = bench.session
    return CrateStore(session.dirs.crates, bench.runner, session.reporter, session.environment, session.offline)


def _preparations(bench: Workbench) -> Preparations:
    session = bench.session
    return Preparations(
        session.dirs.prepared,
        bench.target,
        traits_of(bench.target.family).all_packages(bench.target, bench.runner),
        bench.runner,
        session.reporter,
        session.environment,
        session.dirs.logs,
        session.offline,
    )


def _source_trees(bench: Workbench, lock: Lock) -> dict[str, SourceTree]:
    """Return the sources of distributions that come from a directory or a commit, by name."""
    session, project = bench.session, bench.project
    checkouts = Checkouts(
        session.dirs.checkouts, session.runner, session.reporter, session.environment, session.offline
    )
    trees: dict[str, SourceTree] = {}
    for each in lock.distributions:
        if each.origin is None or (each.name == project.name and project.directory is not None):
            continue
        match each.origin:
            case LockedDirectory():
                trees[each.name] = read_source_tree(each.origin.path, session.runner, leave_out=bench.no_source)
            case LockedCommit():
                trees[each.name] = read_source_tree(checkouts.directory(each.origin), session.runner)
            case _:
                assert_never(each.origin)
    return trees


def _merged(known: tuple[BuildPins, ...], learned: tuple[BuildPins, ...]) -> tuple[BuildPins, ...]:
    """Return the pins known before, with those learned in this run in place of older ones for the same build."""
    merged = {(each.name, each.source, each.target): each for each in (*known, *learned)}
    return tuple(merged.values())
