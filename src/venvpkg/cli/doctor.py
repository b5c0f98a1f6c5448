"""``venvpkg doctor``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

import venvpkg
from venvpkg import pipeline
from venvpkg.cli.options import ApplicationCommand, on_application
from venvpkg.cli.output import current_output, tell
from venvpkg.targets.prerequisites import require

if TYPE_CHECKING:
    from venvpkg.cli.options import Application
    from venvpkg.model.project import Project
    from venvpkg.pipeline import Session


@click.command("doctor", cls=ApplicationCommand)
@on_application
def command(application: Application, session: Session) -> None:
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
    target, lacking = pipeline.examine(project, session)
    interpreter = target.interpreter
    place = "" if target.is_host else f" in {session.target}"
    version = ".".join(map(str, interpreter.version))
    title = interpreter.title.removeprefix("Python ")
    about = (f"venvpkg {venvpkg.__version__} on {target.name}{place}", f"packages for {interpreter.path} ({title})")
    if lacking and not current_output().as_json:
        click.echo("\n".join(about))
    require(lacking, target)
    facts = {"venvpkg": venvpkg.__version__, "target": target.name}
    tell((*about, "nothing is missing"), {**facts, "interpreter": str(interpreter.path), "python": version})
