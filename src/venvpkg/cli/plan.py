"""``venvpkg plan``, ``lock`` and ``doctor``: what a build would do, with which versions, and what it lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

import venvpkg
from venvpkg import api
from venvpkg.cli.options import LOCKED, ApplicationCommand, on_application, on_targets
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.api import Options, PlannedSystem, PlannedWheel, Project, WheelPlan
    from venvpkg.cli.options import Application
    from venvpkg.cli.output import Output


@click.command("plan", cls=ApplicationCommand)
@on_application
@LOCKED
def plan(application: Application, output: Output, options: Options, *, locked: bool) -> None:
    """Show what a build would compile, reuse or download, and why. No package, lock or wheel is written."""
    chosen = api.plan(application.read(), replace(options, locked=locked), on_event=output.reporter)
    wheels = [
        {"name": each.name, "version": each.version or None, "action": each.action.value, "reason": each.reason}
        for each in _entries(chosen)
    ]
    print_result(_table(chosen), {"wheels": wheels})


def _entries(plan: WheelPlan) -> list[PlannedWheel | PlannedSystem]:
    return sorted((*plan.wheels, *plan.system), key=lambda each: each.name)


def _table(plan: WheelPlan) -> list[str]:
    rows = [(each.action.value, f"{each.name} {each.version}".strip(), each.reason) for each in _entries(plan)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
    return [f"{action:{widths[0]}}  {name:{widths[1]}}  {reason}" for action, name, reason in rows]


@click.command("lock", cls=ApplicationCommand)
@on_targets
@click.option("--upgrade", is_flag=True, help="Lock the newest versions instead of keeping the locked ones.")
def lock(application: Application, output: Output, options: Options, *, upgrade: bool) -> None:
    """Resolve the application's distributions, pin them with hashes (PEP 751) and print the lockfile's path.

    Several targets share one lockfile, with markers where they differ. A target that cannot share it gets a lockfile of
    its own.
    """
    locks = api.lock(application.read(), options, upgrade=upgrade, on_event=output.reporter)
    paths = [str(each) for each in locks]
    print_result(paths, {"lock": paths[0]} | ({"locks": paths} if len(set(options.targets)) > 1 else {}))


@click.command("doctor", cls=ApplicationCommand)
@on_application
def doctor(application: Application, output: Output, options: Options) -> None:
    """Report prerequisites that the target lacks, and print one command that installs them.

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
