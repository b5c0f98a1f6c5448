"""``venvpkg lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from venvpkg import pipeline
from venvpkg.cli.options import ApplicationCommand, on_targets
from venvpkg.cli.output import tell

if TYPE_CHECKING:
    from venvpkg.cli.options import Application
    from venvpkg.pipeline import Session


@click.command("lock", cls=ApplicationCommand)
@on_targets
@click.option("--upgrade", is_flag=True, help="Take the newest versions instead of those locked before.")
def command(application: Application, sessions: tuple[Session, ...], *, upgrade: bool) -> None:
    """Resolve the application's distributions, pin them with hashes (PEP 751) and print the lock's path.

    Several targets share one lock, whose markers tell them apart; one that needs another gets a lock of its own.
    """
    project = application.read()
    paths = list(dict.fromkeys(str(pipeline.lock(project, session, upgrade=upgrade)) for session in sessions))
    tell(paths, {"lock": paths[0]} | ({"locks": paths} if len(sessions) > 1 else {}))
