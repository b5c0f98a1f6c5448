"""Options that commands share, and decorators that add them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from venvpkg.api import KEYS, Options, parse_selection, read_project
from venvpkg.cli.output import current_output
from venvpkg.console import Verbosity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from venvpkg.api import Project, Selection
    from venvpkg.cli.output import Output


# click passes options to a callback by name, with types that the type checker cannot see.
Callback = Any

OUTPUT_OPTIONS = (
    # main looks for it in the arguments itself, because an error in the command line is an event too.
    click.option(
        "--json", is_flag=True, expose_value=False, help="Print events and the result as JSON, one object per line."
    ),
    click.option("-v", "--verbose", is_flag=True, help="Print more detail."),
    click.option("-q", "--quiet", is_flag=True, help="Print only warnings and errors."),
)
# readable=False: no permission is an error of the machine, whether a directory is named by an option or is the default.
wheelhouse_option = click.option(
    "--wheelhouse",
    type=click.Path(file_okay=False, readable=False, path_type=Path),
    envvar="VENVPKG_WHEELHOUSE",
    help="Directory of vendor wheels.  [default: by XDG]",
)


def with_output(function: Callback) -> Callback:
    """Add the options of commands that print a result to a callback ``(output, …)``, and apply them to ``output``."""

    def callback(*, verbose: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401 - see Callback
        function(output_of(verbose=verbose, quiet=quiet), **options)

    callback.__doc__ = function.__doc__
    callback.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    decorated: Callback = callback
    for option in reversed(OUTPUT_OPTIONS):
        decorated = option(decorated)
    return decorated


def output_of(*, verbose: bool, quiet: bool) -> Output:
    """Return the output of the current command, with the verbosity that its options ask for."""
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet cannot be combined.")
    output = current_output()
    output.verbosity = Verbosity.VERBOSE if verbose else Verbosity.QUIET if quiet else Verbosity.NORMAL
    return output


_DIRECTORY = click.Path(file_okay=False, readable=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Application:
    """The application named on the command line, with the keys that override its configuration."""

    argument: str
    overrides: dict[str, str | tuple[str, ...]]
    environ: Mapping[str, str]

    def read(self) -> Project:
        """Return the project of the application."""
        return read_project(self.argument, self.overrides, environ=self.environ)


class KeyOption(click.Option):
    """An option that sets a key of the configuration."""


class ApplicationCommand(click.Command):
    """A command on an application, whose help lists the options of keys in a section of their own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then those of keys."""
        given = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        keys = [each for each in given if isinstance(each, KeyOption)]
        own = [each for each in given if not isinstance(each, KeyOption)]
        for title, options in (("Options", own), ("Keys of the configuration (see README)", keys)):
            records = [record for each in options if (record := each.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _parse_targets(
    _context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Selection, ...]:
    try:
        return tuple(dict.fromkeys(map(parse_selection, texts)))
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


def _parse_only_target(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> Selection:
    """Return the only target; click itself would silently take the last of several."""
    found = _parse_targets(context, parameter, texts)
    if len(found) > 1:
        names = ", ".join(map(str, found))
        raise click.BadParameter(f"{context.info_name} takes one target, but {len(found)} are given: {names}.")
    return found[0]


class _TargetText(click.types.StringParamType):
    """One target, also in the environment variable: click would split that at spaces, which a directory may contain."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [rv]


