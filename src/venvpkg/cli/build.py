"""``venvpkg build``."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import pipeline
from venvpkg.cli.options import LOCKED, ApplicationCommand, on_application
from venvpkg.cli.output import tell
from venvpkg.model.wheels import Action
from venvpkg.record.file import record_path

if TYPE_CHECKING:
    from venvpkg.cli.options import Application
    from venvpkg.model.package import Artifact
    from venvpkg.pipeline import Session

_ORIGINS = {
    Action.COMPILE: "compiled",
    Action.REUSE: "reused",
    Action.PURE: "pure",
    Action.BINARY: "of their publishers with native code",
}


@click.command("build", cls=ApplicationCommand)
@on_application
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
def command(application: Application, session: Session, *, destination: Path, locked: bool) -> None:
    """Build the native package of an application and print its path.

    The application is a directory with a pyproject.toml, or a requirement such as 'borgbackup==1.4.5'.
    """
    project = application.read()
    start = time.monotonic()
    artifact = pipeline.build(project, destination, session, locked=locked)
    session.report.summary(_summary(artifact, time.monotonic() - start))
    paths = (artifact.path, *artifact.companions)
    tell(map(str, paths), _facts(artifact))


def _summary(artifact: Artifact, elapsed_s: float) -> tuple[tuple[str, str], ...]:
    relations = artifact.spec.dependencies.relations()
    counts = Counter(_ORIGINS[wheel.origin] for wheel in artifact.wheels)
    wheels = ", ".join(f"{counts[origin]} {origin}" for origin in dict.fromkeys(_ORIGINS.values()) if counts[origin])
    system = [f"{each.distribution.name} {each.distribution.title}" for each in artifact.spec.staged.system]
    return (
        ("package", ", ".join(each.name for each in (artifact.path, *artifact.companions))),
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
        "companions": [str(each) for each in artifact.companions],
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
