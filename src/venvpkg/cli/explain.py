"""``venvpkg explain``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.api import OutputFormat
from venvpkg.cli.options import with_output
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.cli.output import Output


@click.command("explain")
@click.argument("artifact", metavar="ARTIFACT", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("package", required=False)
@click.option(
    "--dot", "output_format", flag_value=OutputFormat.DOT, type=OutputFormat, help="Print the graph for Graphviz."
)
@click.option(
    "--html",
    "output_format",
    flag_value=OutputFormat.HTML,
    type=OutputFormat,
    help="Print an HTML page that shows the graph.",
)
@with_output
def command(output: Output, artifact: Path, package: str | None, output_format: OutputFormat | None) -> None:
    """Explain the dependencies of a package that venvpkg built, or only the one on PACKAGE.

    Each dependency is traced to its cause: the soname, the symbol version that set the lowest version, the file that
    needs it, and the file's distribution. The page of --html is self-contained.
    """
    wanted = output_format or (OutputFormat.JSON if output.as_json else OutputFormat.TEXT)
    text = api.explain(artifact, package, wanted)
    print_result(text, json.loads(text) if wanted is OutputFormat.JSON else {"form": wanted.value, "text": text})
