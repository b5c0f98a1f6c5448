"""Run the command ``venvpkg``, and turn errors into exit codes."""

from __future__ import annotations

import importlib
import itertools
import os
import signal
import sys
from typing import TYPE_CHECKING

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

import venvpkg
from venvpkg.cli.output import Output
from venvpkg.errors import MachineError, VenvpkgError, machine_errors

if TYPE_CHECKING:
    from collections.abc import Sequence


# The module of each command, which has a function of that name, and what it does.
_COMMANDS = {
    "build": ("build", "Build the native package of an application."),
    "ci": ("ci", "Print a GitHub or GitLab CI job that builds for several releases."),
    "completion": ("main", "Print a completion script for bash, fish or zsh."),
    "doctor": ("plan", "Report missing prerequisites, and print one command that installs them."),
    "explain": ("inspect", "Explain the dependencies of a package that venvpkg built."),
    "init": ("init", "Write a starter configuration with what was detected."),
    "inspect": ("inspect", "Show what any Debian or rpm package contains."),
    "lock": ("plan", "Resolve the application's distributions and pin them with hashes."),
    "plan": ("plan", "Show what a build would compile, reuse or download, and why."),
    "rebuild": ("build", "Repeat a recorded build and compare the bytes."),
    "schema": ("init", "Print the JSON Schema of the configuration."),
    "target": ("target", "Create, list and remove build roots of other releases."),
    "wheelhouse": ("wheelhouse", "List, explain, remove and export the vendor wheels that builds share."),
}


class _LazyGroup(click.Group):
    """Group that imports a command's module only when the command is called, so that ``--help`` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"venvpkg.cli.{module}"), cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return matching commands, or options if the word starts like one, without importing a command."""
        commands = [CompletionItem(name, help=text) for name, (_, text) in sorted(_COMMANDS.items())]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(each for each in commands if str(each.value).startswith(incomplete)), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_COMMANDS.items())])


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(venvpkg.__version__, prog_name="venvpkg")
def cli() -> None:
    """Build native OS packages (.deb, .rpm) from Python applications."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 success, 1 a bug, 2 usage, 3 and up as README lists them."""
    # A CI job that is ended by SIGTERM must clean up like a run that is ended by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = list(sys.argv[1:] if arguments is None else arguments)
    own = itertools.takewhile(lambda argument: argument != "--", given)
    output = Output(sys.stdout, sys.stderr, os.environ, as_json="--json" in own)
    try:
        return _run(given, output)
    except (click.Abort, KeyboardInterrupt):
        output.close()
        click.echo("Interrupted.", err=True)
        output.write_error_event(128 + signal.SIGINT, "Interrupted.")
        return 128 + signal.SIGINT
    except click.ClickException as error:
        error.show()
        output.write_error_event(error.exit_code, error.format_message())
        return error.exit_code
    except Exception:
        output.write_error_event(1, "Internal error in venvpkg; the traceback is on standard error.")
        raise
    finally:
        output.close()


def _run(arguments: list[str], output: Output) -> int:
    try:
        # Outside of its standalone mode, click returns the code of an Exit.
        with machine_errors():
            code = cli.main(args=arguments, prog_name="venvpkg", standalone_mode=False, obj=output)
            output.require_written()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except VenvpkgError as error:
        if isinstance(error, MachineError):
            _discard_output()
        output.report_error(error)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _discard_output() -> None:
    """Discard what cannot be written to standard output; Python would try again at exit, and exit with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), sys.stdout.fileno())


_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "fish": FishComplete, "zsh": ZshComplete}


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(_SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that lets a shell complete venvpkg's commands, options and files.

    For bash, add to ~/.bashrc: eval "$(venvpkg completion bash)"
    """
    root = ctx.find_root()
    script = _SHELLS[shell](root.command, {}, root.info_name or "venvpkg", "_VENVPKG_COMPLETE")
    # Not source(), which starts bash only to check that its version is at least 4.4, of 2016.
    click.echo(script.source_template % script.source_vars())
