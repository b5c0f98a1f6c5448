"""venvpkg as a library: what the command line does, as functions with typed results.

    from venvpkg.api import Options, build, read_project

    for package in build(read_project("."), Options(targets=["debian:trixie"]), on_event=print):
        print(package.path)

Everything in ``__all__`` is stable (docs/reference/stability.md); no other module is. Each function raises
``VenvpkgError``, whose ``exit_code`` is that of the command, and hands what happens meanwhile to ``on_event``: a
callable that gets the events of docs/json.md as dictionaries, or a ``Reporter``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from venvpkg import multi_target, pipeline
from venvpkg.ci_jobs import CiJob, CiService, ci_job_text
from venvpkg.config.keys import KEYS
from venvpkg.config.project import read_project as read_project_from
from venvpkg.config.schema import schema_text as configuration_schema
from venvpkg.config.starter import Detected, declared_commands, require_unconfigured, write_starter
from venvpkg.console import Reporter
from venvpkg.console.events import EventReporter, Quiet
from venvpkg.context import Session, resolve_target
from venvpkg.errors import ConfigurationError, DownloadError, LockError, MissingToolError, VenvpkgError
from venvpkg.explain.evidence import load_evidence
from venvpkg.explain.formats import OutputFormat, render_dependencies
from venvpkg.families.common.preflight import is_owned, require_owned, warning_of
from venvpkg.families.registry import FAMILIES, family_of_file
from venvpkg.host.command import Command
from venvpkg.host.oserrors import require_utf8_names
from venvpkg.host.runner import SubprocessRunner
from venvpkg.lock.lockfile import LockfileStore
from venvpkg.model.inspection import Inspection
from venvpkg.model.package import Artifact
from venvpkg.model.project import Project
from venvpkg.model.target import Target
from venvpkg.model.wheels import Action, PlannedSystem, PlannedWheel, WheelPlan
from venvpkg.multi_target import Outcome
from venvpkg.rebuild import rebuild as rebuild_recorded
from venvpkg.record.file import record_path
from venvpkg.store.dirs import Dirs
from venvpkg.targets.bootstrap.build_root import BuildRoot
from venvpkg.targets.bootstrap.store import BuildRootStore
from venvpkg.targets.prerequisites import Missing, missing_prerequisites, require
from venvpkg.targets.root import RootRunner
from venvpkg.targets.selection import Selection, parse_selection, short_names
from venvpkg.wheelbuild.export import export
from venvpkg.wheelbuild.pool import Pool, default_jobs
from venvpkg.wheelhouse.entry import Entry, read_shelves
from venvpkg.wheelhouse.gc import Collected, GcRules, collect, removable

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = [
    "KEYS",
    "Action",
    "Artifact",
    "BuildRoot",
    "BuildRootStore",
    "CiJob",
    "CiService",
    "Collected",
    "Entry",
    "Examination",
    "GcRules",
    "Inspection",
    "Options",
    "Outcome",
    "OutputFormat",
    "PlannedSystem",
    "PlannedWheel",
    "Project",
    "Reporter",
    "Selection",
    "Target",
    "VenvpkgError",
    "WheelPlan",
    "build",
    "build_each",
    "build_roots",
    "ci_job_text",
    "collect_wheels",
    "configuration_schema",
    "examine",
    "explain",
    "export_wheels",
    "init",
    "inspect",
    "lock",
    "parse_selection",
    "plan",
    "read_project",
    "rebuild",
    "record_path",
    "require_all",
    "run_in_build_root",
    "short_names",
    "wheels",
]  # fmt: skip

OnEvent: TypeAlias = Callable[[Mapping[str, object]], None] | Reporter | None
require_all = multi_target.require_all


@dataclass(frozen=True, slots=True)
class Options:
    """How and where; what every command has as options of the same names.

    Attributes:
        targets: what is built for, as ``--target`` takes it: ``host``, ``debian:trixie``, ``root:DIR``.
        out: directory for packages; created if it does not exist.
        wheelhouse: directory of the vendor wheels; None for the user's.
        cache: directory of downloads, build roots and logs; None for the user's.
        compatibility_file: the site's binary-compatibility.cfg; None for the wheelhouse's own.
        jobs: compile jobs at once; None for a core and a GiB of memory each.
        offline: use nothing from the network.
        locked: fail when the lock is missing or out of date, instead of resolving.
        environ: environment variables; those of this process unless given.
    """

    targets: Sequence[str] = ("host",)
    out: Path | str = Path("dist")
    wheelhouse: Path | None = None
    cache: Path | None = None
    compatibility_file: Path | None = None
    jobs: int | None = None
    offline: bool = False
    locked: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)


@dataclass(frozen=True, slots=True)
class Examination:
    """What a target has for building packages.

    Attributes:
        target: it.
        missing: what it lacks, in the order in which it should be installed.
    """

    target: Target
    missing: tuple[Missing, ...]

    def require(self) -> None:
        """Raise when something is missing.

        Raises:
            MissingToolError: with everything, and one command that installs it.
        """
        require(self.missing, self.target)


def read_project(
    application: str | Path = ".",
    keys: Mapping[str, str | Sequence[str]] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Return the project in a directory, or of a requirement such as ``borgbackup==1.4.5``.

    Args:
        application: directory with a pyproject.toml, or a requirement.
        keys: keys of the configuration → text, as the options take it; they win over the project's own.
        environ: variables ``VENVPKG_KEY``; those of this process unless given.

    Raises:
        ConfigurationError: the project cannot be read, or some keys have values that they cannot have; all are named.
    """
    return read_project_from(str(application), keys or {}, Path.cwd(), os.environ if environ is None else environ)


