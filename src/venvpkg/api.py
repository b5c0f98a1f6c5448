"""venvpkg as a library: the commands of the command line, as functions with typed results.

    from venvpkg.api import Options, build, read_project

    for package in build(read_project("."), Options(targets=["debian:trixie"]), on_event=print):
        print(package.path)

Everything in ``__all__`` is stable (docs/reference/stability.md); no other module is. Each function raises
``VenvpkgError``, whose ``exit_code`` is that of the command. Progress goes to ``on_event``: a callable that gets the
events of docs/json.md as dictionaries, or a ``Reporter``.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg import multi_target, pipeline
from venvpkg.ci_jobs import CiJob, CiService, ci_job_text
from venvpkg.config.keys import KEYS
from venvpkg.config.project import read_project as read_project_from
from venvpkg.config.schema import schema_text as configuration_schema
from venvpkg.console import Reporter
from venvpkg.errors import ConfigurationError, VenvpkgError, machine_errors
from venvpkg.explain.evidence import load_evidence
from venvpkg.explain.formats import OutputFormat, render_dependencies
from venvpkg.families.registry import family_of_file
from venvpkg.host.command import Command
from venvpkg.host.runner import SubprocessRunner
from venvpkg.model.package import Artifact, Inspection
from venvpkg.model.project import Project
from venvpkg.model.target import Target
from venvpkg.model.wheels import Action, PlannedSystem, PlannedWheel, WheelPlan
from venvpkg.multi_target import Outcome
from venvpkg.options import OnEvent, Options, only_session, reporter_of, sessions_of
from venvpkg.rebuild import rebuild as rebuild_recorded
from venvpkg.record.file import record_path
from venvpkg.store.dirs import Dirs
from venvpkg.targets.bootstrap.build_root import BuildRoot
from venvpkg.targets.bootstrap.store import BuildRootStore
from venvpkg.targets.prerequisites import Missing, require
from venvpkg.targets.root import RootRunner
from venvpkg.targets.selection import Selection, parse_selection, short_names
from venvpkg.wheelbuild.export import export
from venvpkg.wheelhouse.entry import Entry, Verified, read_shelves, verify
from venvpkg.wheelhouse.gc import (
    Collected,
    GcRules,
    collect,
    damaged_long_ago,
    remove_damaged,
    select_removable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


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
    "Verified",
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
    "verify_wheels",
    "wheels",
]  # fmt: skip

require_all = multi_target.require_all


@dataclass(frozen=True, slots=True)
class Examination:
    """A target, and what it lacks to build packages.

    Attributes:
        target: the target that was examined.
        missing: the missing prerequisites, in the order in which they should be installed.
    """

    target: Target
    missing: tuple[Missing, ...]

    def require(self) -> None:
        """Raise if something is missing.

        Raises:
            MissingToolError: with everything that is missing, and one command that installs it.
        """
        require(self.missing, self.target)


@machine_errors()
def read_project(
    application: str | Path = ".",
    keys: Mapping[str, str | Sequence[str]] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Return the project in a directory, or of a requirement such as ``borgbackup==1.4.5``.

    Args:
        application: directory with a pyproject.toml, or a requirement.
        keys: key of the configuration → value, as on the command line; they override the project's own.
        environ: environment variables, for ``VENVPKG_KEY``; by default those of this process.

    Raises:
        ConfigurationError: the project cannot be read, or has keys that are not valid; with all of them.
    """
    return read_project_from(str(application), keys or {}, Path.cwd(), os.environ if environ is None else environ)


@machine_errors()
def plan(project: Project, options: Options | None = None, *, on_event: OnEvent = None) -> WheelPlan:
    """Return the wheels that a build for the only target would compile, reuse or download, and why.

    No package, lock or wheel is written.
    """
    session = only_session(options, on_event)
    return pipeline.plan(project, session, locked=options is not None and options.locked)


@machine_errors()
def lock(
    project: Project, options: Options | None = None, *, upgrade: bool = False, on_event: OnEvent = None
) -> tuple[Path, ...]:
    """Resolve the application's distributions for all targets, and return the unique paths of the lockfiles.

    Args:
        project: project to lock.
        options: targets, and how to resolve.
        upgrade: lock the newest versions instead of keeping the locked ones.
        on_event: gets the events.
    """
    sessions = sessions_of(options or Options(), on_event)
    return tuple(dict.fromkeys(pipeline.lock(project, each, upgrade=upgrade) for each in sessions))


@machine_errors()
def build(project: Project, options: Options | None = None, *, on_event: OnEvent = None) -> tuple[Artifact, ...]:
    """Build the native package of an application for each target; return the packages in the order of the targets.

    Raises:
        SeveralTargetsError: there are several targets, and some failed; the packages of the others are kept.
        VenvpkgError: the only target failed.
    """
    options = options or Options()
    sessions, out = sessions_of(options, on_event), Path(options.out)
    if len(sessions) == 1:
        return (pipeline.build(project, out, sessions[0], locked=options.locked).artifact,)
    outcomes = build_each(project, options, on_event=on_event)
    require_all(outcomes)
    return tuple(each.artifact for each in outcomes if each.artifact is not None)


