"""``venvpkg rebuild``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.cli.options import with_options
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.api import Options
    from venvpkg.cli.output import Output


@click.command("rebuild")
@click.argument("record", metavar="RECORD", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("project", default=".", metavar="[PROJECT]")
@with_options
@click.option(
    "-o",
    "--out",
    "keep",
    type=click.Path(file_okay=False, readable=False, path_type=Path),
    help="Directory to keep the new package in.",
)
def command(output: Output, options: Options, *, record: Path, project: str, keep: Path | None) -> None:
    """Repeat a recorded build and compare the bytes.

    RECORD is the file NAME_VERSION_ARCH.build.json next to a package. Wheels in the wheelhouse are reused; an empty
    --wheelhouse compiles all of them.
    """
    if keep is not None and keep.is_dir() and record.parent.is_dir() and keep.samefile(record.parent):
        raise click.BadParameter(
            f"{keep} contains the record: the new package and record would replace the recorded ones.",
            param_hint="--out",
        )
    artifact = api.rebuild(record, project, options, keep=keep, on_event=output.reporter)
    name, digest = artifact.path.name, artifact.sha256
    print_result(f"{name} is identical, sha256 {digest}", {"artifact": name, "sha256": digest, "is_same": True})
