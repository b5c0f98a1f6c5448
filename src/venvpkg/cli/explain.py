"""``venvpkg explain``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from venvpkg import pipeline
from venvpkg.depends.forms import Form
from venvpkg.host.runner import SubprocessRunner


@click.command("explain")
@click.argument("artifact", metavar="ARTIFACT", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("package", required=False)
@click.option("--dot", "form", flag_value=Form.DOT, type=Form, help="Print the graph for graphviz.")
@click.option("--html", "form", flag_value=Form.HTML, type=Form, help="Print a page with the graph drawn.")
def command(artifact: Path, package: str | None, form: Form | None) -> None:
    """Explain the dependencies of a package that venvpkg built, or the one on PACKAGE.

    Each dependency is followed back: soname, the symbol version that set its floor, the file that needs it, and the
    distribution that the file belongs to. The page of --html needs nothing but a browser.
    """
    click.echo(pipeline.explain(artifact, package, SubprocessRunner(os.environ), form or Form.TEXT), nl=False)
