"""``venvpkg schema``."""

from __future__ import annotations

import click

from venvpkg.config.schema import schema_text


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the configuration, for editors and linters."""
    click.echo(schema_text(), nl=False)
