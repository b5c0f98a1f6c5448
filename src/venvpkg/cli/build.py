"""``venvpkg build``."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import pipeline
from venvpkg.cli.multi_target import build_for_each, require_all
from venvpkg.cli.options import LOCKED, ApplicationCommand, on_targets
from venvpkg.cli.output import current_output, tell
from venvpkg.model.wheels import Action
from venvpkg.record.file import record_path
from venvpkg.targets.selection import short_names

if TYPE_CHECKING:
    from venvpkg.cli.multi_target import Outcome
    from venvpkg.cli.options import Application
    from venvpkg.model.package import Artifact
    from venvpkg.model.project import Project
    from venvpkg.pipeline import Session


_ORIGINS = {
    Action.COMPILE: "compiled",
    Action.REUSE: "reused",
    Action.PURE: "pure",
    Action.BINARY: "of their publishers with native code",
}


@click.command("build", cls=ApplicationCommand)
@on_targets
@click.option(
    "-o",
    "--out",
    "destination",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="Where the package is written.",
)
@LOCKED
def command(application: Application, sessions: tuple[Session, ...], *, destination: Path, locked: bool) -> None:
    """Build the native package of an application and print its path.

    The application is a directory with a pyproject.toml, or a requirement such as 'borgbackup==1.4.5'. With several
    targets there is a package for each, and one that fails does not stop the others.
    """
    project = application.read()
    if len(sessions) > 1:
        _build_for_several(project, sessions, destination, locked=locked)
        return
    (session,) = sessions
    start = time.monotonic()
    artifact = pipeline.build(project, destination, session, locked=locked)
    session.reporter.summary(_summary(artifact, time.monotonic() - start))
    tell(_paths(artifact), _facts(artifact))


def _build_for_several(project: Project, sessions: tuple[Session, ...], destination: Path, *, locked: bool) -> None:
    output = current_output()
    outcomes = build_for_each(project, destination, sessions, output.setback, locked=locked)
    names = short_names([each.target for each in outcomes])
    sessions[0].reporter.summary(tuple((name, each.words) for name, each in zip(names, outcomes, strict=True)))
    paths = [path for each in outcomes if each.artifact is not None for path in _paths(each.artifact)]
    tell(paths, {"targets": [{"target": str(each.target), **_told(each)} for each in outcomes]})
    require_all(outcomes)


def _told(outcome: Outcome) -> dict[str, object]:
    if outcome.artifact is not None:
        return _facts(outcome.artifact)
    if outcome.error is None:
        raise ValueError("neither a package nor an error")
    error = outcome.error
    told = {"brief": error.brief, "details": error.details, "resolution": error.resolution}
    return {"error": {"exit_code": error.exit_code, **told}}


def _paths(artifact: Artifact) -> list[str]:
    return [str(each) for each in (artifact.path, *artifact.debug_packages)]


def _summary(artifact: Artifact, elapsed_s: float) -> tuple[tuple[str, str], ...]:
    relations = artifact.spec.dependencies.relations()
    counts = Counter(_ORIGINS[wheel.origin] for wheel in artifact.wheels)
    wheels = ", ".join(f"{counts[origin]} {origin}" for origin in dict.fromkeys(_ORIGINS.values()) if counts[origin])
    system = [f"{each.distribution.name} {each.distribution.title}" for each in artifact.spec.staged.system]
    return (
        ("package", ", ".join(each.name for each in (artifact.path, *artifact.debug_packages))),
        ("size", f"{artifact.size_bytes / 1e6:.1f} MB"),
        ("depends", f"{len(relations)}: {', '.join(relations)}" if relations else "nothing"),
        ("wheels", f"{len(artifact.wheels)}: {wheels}"),
        *((("system", f"{len(system)}: {', '.join(system)}"),) if system else ()),
        ("elapsed", f"{elapsed_s:.1f} s"),
    )


def _facts(artifact: Artifact) -> dict[str, object]:
    spec = artifact.spec
    return {
        "artifact": str(artifact.path),
        "companions": [str(each) for each in artifact.debug_packages],
        "record": str(record_path(artifact.path)),
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "name": spec.name,
        "version": spec.upstream_version,
        "source_date_epoch": spec.source_date_epoch,
        "depends": list(spec.dependencies.relations()),
        "wheels": [
            {
                "name": each.name,
                "version": each.version,
                "action": each.origin.value,
                "filename": each.path.name,
                "sha256": each.sha256,
            }
            for each in artifact.wheels
        ],
        "system": [
            {
                "name": each.distribution.name,
                "version": each.distribution.version,
                "package": each.distribution.package.name,
                "package_version": each.distribution.package.version,
            }
            for each in spec.staged.system
        ],
    }
