"""``venvpkg lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.cli.options import ApplicationCommand, on_targets
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.api import Options
    from venvpkg.cli.options import Application
    from venvpkg.cli.output import Output


@click.command("lock", cls=ApplicationCommand)
@on_targets
@click.option("--upgrade", is_flag=True, help="Lock the newest versions instead of keeping the locked ones.")
def command(application: Application, output: Output, options: Options, *, upgrade: bool) -> None:
    """Resolve the application's distributions, pin them with hashes (PEP 751) and print the lockfile's path.

    Several targets share one lockfile, with markers where they differ. A target that cannot share it gets a lockfile of
    its own.
    """
    locks = api.lock(application.read(), options, upgrade=upgrade, on_event=output.reporter)
    paths = [str(each) for each in locks]
    print_result(paths, {"lock": paths[0]} | ({"locks": paths} if len(set(options.targets)) > 1 else {}))
