"""``venvpkg plan``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.cli.options import LOCKED, ApplicationCommand, on_application
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.api import Options, PlannedSystem, PlannedWheel, WheelPlan
    from venvpkg.cli.options import Application
    from venvpkg.cli.output import Output


@click.command("plan", cls=ApplicationCommand)
@on_application
@LOCKED
def command(application: Application, output: Output, options: Options, *, locked: bool) -> None:
    """Show what a build would compile, reuse or download, and why. No package, lock or wheel is written."""
    plan = api.plan(application.read(), replace(options, locked=locked), on_event=output.reporter)
    wheels = [
        {"name": each.name, "version": each.version or None, "action": each.action.value, "reason": each.reason}
        for each in _entries(plan)
    ]
    print_result(_table(plan), {"wheels": wheels})


def _entries(plan: WheelPlan) -> list[PlannedWheel | PlannedSystem]:
    return sorted((*plan.wheels, *plan.system), key=lambda each: each.name)


def _table(plan: WheelPlan) -> list[str]:
    rows = [(each.action.value, f"{each.name} {each.version}".strip(), each.reason) for each in _entries(plan)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
    return [f"{action:{widths[0]}}  {name:{widths[1]}}  {reason}" for action, name, reason in rows]