_TARGET_METAVAR = "host|root:DIR|debian:SUITE|podman:IMAGE|…"
SEVERAL_TARGETS = click.option(
    "-t",
    "--target",
    type=_TargetText(),
    multiple=True,
    default=("host",),
    show_default=True,
    metavar=_TARGET_METAVAR,
    envvar="VENVPKG_TARGET",
    callback=_parse_targets,
    help="Target to build the package for; may be given several times.",
)
COMMON = (
    click.option(
        "-t",
        "--target",
        type=_TargetText(),
        multiple=True,
        default=("host",),
        show_default=True,
        metavar=_TARGET_METAVAR,
        envvar="VENVPKG_TARGET",
        callback=_parse_only_target,
        help="Target to build the package for.",
    ),
    wheelhouse_option,
    click.option(
        "--compat",
        type=_FILE,
        envvar="VENVPKG_COMPAT",
        help="File that lists compatible platform tags.  [default: the wheelhouse's binary-compatibility.cfg]",
    ),
    click.option(
        "--cache",
        type=_DIRECTORY,
        envvar="VENVPKG_CACHE",
        help="Directory of downloads, build roots and logs.  [default: by XDG]",
    ),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1),
        metavar="N",
        envvar="VENVPKG_JOBS",
        help="Number of parallel compile jobs.  [default: one per core and GiB of memory]",
    ),
    click.option("--offline", is_flag=True, help="Do not use the network."),
    *OUTPUT_OPTIONS,
)
# For commands that read the lockfile.
LOCKED = click.option("--locked", is_flag=True, help="Fail if the lockfile is missing or out of date.")
_COMMON_NAMES = ("target", "wheelhouse", "compat", "cache", "jobs", "offline", "verbose", "quiet")
_KEYS = tuple(
    click.option(
        key.option,
        f"key_{number}",
        cls=KeyOption,
        multiple=key.repeatable,
        metavar=key.value_type.metavar,
        help=f"{key.help[0].upper()}{key.help[1:]}.".replace("`", ""),
    )
    for number, key in enumerate(KEYS)
)


def with_options(function: Callback) -> Callback:
    """Add the options of commands that work on a target to a callback ``(output, options, …)``."""

    def callback(**options: Any) -> None:  # noqa: ANN401 - see Callback
        common = {name: options.pop(name) for name in _COMMON_NAMES}
        function(*_build_options(**common), **options)

    callback.__doc__ = function.__doc__
    callback.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    decorated: Callback = callback
    for option in reversed(COMMON):
        decorated = option(decorated)
    return decorated


def on_application(function: Callback) -> Callback:
    """Add the argument and options for an application to a callback ``(application, output, options, …)``."""
    return _with_application(function, COMMON)


def on_targets(function: Callback) -> Callback:
    """Do the same as ``on_application``, for a command that takes several targets."""
    return _with_application(function, (SEVERAL_TARGETS, *COMMON[1:]))


def _with_application(function: Callback, common_options: tuple[Callback, ...]) -> Callback:
    def callback(argument: str, **options: Any) -> None:  # noqa: ANN401 - see Callback
        keys = {key.path: options.pop(f"key_{number}") for number, key in enumerate(KEYS)}
        given = {path: value for path, value in keys.items() if value is not None and value != ()}
        application = Application(argument, given, dict(os.environ))
        common = {name: options.pop(name) for name in _COMMON_NAMES}
        function(application, *_build_options(**common), **options)

    callback.__doc__ = function.__doc__
    callback.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    decorated: Callback = callback
    for option in reversed((*_KEYS, *common_options)):
        decorated = option(decorated)
    argument = click.argument("argument", default=".", metavar="[PROJECT | REQUIREMENT]", shell_complete=_directories)
    return argument(decorated)


def _directories(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete directories; requirements are not completed."""
    del ctx, param
    return [CompletionItem(incomplete, type="dir")]


def _build_options(*, verbose: bool, quiet: bool, **given: Any) -> tuple[Output, Options]:  # noqa: ANN401 - see Callback
    """Return the output and the options of a command from its common options."""
    target = given.pop("target")
    targets = target if isinstance(target, tuple) else (target,)
    options = Options(targets=tuple(map(str, targets)), compatibility_file=given.pop("compat"), **given)
    return output_of(verbose=verbose, quiet=quiet), options


# Unit → seconds, and unit → bytes.
AGES: Final = {"h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
SIZES: Final = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def quantity(units: Mapping[str, int]) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """Return a callback that parses a number followed by one of the units."""

    def parse(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        found = re.fullmatch(rf"(\d{{1,6}})([{''.join(units)}])", value)
        if found is None:
            raise click.BadParameter(
                f"{value!r} is not a number followed by one of the units {', '.join(units)}.", ctx, param
            )
        return int(found[1]) * units[found[2]]

    return parse
