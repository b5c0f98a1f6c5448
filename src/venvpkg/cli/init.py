"""``venvpkg init`` and ``schema``: a first configuration, and what one may contain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.api import configuration_schema
from venvpkg.cli.options import ApplicationCommand, on_application
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.api import Options
    from venvpkg.cli.options import Application
    from venvpkg.cli.output import Output


@click.command("init", cls=ApplicationCommand)
@on_application
def init(application: Application, output: Output, options: Options) -> None:
    """Write a starter configuration, with every key as a comment and what was detected, and print the file's path.

    For a directory, it is appended to pyproject.toml as [tool.venvpkg]. For a requirement, it is written to
    venvpkg.NAME.toml. An existing configuration is never changed.
    """
    path = api.init(application.read(), options, on_event=output.reporter)
    print_result(str(path), {"file": str(path)})


@click.command("schema")
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors and linters."""
    click.echo(configuration_schema(), nl=False)
