"""``venvpkg doctor``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

import venvpkg
from venvpkg import api
from venvpkg.cli.options import ApplicationCommand, on_application
from venvpkg.cli.output import tell

if TYPE_CHECKING:
    from venvpkg.api import Options, Project
    from venvpkg.cli.options import Application
    from venvpkg.cli.output import Output


@click.command("doctor", cls=ApplicationCommand)
@on_application
def command(application: Application, output: Output, options: Options) -> None:
    """Say what the target lacks to build packages, with one command that installs it.

    With an application, what its wheels need counts too; without one, and outside a project, only the target does.
    """
    anywhere = application.argument == "." and not Path("pyproject.toml").is_file()
    project: Project | None
    if anywhere and ("python" in application.overrides or application.environment.get("VENVPKG_PYTHON")):
        # Which interpreter is meant can be said without any application; what it is called makes no difference.
        project = replace(application, argument="any").read()
    else:
        project = None if anywhere else application.read()
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
    tell((*about, "nothing is missing"), {**facts, "interpreter": str(interpreter.path), "python": version})
