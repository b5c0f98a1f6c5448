"""``venvpkg doctor``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

import venvpkg
from venvpkg import api
from venvpkg.cli.options import ApplicationCommand, on_application
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.api import Options, Project
    from venvpkg.cli.options import Application
    from venvpkg.cli.output import Output


@click.command("doctor", cls=ApplicationCommand)
@on_application
def command(application: Application, output: Output, options: Options) -> None:
    """Report what the target lacks to build packages, and print one command that installs it.

    For an application, this includes what its wheels need. Without one, and outside a project, only the target itself
    is checked.
    """
    no_project = application.argument == "." and not Path("pyproject.toml").is_file()
    project: Project | None
    if no_project and ("python" in application.overrides or application.environ.get("VENVPKG_PYTHON")):
        # The interpreter can be chosen without an application; the name of this placeholder makes no difference.
        project = replace(application, argument="any").read()
    else:
        project = None if no_project else application.read()
    found = api.examine(project, options, on_event=output.reporter)
    target, interpreter = found.target, found.target.interpreter
    place = "" if target.is_host else f" in {options.targets[0]}"
    version = ".".join(map(str, interpreter.version))
    title = interpreter.title.removeprefix("Python ")
    about = (f"venvpkg {venvpkg.__version__} on {target.name}{place}", f"packages for {interpreter.path} ({title})")
    if found.missing and not output.as_json:
        click.echo("\n".join(about))
    found.require()
    facts = {"venvpkg": venvpkg.__version__, "target": target.name}
    print_result((*about, "nothing is missing"), {**facts, "interpreter": str(interpreter.path), "python": version})