def plan(project: Project, options: Options | None = None, *, on_event: OnEvent = None) -> WheelPlan:
    """Return what a build for the first target would compile, reuse or download, and why; nothing is written."""
    options = options or Options()
    return pipeline.plan(project, _session(options, on_event), locked=options.locked)


def lock(
    project: Project, options: Options | None = None, *, upgrade: bool = False, on_event: OnEvent = None
) -> tuple[Path, ...]:
    """Resolve the application's distributions for all targets, write the locks and return their paths, each once.

    Args:
        project: what is locked.
        options: for which targets, and how.
        upgrade: take the newest versions instead of those locked before.
        on_event: hears what happens.
    """
    sessions = _sessions(options or Options(), on_event)
    return tuple(dict.fromkeys(pipeline.lock(project, each, upgrade=upgrade) for each in sessions))


def build(project: Project, options: Options | None = None, *, on_event: OnEvent = None) -> tuple[Artifact, ...]:
    """Build the native package of an application for each target; return them in the order of the targets.

    Raises:
        SeveralTargetsError: some of several targets failed; the packages of the others are kept.
        VenvpkgError: the only target failed.
    """
    outcomes = build_each(project, options, on_event=on_event)
    require_all(outcomes)
    return tuple(each.artifact for each in outcomes if each.artifact is not None)


def build_each(
    project: Project,
    options: Options | None = None,
    *,
    on_event: OnEvent = None,
    on_failure: Callable[[str, VenvpkgError], None] | None = None,
) -> tuple[Outcome, ...]:
    """Do as ``build``, and return what came of each of several targets: a package, or an error.

    Args:
        project: what to build.
        options: for which targets, and how.
        on_event: hears what happens.
        on_failure: is called at once with a target that failed and its error; a warning event unless given.

    Raises:
        VenvpkgError: there is one target, and it failed.
    """
    options = options or Options()
    sessions, out = _sessions(options, on_event), Path(options.out)
    if len(sessions) == 1:
        start = time.monotonic()
        artifact = pipeline.build(project, out, sessions[0], locked=options.locked).artifact
        return (Outcome(sessions[0].selection, time.monotonic() - start, artifact),)
    failed = on_failure or _warn_of_failure(_reporter(on_event))
    return multi_target.build_for_each(project, out, sessions, failed, locked=options.locked)


def rebuild(
    record: Path,
    application: str | Path = ".",
    options: Options | None = None,
    *,
    keep: Path | None = None,
    on_event: OnEvent = None,
) -> Artifact:
    """Repeat a recorded build, and return the package if it has the same bytes; see ``rebuild.rebuild``."""
    return rebuild_recorded(record, str(application), _session(options or Options(), on_event), keep=keep)


def init(project: Project, options: Options | None = None, *, on_event: OnEvent = None) -> Path:
    """Write the first configuration of an application, with what is known of it, and return the file's path."""
    require_unconfigured(project)
    native, unknown, reporter = None, "", _reporter(on_event)
    try:
        chosen = plan(project, options, on_event=reporter)
        built = (*chosen.by_action(Action.COMPILE), *chosen.by_action(Action.REUSE))
        native = tuple(sorted(each.name for each in built if each.name != project.name or project.directory is None))
    except (DownloadError, LockError, MissingToolError) as error:
        unknown = error.brief
        reporter.warn(f"the distributions that will be compiled are not known: {unknown}")
    return write_starter(project, Detected(project.package_name, declared_commands(project), native, unknown))


def examine(project: Project | None = None, options: Options | None = None, *, on_event: OnEvent = None) -> Examination:
    """Return the first target, and what it lacks for building the project, or any package."""
    session = _session(options or Options(), on_event)
    resolved = resolve_target(session, project)
    target, runner, package_format = resolved.target, resolved.runner, FAMILIES[resolved.target.family].format
    wanted: tuple[str, ...] = ()
    if project is not None:
        project = project.on(target)
        require_owned(project, target, runner, package_format)
        wanted = project.settings.build_depends
    if not is_owned(target, runner, package_format):
        session.reporter.warn(warning_of(target.interpreter.path))
    return Examination(target, missing_prerequisites(target, runner, wanted))


