"""Context that the stages of one build share: session, project, target, and the objects that work on them.

Anything with effects is created on first use, so that a build of pure wheels never reads the compiler's flags.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.config.build_roots import read_build_root_settings
from venvpkg.config.compatibility import MACHINE, read_compatibility
from venvpkg.families.base import TargetContext
from venvpkg.families.registry import FAMILIES
from venvpkg.host.tools import find_git, find_uv, libraries_of, pipeline_outputs
from venvpkg.index.downloads import Downloads
from venvpkg.index.pip_config import read_text
from venvpkg.index.pip_settings import translate_pip_settings
from venvpkg.index.secrets import known_secrets
from venvpkg.lock.lockfile import LockfileStore
from venvpkg.lock.uv import Resolver
from venvpkg.sources.checkout import Checkouts
from venvpkg.sources.crates import CrateStore
from venvpkg.sources.prepare import Preparations
from venvpkg.sources.repository import Repositories
from venvpkg.sources.source_tree import read_source_tree
from venvpkg.store.directories import workspace
from venvpkg.targets import resolve
from venvpkg.targets.bootstrap.store import BuildRootStore
from venvpkg.targets.processor import foreign_processor
from venvpkg.targets.selection import HOST
from venvpkg.wheelhouse.key import read_toolchain
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.console import Reporter
    from venvpkg.families.base import PackageFormat
    from venvpkg.families.registry import Family
    from venvpkg.host.command import Streamer
    from venvpkg.host.runner import SubprocessRunner
    from venvpkg.index.pip_settings import UvSettings
    from venvpkg.model.project import Project
    from venvpkg.model.target import Release, Target
    from venvpkg.model.wheels import SourceTree
    from venvpkg.store.dirs import Dirs
    from venvpkg.targets.resolve import ResolvedTarget
    from venvpkg.targets.selection import Selection
    from venvpkg.text import Secrets
    from venvpkg.wheelbuild.pool import Pool
    from venvpkg.wheelhouse.key import Toolchain


@dataclass(frozen=True, slots=True)
class Session:
    """One run of venvpkg for one target.

    Attributes:
        host: runs programs on this machine.
        reporter: gets progress, steps and warnings.
        dirs: directories that outlive the run.
        environ: venvpkg's own environment variables.
        pool: assigns cores to compile jobs; shared by all targets of this run.
        offline: do not use the network.
        selection: the target, as the user names it.
        lockfiles: the lockfiles of the application; shared by all targets of this run.
        compatibility_file: the site's binary-compatibility.cfg; None for the wheelhouse's own.
        repacks: whether packages are packed even if an earlier build has packed the same.
    """

    host: SubprocessRunner
    reporter: Reporter
    dirs: Dirs
    environ: Mapping[str, str]
    pool: Pool
    offline: bool
    selection: Selection = HOST
    lockfiles: LockfileStore = field(default_factory=LockfileStore)
    compatibility_file: Path | None = None
    repacks: bool = False

    @property
    def build_roots(self) -> BuildRootStore:
        """The store of bootstrapped build roots."""
        return BuildRootStore(
            self.dirs, read_build_root_settings(self.environ), self.host, self.environ, self.reporter, self.offline
        )

    def stop(self) -> None:
        """Kill the session's programs and start no more; called from another thread."""
        self.host.stop()


