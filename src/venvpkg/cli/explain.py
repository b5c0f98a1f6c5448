"""``venvpkg explain``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from venvpkg import pipeline
from venvpkg.host.runner import SubprocessRunner


@click.command("explain")
@click.argument("artifact", metavar="ARTIFACT", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("package", required=False)
def command(artifact: Path, package: str | None) -> None:
    """Explain the dependencies of a package that venvpkg built, or the one on PACKAGE.

    Each dependency is followed back: soname, the symbol version that set its floor, the file that needs it, and the
    distribution that the file belongs to.
    """
    click.echo(pipeline.explain(artifact, package, SubprocessRunner(os.environ)), nl=False)
