"""The manual page venvpkg(1), from the commands themselves. Pure; docs/venvpkg.1 is what it returns.

click-man writes a page for each command, with today's date, without the exit codes, and with text that man(7) takes
for requests; hence this one.
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
    Turns a Python application into a native package: its libraries in a virtual environment at a fixed place, those
    with native code compiled against the release's own C libraries, and Depends computed from what the compiled files
    need. Results go to standard output, everything else to standard error.
"""
_HELP = "-h, --help"
_CODES = ((0, "Done."), (1, "A bug in venvpkg."), (2, "The command line is wrong."), (130, "Interrupted."))
_ENVIRONMENT = (
    ("NO_COLOR", "When it is not empty, nothing is coloured."),
    ("SOURCE_DATE_EPOCH", "The build time inside the package, in seconds since 1970 UTC."),
    ("VENVPKG_TARGETS", "The file with what is not this machine's own of systems to build in."),
    ("TMPDIR", "Where temporary files are."),
    (
        "UV_*, PIP_*",
        "Indexes and how to reach them, as uv and pip read them; pip's are translated, or refused by name.",
    ),
    ("VENVPKG_KEY", "A key of the configuration: VENVPKG_WHEELS_DEFAULT for wheels.default. An option wins over it."),
    ("XDG_CACHE_HOME, XDG_DATA_HOME", "Where the cache and the wheelhouse are by default."),
)
_FILES = (
    ("pyproject.toml, venvpkg.toml", "The project and its configuration."),
    ("pylock.toml, uv.lock", "The lock of the application's distributions."),
    ("venvpkg.lock", "The pins of their build requirements, and wheels that could not be compiled."),
    ("~/.config/venvpkg/targets.toml", "Mirrors, keys and packages of systems to build in."),
    ("binary-compatibility.cfg", "Platform tags that serve a release beside its own."),
)


def manual_page(root: click.Group) -> str:
    r"""Return the page of a group and all its commands as man(7) source; ASCII.

    Source:
        man(7), man-pages(7); groff_char(7) for ``\[u2026]``.
    """
    context = click.Context(root, info_name="venvpkg", **root.context_settings)
    commands = tuple(commands_of(root))
    keys = {_head(each, at): each for command, at in commands for each in command.get_params(at) if _is_key(each)}
    lines = [
        f'.TH VENVPKG 1 "" "venvpkg {venvpkg.__version__}" "User Commands"',
        ".SH NAME",
        rf"venvpkg \- {_text(root.help or '').rstrip('.')}",
        ".SH SYNOPSIS",
        "\n.br\n".join(rf"\fB{_text(at.command_path)}\fR {_usage(command, at)}" for command, at in commands),
        ".SH DESCRIPTION",
        *_filled(_DESCRIPTION),
        ".SH COMMANDS",
        *(line for command, at in commands for line in _section(command, at)),
        ".SH COMMON OPTIONS",
        *_listed((*(_record(each, context) for each in _common()), (_HELP, "Show the command's help and exit."))),
        ".SH KEYS OF THE CONFIGURATION",
        "Each is also a key of [tool.venvpkg] and a variable.",
        *_listed(_record(each, context) for each in keys.values()),
        ".SH EXIT STATUS",
        *_listed((str(code), text) for code, text in _exit_codes()),
        ".SH ENVIRONMENT",
        *_listed(_ENVIRONMENT),
        ".SH FILES",
        *_listed(_FILES),
        ".SH SEE ALSO",
        r"\fBdpkg-deb\fR(1), \fBdpkg-shlibdeps\fR(1), \fBapt\fR(8)",
    ]
    return "\n".join(lines) + "\n"


def commands_of(root: click.Group) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield every command that is no group, with its context, in order."""
    # With its settings: click keeps what it makes of them, such as the names of --help, with the command.
    yield from _below(root, click.Context(root, info_name="venvpkg", **root.context_settings))


def _below(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        at = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _below(command, at)
        else:
            yield command, at


def _section(command: click.Command, at: click.Context) -> Iterator[str]:
    yield f".SS {_text(at.command_path)} {_usage(command, at)}".rstrip()
    for number, paragraph in enumerate((command.help or "").split("\n\n")):
        yield from ([".PP"] if number else [])
        yield from _filled(paragraph)
    known = {_head(each, at) for each in _common()}
    own = (each for each in command.get_params(at) if isinstance(each, click.Option) and not _is_key(each))
    yield from _listed(_record(each, at) for each in own if _head(each, at) not in known | {_HELP})


def _usage(command: click.Command, at: click.Context) -> str:
    return _text(" ".join(command.collect_usage_pieces(at)))


def _listed(records: Iterable[tuple[str, str]]) -> Iterator[str]:
    for head, text in records:
        yield ".TP"
        yield rf"\fB{_text(head)}\fR"
        yield from _filled(text)


def _common() -> tuple[click.Option, ...]:
    """Return the options of every command that works, as click knows them."""

    def nothing() -> None: ...

    decorated = nothing
    for option in reversed(COMMON):
        decorated = option(decorated)
    return tuple(each for each in click.command()(decorated).params if isinstance(each, click.Option))


def _record(option: click.Parameter, at: click.Context) -> tuple[str, str]:
    head, text = option.get_help_record(at) or ("", "")
    return head, re.sub(r"\s+", " ", text)


def _head(option: click.Parameter, at: click.Context) -> str:
    return _record(option, at)[0]


def _is_key(parameter: click.Parameter) -> bool:
    return isinstance(parameter, KeyOption)


def _exit_codes() -> list[tuple[int, str]]:
    def families(base: type[VenvpkgError]) -> Iterator[type[VenvpkgError]]:
        for child in base.__subclasses__():
            yield from (child, *families(child))

    own = ((each.exit_code, (each.__doc__ or "").partition("\n")[0]) for each in families(VenvpkgError)
           if "exit_code" in vars(each))  # fmt: skip
    return sorted((*_CODES, *own))


def _filled(text: str) -> Iterator[str]:
    """Yield a paragraph as lines; man(1) fills them again."""
    return map(_text, textwrap.wrap(" ".join(text.split()), 72, break_long_words=False, break_on_hyphens=False))


def _text(text: str) -> str:
    """Return text that man(7) shows as it is: nothing in it is a request, a hyphen, or of another encoding."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("`", "").replace("'", r"\(aq")
    plain = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in escaped)
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain
