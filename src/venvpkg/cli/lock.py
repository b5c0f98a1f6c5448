"""``venvpkg lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from venvpkg import pipeline
from venvpkg.cli.options import ApplicationCommand, on_application
from venvpkg.cli.output import tell

if TYPE_CHECKING:
    from venvpkg.cli.options import Application
    from venvpkg.pipeline import Session


@click.command("lock", cls=ApplicationCommand)
@on_application
@click.option("--upgrade", is_flag=True, help="Take the newest versions instead of those locked before.")
def command(application: Application, session: Session, *, upgrade: bool) -> None:
    """Resolve the application's distributions, pin them with hashes (PEP 751) and print the lock's path."""
    project = application.read()
    path = pipeline.lock(project, session, upgrade=upgrade)
    tell(str(path), {"lock": str(path)})
