"""``venvpkg schema``."""

from __future__ import annotations

import click

from venvpkg.api import configuration_schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the configuration, for editors and linters."""
    click.echo(configuration_schema(), nl=False)
