"""``venvpkg init``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.cli.options import ApplicationCommand, on_application
from venvpkg.cli.output import tell

if TYPE_CHECKING:
    from venvpkg.api import Options
    from venvpkg.cli.options import Application
    from venvpkg.cli.output import Output


@click.command("init", cls=ApplicationCommand)
@on_application
def command(application: Application, output: Output, options: Options) -> None:
    """Write a configuration in which every key is a comment, with what was detected, and print the file's path.

    For a directory it is appended to pyproject.toml as [tool.venvpkg]; for a requirement it is venvpkg.NAME.toml.
    A configuration that is there is never changed.
    """
    path = api.init(application.read(), options, on_event=output.reporter)
    tell(str(path), {"file": str(path)})