@machine_errors()
def build_each(
    project: Project,
    options: Options | None = None,
    *,
    on_event: OnEvent = None,
    on_failure: Callable[[str, VenvpkgError], None] | None = None,
) -> tuple[Outcome, ...]:
    """Do the same as ``build``, but return the outcome of each target: a package, or an error.

    Args:
        project: project to build.
        options: targets, and how to build.
        on_event: gets the events.
        on_failure: called with a target and its error as soon as it fails; by default, the failure is a warning event.
    """
    options = options or Options()
    sessions, out = sessions_of(options, on_event), Path(options.out)
    failed = on_failure or _warn_of_failure(reporter_of(on_event))
    if len(sessions) == 1:
        outcome = multi_target.build_for_target(project, out, sessions[0], locked=options.locked)
        if outcome.error is not None:
            failed(str(outcome.target), outcome.error)
        return (outcome,)
    return multi_target.build_for_each(project, out, sessions, failed, locked=options.locked)


@machine_errors()
def rebuild(
    record: Path | str,
    application: str | Path = ".",
    options: Options | None = None,
    *,
    keep: Path | str | None = None,
    on_event: OnEvent = None,
) -> Artifact:
    """Repeat a recorded build, and return the package if it is identical; see ``rebuild.rebuild``.

    Without ``keep`` the package is removed again: the file that its path names does not exist any more.
    """
    session, kept = only_session(options, on_event), Path(keep) if keep is not None else None
    return rebuild_recorded(Path(record), str(application), session, keep=kept)


@machine_errors()
def init(project: Project, options: Options | None = None, *, on_event: OnEvent = None) -> Path:
    """Write a starter configuration of an application, with what was detected, and return the file's path."""
    return pipeline.init(project, only_session(options, on_event))


@machine_errors()
def examine(project: Project | None = None, options: Options | None = None, *, on_event: OnEvent = None) -> Examination:
    """Return the only target, and what it lacks to build the project, or any package without a project."""
    return Examination(*pipeline.examine(project, only_session(options, on_event)))


@machine_errors()
def explain(
    artifact: Path | str, package: str | None = None, output_format: OutputFormat | str = OutputFormat.TEXT
) -> str:
    """Return an explanation of the dependencies of a package that venvpkg built, or of the one on ``package``."""
    if output_format not in set(OutputFormat):
        formats = ", ".join(OutputFormat)
        raise ConfigurationError("output_format", [f"{output_format!r} is not one of {formats}"])
    path = Path(artifact)
    evidence = load_evidence(family_of_file(path).format.read_evidence(path, _host()), path.name)
    return render_dependencies(evidence, OutputFormat(output_format), path.name, package)


@machine_errors()
def inspect(artifact: Path | str) -> Inspection:
    """Return the contents of any native package; nothing in it is run or unpacked."""
    path = Path(artifact)
    return family_of_file(path).format.inspect(path, _host())


@machine_errors()
def build_roots(options: Options | None = None, *, on_event: OnEvent = None) -> BuildRootStore:
    """Return the store of bootstrapped build roots, which lists, creates, updates and removes them."""
    return only_session(replace(options or Options(), targets=("host",)), on_event).build_roots


@machine_errors()
def run_in_build_root(
    selection: Selection, argv: Sequence[str] = (), options: Options | None = None, *, on_event: OnEvent = None
) -> int:
    """Run a program or a shell in a throw-away overlay of a build root, on this terminal; return its exit status."""
    if not selection.is_bootstrapped:
        raise ConfigurationError("selection", [f"{selection} is not a build root, such as debian:trixie"])
    lease = build_roots(options, on_event=on_event).root(selection, lambda _: ())
    environ = (options or Options()).environ
    host = SubprocessRunner(environ)
    inside = RootRunner(lease.path, host, environ)
    return host.converse(inside.on_host(Command(tuple(argv) or ("/bin/sh", "-i"))))


@machine_errors()
def wheels(options: Options | None = None, *, on_event: OnEvent = None) -> tuple[Entry, ...]:
    """Return every vendor wheel of the wheelhouse, with its provenance."""
    return read_shelves(_wheelhouse(options), reporter_of(on_event))


@machine_errors()
def collect_wheels(
    rules: GcRules, options: Options | None = None, *, dry_run: bool = False, on_event: OnEvent = None
) -> Collected:
    """Remove the wheels that the rules select; return those removed, and those kept because a build uses them."""
    entries, wheelhouse, now = wheels(options, on_event=on_event), _wheelhouse(options), time.time()
    chosen, damaged = select_removable(entries, rules, now), damaged_long_ago(wheelhouse, now)
    done = Collected(chosen) if dry_run else collect(wheelhouse, chosen)
    if not dry_run:
        remove_damaged(damaged)
    return replace(done, examined=len(entries), damaged=damaged)


@machine_errors()
def verify_wheels(options: Options | None = None) -> Verified:
    """Hash every file of the wheelhouse, and return the damaged entries, each with the reason; nothing is changed."""
    return verify(_wheelhouse(options))


@machine_errors()
def export_wheels(
    destination: Path | str, options: Options | None = None, *, on_event: OnEvent = None
) -> tuple[Path, ...]:
    """Write one simple index per platform tag below ``destination``, for stock pip and uv; return their directories."""
    reporter = reporter_of(on_event)
    return tuple(export(wheels(options, on_event=on_event), Path(destination).absolute(), reporter))


def _wheelhouse(options: Options | None) -> Path:
    return Dirs.of_user(wheelhouse=options.wheelhouse if options else None).wheelhouse


def _host() -> SubprocessRunner:
    return SubprocessRunner(os.environ)


def _warn_of_failure(reporter: Reporter) -> Callable[[str, VenvpkgError], None]:
    def warn(target: str, error: VenvpkgError) -> None:
        text = "\n".join(part for part in (error.brief, error.details) if part)
        reporter.for_target(target, target, lambda: False).warn(text)

    return warn
