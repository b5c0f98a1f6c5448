"""What every command that has a result understands: how loud it is, and for whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from venvpkg.cli.output import current_output
from venvpkg.console import Verbosity

if TYPE_CHECKING:
    from venvpkg.cli.output import Output

# A callback of click gets its options by name; click knows their types, the type checker cannot.
Callback = Any

SPEECH = (
    # main looks for it, because an error in the command line is told as an event too.
    click.option("--json", is_flag=True, expose_value=False, help="Print events and the result as JSON, one a line."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
    click.option("-q", "--quiet", is_flag=True, help="Say only warnings and errors."),
)
wheelhouse_option = click.option(
    "--wheelhouse",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="VENVPKG_WHEELHOUSE",
    help="Where vendor wheels are kept.  [default: by XDG]",
)


def speaking(function: Callback) -> Callback:
    """Give a callback ``(output, …)`` the options of every command that has a result; ``output`` heeds them."""

    def callback(*, verbose: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401 - see Callback
        function(output_of(verbose=verbose, quiet=quiet), **options)

    callback.__doc__ = function.__doc__
    callback.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    decorated: Callback = callback
    for option in reversed(SPEECH):
        decorated = option(decorated)
    return decorated


def output_of(*, verbose: bool, quiet: bool) -> Output:
    """Return the output of the command that runs, as loud as its options say."""
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet contradict each other.")
    output = current_output()
    output.verbosity = Verbosity.VERBOSE if verbose else Verbosity.QUIET if quiet else Verbosity.NORMAL
    return output
