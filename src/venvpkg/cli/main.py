"""The command ``venvpkg``: where an error becomes an exit code."""

from __future__ import annotations

import importlib
import itertools
import os
import signal
import sys
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

import venvpkg
from venvpkg.cli.output import Output
from venvpkg.errors import MachineError, VenvpkgError, is_our_mistake

if TYPE_CHECKING:
    from collections.abc import Sequence


_COMMANDS = {
    "build": "Build the native package of an application.",
    "ci": "Print a job of GitHub or GitLab that builds for several releases.",
    "completion": "Print what lets bash, fish or zsh complete commands and options.",
    "doctor": "Say what the target lacks, with one command that installs it.",
    "explain": "Explain the dependencies of a package that venvpkg built.",
    "init": "Write a configuration with what was detected.",
    "lock": "Resolve the application's distributions and pin them with hashes.",
    "inspect": "Look into any Debian or rpm package.",
    "rebuild": "Repeat a recorded build and compare the bytes.",
    "plan": "Show what a build would compile, reuse or download, and why.",
    "schema": "Print the JSON Schema of the configuration.",
    "target": "Make, list and remove systems of other releases to build in.",
    "wheelhouse": "List, explain, remove and export the vendor wheels that builds share.",
}


class _LazyGroup(click.Group):
    """Imports a command's module when it is called, so that ``--help`` costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"venvpkg.cli.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return commands, or options when one is begun; imports no command."""
        commands = [CompletionItem(name, help=text) for name, text in sorted(_COMMANDS.items())]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(each for each in commands if str(each.value).startswith(incomplete)), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(venvpkg.__version__, prog_name="venvpkg")
def cli() -> None:
    """Build native OS packages (.deb, .rpm) from Python applications."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 a bug, 2 usage, 3 and up as README lists them."""
    # A job that ends by SIGTERM must clean up like one that ends by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = list(sys.argv[1:] if arguments is None else arguments)
    own = itertools.takewhile(lambda argument: argument != "--", given)
    output = Output(sys.stdout, sys.stderr, os.environ, as_json="--json" in own)
    try:
        return _run(given, output)
    except (click.Abort, KeyboardInterrupt):
        output.close()
        click.echo("Interrupted.", err=True)
        output.failure(128 + signal.SIGINT, "Interrupted.")
        return 128 + signal.SIGINT
    except click.ClickException as error:
        error.show()
        output.failure(error.exit_code, error.format_message())
        return error.exit_code
    except Exception:
        output.failure(1, "A bug in venvpkg; the traceback is on standard error.")
        raise
    finally:
        output.close()


def _run(arguments: list[str], output: Output) -> int:
    try:
        # Without its standalone mode click returns the code of an Exit.
        code = cli.main(args=arguments, prog_name="venvpkg", standalone_mode=False, obj=output)
        output.require_written()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except VenvpkgError as error:
        output.error(error)
        return error.exit_code
    except OSError as error:
        # The one place for what the machine refuses (a full disk, no permission): it can happen at every write, so
        # no stage catches it.
        if is_our_mistake(error):
            raise
        _let_go_of_output()
        refused = MachineError.of(error)
        output.error(refused)
        return refused.exit_code
    return code if isinstance(code, int) else 0


def _let_go_of_output() -> None:
    """Forget what standard output does not take; else Python tries once more at its end, and exits with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), sys.stdout.fileno())
