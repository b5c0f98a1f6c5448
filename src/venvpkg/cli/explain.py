"""``venvpkg explain``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.api import OutputFormat
from venvpkg.cli.options import with_output
from venvpkg.cli.output import tell

if TYPE_CHECKING:
    from venvpkg.cli.output import Output


@click.command("explain")
@click.argument("artifact", metavar="ARTIFACT", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("package", required=False)
@click.option(
    "--dot", "output_format", flag_value=OutputFormat.DOT, type=OutputFormat, help="Print the graph for graphviz."
)
@click.option(
    "--html",
    "output_format",
    flag_value=OutputFormat.HTML,
    type=OutputFormat,
    help="Print a page with the graph drawn.",
)
@with_output
def command(output: Output, artifact: Path, package: str | None, output_format: OutputFormat | None) -> None:
    """Explain the dependencies of a package that venvpkg built, or the one on PACKAGE.

    Each dependency is followed back: soname, the symbol version that set its floor, the file that needs it, and the
    distribution that the file belongs to. The page of --html needs nothing but a browser.
    """
    wanted = output_format or (OutputFormat.JSON if output.as_json else OutputFormat.TEXT)
    text = api.explain(artifact, package, wanted)
    tell(text, json.loads(text) if wanted is OutputFormat.JSON else {"form": wanted.value, "text": text})