@dataclass(frozen=True)  # no slots: the cached properties are kept in __dict__
class BuildContext:
    """One application on one target, within a session.

    Attributes:
        project: with the settings that apply to the target's release.
        target: with the platform tags that the site accepts.
        runner: runs programs on the target; ``session.host`` runs those on this machine.
        session: this run.
        work: private directory of this run.
        no_source: directories inside the project that are not source, such as the destination of packages.
    """

    project: Project
    target: Target
    runner: Streamer
    session: Session
    work: Path
    no_source: tuple[Path, ...] = ()

    @property
    def reporter(self) -> Reporter:
        """The reporter of the session."""
        return self.session.reporter

    @property
    def family(self) -> Family:
        """The target's package family."""
        return FAMILIES[self.target.family]

    @property
    def format(self) -> PackageFormat:
        """The package format of the target."""
        return self.family.format

    @property
    def on_target(self) -> TargetContext:
        """The context of the family's own code."""
        return TargetContext(self.target, self.runner, self.reporter, self.session.dirs.cache)

    @cached_property
    def index_settings(self) -> UvSettings:
        """The indexes to use, and how to reach them."""
        return translate_pip_settings(
            self.session.environ, self.reporter, cwd=Path.cwd(), project=self.project.directory
        )

    @cached_property
    def secrets(self) -> Secrets:
        """Passwords to keep out of everything that is written or shown."""
        directory = self.project.directory
        own = (read_text(directory / "pyproject.toml") or "") if directory else self.project.requirement or ""
        return known_secrets(self.index_settings, self.session.environ, (own,))

    @cached_property
    def resolver(self) -> Resolver:
        """The resolver, which runs uv."""
        return Resolver(
            uv=find_uv(),
            settings=self.index_settings,
            runner=self.session.host,
            reporter=self.reporter,
            work=self.work,
            directory=self.project.directory or Path("/"),
            offline=self.session.offline,
            lockfiles=self.session.lockfiles,
        )

    @cached_property
    def downloads(self) -> Downloads:
        """The downloads from indexes."""
        return Downloads(self.session.dirs.downloads, self.index_settings, self.reporter, offline=self.session.offline)

    @cached_property
    def wheelhouse(self) -> Wheelhouse:
        """The wheelhouse; wheels that are taken from it are held until the run ends."""
        return Wheelhouse(self.session.dirs.wheelhouse, self.target.platform_tag, self.reporter, self.target.accepts)

    @cached_property
    def toolchain(self) -> Toolchain:
        """The compiler and flags on the target.

        Raises:
            MissingToolError: the target lacks the tool that prints the compiler's flags.
            PackageDatabaseError: the package database is damaged.
        """
        return read_toolchain(self.target, self.runner)

    @cached_property
    def crates(self) -> CrateStore:
        """The store of Rust crates, which fetches those that sources do not include."""
        session = self.session
        return CrateStore(session.dirs.crates, self.runner, self.reporter, session.environ, session.offline)

    @cached_property
    def checkouts(self) -> Checkouts:
        """The checkouts of git repositories at locked commits."""
        session = self.session
        return Checkouts(session.dirs.checkouts, session.host, self.reporter, session.environ, session.offline)

    @cached_property
    def preparations(self) -> Preparations:
        """The runner of the project's prepare commands, and the store of their output."""
        session = self.session
        return Preparations(
            session.dirs.prepared,
            self.target,
            self.family.host.all_packages(self.target, self.runner),
            self.runner,
            self.reporter,
            session.environ,
            session.dirs.logs,
            session.offline,
            self.secrets,
        )

    @cached_property
    def own_tree(self) -> SourceTree | None:
        """The project's own source, with the output of earlier prepare commands; None without a directory."""
        if self.project.directory is None:
            return None
        tree = read_source_tree(self.project.directory, self.session.host, leave_out=self.no_source)
        if not self.project.settings.prepare:
            return tree
        known = self.preparations.find(tree, self.project.settings.prepare)
        return known or replace(tree, is_ready=False)

    @cached_property
    def uv_libraries(self) -> tuple[Path, ...]:
        """The shared libraries of uv, if the target is for another processor and cannot have them; else empty."""
        if foreign_processor(self.target.root) is None:
            return ()
        return libraries_of(find_uv(), self.session.host)

    @cached_property
    def git(self) -> tuple[Path, ...]:
        """This machine's git with its loader and libraries, for a target in another root; otherwise empty."""
        program = None if self.target.is_host else find_git()
        return () if program is None else (program, *libraries_of(program, self.session.host))

    @cached_property
    def repositories(self) -> Repositories:
        """Factory of the git repositories that builds see."""
        return Repositories(self.work / "repositories", self.session.host)


def resolve_target(session: Session, project: Project | None = None) -> ResolvedTarget:
    """Return the target of a session, with the platform tags that the site accepts.

    A build root gets the packages that the project's wheels need. On other targets, the user installs them.
    """

    def python(family: str, release: Release) -> str | None:
        return project.settings_on(family, release).python if project else None

    if session.selection.is_bootstrapped:

        def wanted(target: Target) -> tuple[str, ...]:
            name = python(target.family, target.release)
            host = FAMILIES[target.family].host
            packages = host.interpreter_packages(name, target.release) if name else ()
            return (*(project.on(target).settings.build_depends if project else ()), *packages)

        lease = session.build_roots.root(session.selection, wanted)
        resolved = resolve.resolve_build_root(session.selection, lease, session.host, session.environ, python)
    else:
        resolved = resolve.resolve_target(session.selection, session.host, session.environ, session.dirs.cache, python)
    target = resolved.target
    rules = read_compatibility(
        session.environ,
        session.dirs.wheelhouse,
        session.compatibility_file,
        machine=target.on_host(PurePosixPath(MACHINE)),
    )
    return replace(resolved, target=rules.apply_to(target))


@contextlib.contextmanager
def build_context(
    project: Project, resolved: ResolvedTarget, session: Session, no_source: tuple[Path, ...] = (Path("dist"),)
) -> Iterator[BuildContext]:
    """Yield the context of a build; its private directory is removed afterwards."""
    with workspace(session.dirs) as work:
        yield BuildContext(
            project.on(resolved.target),
            resolved.target,
            resolved.runner,
            session,
            work,
            # A CI job may have these two inside the checkout, because its service only caches files there.
            (*no_source, session.dirs.wheelhouse, session.dirs.cache, *pipeline_outputs()),
        )