def explain(artifact: Path, package: str | None = None, output_format: OutputFormat = OutputFormat.TEXT) -> str:
    """Return why a package that venvpkg built depends on what it depends on, or on one package."""
    evidence = family_of_file(artifact).format.read_evidence(artifact, _host())
    return render_dependencies(load_evidence(evidence, artifact.name), output_format, artifact.name, package)


def inspect(artifact: Path) -> Inspection:
    """Return what is in a package, whoever made it; nothing of it is run or unpacked."""
    return family_of_file(artifact).format.inspect(artifact, _host())


def build_roots(options: Options | None = None, *, on_event: OnEvent = None) -> BuildRootStore:
    """Return the build roots that venvpkg bootstraps and keeps: to list, create, update and remove them."""
    return _session(replace(options or Options(), targets=("host",)), on_event).build_roots


def run_in_build_root(
    selection: Selection, argv: Sequence[str] = (), options: Options | None = None, *, on_event: OnEvent = None
) -> int:
    """Run a program, or a shell, on this terminal in a throw-away overlay of a build root; return its exit status."""
    lease = build_roots(options, on_event=on_event).root(selection, lambda _: ())
    environ = (options or Options()).environ
    host = SubprocessRunner(environ)
    inside = RootRunner(lease.path, host, environ)
    return host.converse(inside.on_host(Command(tuple(argv) or ("/bin/sh", "-i"))))


def wheels(options: Options | None = None, *, on_event: OnEvent = None) -> tuple[Entry, ...]:
    """Return every vendor wheel of the wheelhouse, with its provenance."""
    return read_shelves(_wheelhouse(options), _reporter(on_event))


def collect_wheels(
    rules: GcRules, options: Options | None = None, *, dry_run: bool = False, on_event: OnEvent = None
) -> Collected:
    """Remove the wheels that no rule keeps, and return those removed and those that a running build uses."""
    entries = wheels(options, on_event=on_event)
    gone = removable(entries, rules, time.time())
    done = Collected(gone) if dry_run else collect(_wheelhouse(options), gone)
    return replace(done, examined=len(entries))


def export_wheels(destination: Path, options: Options | None = None, *, on_event: OnEvent = None) -> tuple[Path, ...]:
    """Write one simple index per platform tag below a directory, for stock pip and uv; return their directories."""
    return tuple(export(wheels(options, on_event=on_event), destination.absolute()))


def _wheelhouse(options: Options | None) -> Path:
    return Dirs.of_user(wheelhouse=options.wheelhouse if options else None).wheelhouse


def _host() -> SubprocessRunner:
    return SubprocessRunner(os.environ)


def _session(options: Options, on_event: OnEvent) -> Session:
    (session,) = _sessions(replace(options, targets=options.targets[:1]), on_event)
    return session


def _sessions(options: Options, on_event: OnEvent) -> tuple[Session, ...]:
    """Return a session for each target; with several each has a runner of its own, so that it can be ended alone."""
    require_utf8_names(sys.getfilesystemencoding())
    try:
        selections = tuple(dict.fromkeys(map(parse_selection, options.targets)))
    except ValueError as error:
        raise ConfigurationError("targets", [str(error)]) from error
    reporter = _reporter(on_event)
    first = Session(
        host=SubprocessRunner(options.environ),
        reporter=reporter,
        dirs=Dirs.of_user(wheelhouse=options.wheelhouse, cache=options.cache),
        environ=dict(options.environ),
        pool=Pool(options.jobs or default_jobs()),
        offline=options.offline,
        selection=selections[0],
        lockfiles=LockfileStore(),
        compatibility_file=options.compatibility_file.absolute() if options.compatibility_file else None,
    )
    if len(selections) == 1:
        return (first,)
    labels = zip(selections, short_names(selections), strict=True)
    return tuple(_for_one_of_several(first, each, label) for each, label in labels)


def _for_one_of_several(first: Session, selection: Selection, label: str) -> Session:
    host = SubprocessRunner(first.environ)
    reporter = first.reporter.for_target(str(selection), label, lambda: host.is_stopped)
    return replace(first, selection=selection, host=host, reporter=reporter)


def _reporter(on_event: OnEvent) -> Reporter:
    if on_event is None:
        return Quiet()
    return EventReporter(on_event) if callable(on_event) else on_event


def _warn_of_failure(reporter: Reporter) -> Callable[[str, VenvpkgError], None]:
    def warn(target: str, error: VenvpkgError) -> None:
        text = "\n".join(part for part in (error.brief, error.details) if part)
        reporter.for_target(target, target, lambda: False).warn(text)

    return warn
