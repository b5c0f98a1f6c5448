"""``venvpkg build``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import pipeline
from venvpkg.cli.options import ApplicationCommand, on_application

if TYPE_CHECKING:
    from venvpkg.cli.options import Application
    from venvpkg.pipeline import Session


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
@click.option("--locked", is_flag=True, help="Fail when the lock is missing or out of date.")
def command(application: Application, session: Session, *, destination: Path, locked: bool) -> None:
    """Build the native package of an application and print its path.

    The application is a directory with a pyproject.toml, or a requirement such as 'borgbackup==1.4.5'.
    """
    project = application.read()
    artifact = pipeline.build(project, destination, session, locked=locked)
    click.echo(artifact.path)
