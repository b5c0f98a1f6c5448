"""``venvpkg completion``."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "fish": FishComplete, "zsh": ZshComplete}


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(_SHELLS)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what lets a shell complete venvpkg's commands, options and files.

    For bash, in ~/.bashrc: eval "$(venvpkg completion bash)"
    """
    root = ctx.find_root()
    completion = _SHELLS[shell](root.command, {}, root.info_name or "venvpkg", "_VENVPKG_COMPLETE")
    # Not source(): for bash it starts one, to find out its version. 4.4 is of 2016.
    click.echo(completion.source_template % completion.source_vars())
