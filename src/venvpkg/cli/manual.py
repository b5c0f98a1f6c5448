"""Generate the manual page venvpkg(1), which is docs/venvpkg.1, from the commands. Pure.

click-man does not serve: it writes one page for each command, with today's date and without the exit codes, and does
not escape text that man(7) reads as requests.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import click

import venvpkg
from venvpkg.cli.options import COMMON, KeyOption
from venvpkg.errors import VenvpkgError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_DESCRIPTION = """
    Turns a Python application into a native package. Its libraries are installed in a virtual environment at a fixed
    path. Those with native code are compiled against the release's own C libraries, and Depends is computed from what
    the compiled files need. Results go to standard output, everything else to standard error.
"""
_HELP = "-h, --help"
_CODES = ((0, "Done."), (1, "A bug in venvpkg."), (2, "The command line is not valid."), (130, "Interrupted."))
_ENVIRONMENT = (
    ("NO_COLOR", "If not empty, output has no colours."),
    ("SOURCE_DATE_EPOCH", "Build time recorded in the package, in seconds since 1970 UTC."),
    ("VENVPKG_TARGETS", "Path of targets.toml (mirrors, keys and packages of build roots)."),
    ("TMPDIR", "Directory for temporary files."),
    (
        "UV_*, PIP_*",
        "Indexes and how to reach them, as for uv and pip. Settings of pip are translated for uv, or are errors.",
    ),
    (
        "VENVPKG_KEY",
        "A key of the configuration, such as VENVPKG_WHEELS_DEFAULT for wheels.default. An option overrides it.",
    ),
    ("XDG_CACHE_HOME, XDG_DATA_HOME", "Default parent directories of the cache and the wheelhouse."),
)
_FILES = (
    ("pyproject.toml, venvpkg.toml", "The project and its configuration."),
    ("pylock.toml, uv.lock", "The lockfile of the application's distributions."),
    ("venvpkg.lock", "The pins of their build requirements, and the wheels that could not be compiled."),
    ("~/.config/venvpkg/targets.toml", "Mirrors, keys and packages of build roots."),
    ("binary-compatibility.cfg", "Platform tags that a release accepts in addition to its own."),
)


def manual_page(root: click.Group) -> str:
    r"""Return the manual page of a group and all its commands as man(7) source, in ASCII.

    Source:
        man(7), man-pages(7); groff_char(7) for ``\[u2026]``.
    """
    context = click.Context(root, info_name="venvpkg", **root.context_settings)
    commands = tuple(commands_of(root))
    keys = {_head(each, at): each for command, at in commands for each in command.get_params(at) if _is_key(each)}
    lines = [
        f'.TH VENVPKG 1 "" "venvpkg {venvpkg.__version__}" "User Commands"',
        ".SH NAME",
        rf"venvpkg \- {_escape(root.help or '').rstrip('.')}",
        ".SH SYNOPSIS",
        "\n.br\n".join(rf"\fB{_escape(at.command_path)}\fR {_usage(command, at)}" for command, at in commands),
        ".SH DESCRIPTION",
        *_paragraph(_DESCRIPTION),
        ".SH COMMANDS",
        *(line for command, at in commands for line in _command_section(command, at)),
        ".SH COMMON OPTIONS",
        *_definition_list(
            (
                *(_help_entry(each, context) for each in _common_options()),
                (_HELP, "Show the command's help and exit."),
            )
        ),
        ".SH KEYS OF THE CONFIGURATION",
        "Each is also a key of [tool.venvpkg] and an environment variable.",
        *_definition_list(_help_entry(each, context) for each in keys.values()),
        ".SH EXIT STATUS",
        *_definition_list((str(code), text) for code, text in _exit_codes()),
        ".SH ENVIRONMENT",
        *_definition_list(_ENVIRONMENT),
        ".SH FILES",
        *_definition_list(_FILES),
        ".SH SEE ALSO",
        r"\fBdpkg-deb\fR(1), \fBdpkg-shlibdeps\fR(1), \fBapt\fR(8)",
    ]
    return "\n".join(lines) + "\n"


def commands_of(root: click.Group) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield every command that is not a group, with its context, in order."""
    # With the root's settings: click stores what follows from them, such as the names of --help, in the command.
    yield from _walk_commands(root, click.Context(root, info_name="venvpkg", **root.context_settings))


def _walk_commands(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        at = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _walk_commands(command, at)
        else:
            yield command, at


def _command_section(command: click.Command, at: click.Context) -> Iterator[str]:
    yield f".SS {_escape(at.command_path)} {_usage(command, at)}".rstrip()
    for number, paragraph in enumerate((command.help or "").split("\n\n")):
        yield from ([".PP"] if number else [])
        yield from _paragraph(paragraph)
    common = {_head(each, at) for each in _common_options()}
    own = (each for each in command.get_params(at) if isinstance(each, click.Option) and not _is_key(each))
    yield from _definition_list(_help_entry(each, at) for each in own if _head(each, at) not in common | {_HELP})


def _usage(command: click.Command, at: click.Context) -> str:
    return _escape(" ".join(command.collect_usage_pieces(at)))


def _definition_list(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    for head, text in entries:
        yield ".TP"
        yield rf"\fB{_escape(head)}\fR"
        yield from _paragraph(text)


def _common_options() -> tuple[click.Option, ...]:
    """Return the options of every command on a target, as click's objects."""

    def nothing() -> None: ...

    decorated = nothing
    for option in reversed(COMMON):
        decorated = option(decorated)
    return tuple(each for each in click.command()(decorated).params if isinstance(each, click.Option))


def _help_entry(option: click.Parameter, at: click.Context) -> tuple[str, str]:
    head, text = option.get_help_record(at) or ("", "")
    return head, re.sub(r"\s+", " ", text)


def _head(option: click.Parameter, at: click.Context) -> str:
    return _help_entry(option, at)[0]


def _is_key(parameter: click.Parameter) -> bool:
    return isinstance(parameter, KeyOption)


def _exit_codes() -> list[tuple[int, str]]:
    def families(base: type[VenvpkgError]) -> Iterator[type[VenvpkgError]]:
        for child in base.__subclasses__():
            yield from (child, *families(child))

    own = ((each.exit_code, (each.__doc__ or "").partition("\n")[0]) for each in families(VenvpkgError)
           if "exit_code" in vars(each))  # fmt: skip
    return sorted((*_CODES, *own))


def _paragraph(text: str) -> Iterator[str]:
    """Yield the lines of a paragraph; man(1) fills them again."""
    return map(_escape, textwrap.wrap(" ".join(text.split()), 72, break_long_words=False, break_on_hyphens=False))


def _escape(text: str) -> str:
    """Return text escaped for man(7): no requests, no typographic hyphens, only ASCII."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("`", "").replace("'", r"\(aq")
    plain = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in escaped)
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain
