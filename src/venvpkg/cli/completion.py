"""``venvpkg completion``."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "fish": FishComplete, "zsh": ZshComplete}


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(_SHELLS)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script that lets a shell complete venvpkg's commands, options and files.

    For bash, add to ~/.bashrc: eval "$(venvpkg completion bash)"
    """
    root = ctx.find_root()
    completion = _SHELLS[shell](root.command, {}, root.info_name or "venvpkg", "_VENVPKG_COMPLETE")
    # Not source(), which starts bash only to check that its version is at least 4.4, of 2016.
    click.echo(completion.source_template % completion.source_vars())
