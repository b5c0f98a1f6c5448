"""Options that mean the same in every command."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from venvpkg.console import Console, Verbosity
from venvpkg.host.places import Places
from venvpkg.host.runner import SubprocessRunner
from venvpkg.pipeline import Session

# A callback of click gets its options by name; click knows their types, the type checker cannot.
Callback = Any

_DIRECTORY = click.Path(file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Application:
    """What the command line says of the application: its name, and keys that win over its file."""

    argument: str
    overrides: dict[str, object]


_COMMON = (
    click.option("--wheelhouse", type=_DIRECTORY, help="Where vendor wheels are kept.  [default: by XDG]"),
    click.option("--cache", type=_DIRECTORY, help="Where downloads and logs are kept.  [default: by XDG]"),
    click.option("-j", "--jobs", type=click.IntRange(1), help="Parallel jobs.  [default: all cores]"),
    click.option("--offline", is_flag=True, help="Use nothing from the network."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
    click.option("-q", "--quiet", is_flag=True, help="Say only warnings and errors."),
)
_KEYS = (
    click.option("--name", help="Name of the package."),
    click.option("--revision", help="Revision of the package."),
    click.option("--maintainer", help="Maintainer, as 'Name <address@example.org>'."),
)


def on_application(function: Callback) -> Callback:
    """Give a callback ``(application, session, …)`` the argument and the options that every such command has."""

    def callback(argument: str, **options: Any) -> None:  # noqa: ANN401 - see Callback
        keys = {key: options.pop(key) for key in ("name", "revision", "maintainer")}
        application = Application(argument, {key: value for key, value in keys.items() if value is not None})
        common = {key: options.pop(key) for key in ("wheelhouse", "cache", "jobs", "offline", "verbose", "quiet")}
        function(application, _session(**common), **options)

    callback.__doc__ = function.__doc__
    callback.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    decorated: Callback = callback
    for option in reversed((*_KEYS, *_COMMON)):
        decorated = option(decorated)
    return click.argument("argument", default=".", metavar="[PROJECT | REQUIREMENT]")(decorated)


def _session(  # noqa: PLR0913 - one parameter an option
    *, wheelhouse: Path | None, cache: Path | None, jobs: int | None, offline: bool, verbose: bool, quiet: bool
) -> Session:
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet contradict each other.")
    verbosity = Verbosity.VERBOSE if verbose else Verbosity.QUIET if quiet else Verbosity.NORMAL
    return Session(
        runner=SubprocessRunner(os.environ),
        report=Console(sys.stderr, verbosity, os.environ),
        places=Places.of_user(wheelhouse=wheelhouse, cache=cache),
        environment=dict(os.environ),
        jobs=jobs or len(os.sched_getaffinity(0)),
        offline=offline,
    )
