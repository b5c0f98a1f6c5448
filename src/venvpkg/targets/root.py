"""Run programs in a directory that contains an operating system: in a chroot, over a throw-away overlay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.host.sandbox import isolated_argv
from venvpkg.targets.processor import personality

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.host.command import Command, Completed, Stream, Streamer


# Variables of our environment that programs in a root get: how to reach an index. Our paths mean nothing in a root.
_PASSED_ON: Final = frozenset({
    "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "TERM", "all_proxy", "http_proxy", "https_proxy", "no_proxy",
})  # fmt: skip
_BASE: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}


def base_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of programs in another root: defaults, and how to reach an index."""
    return {key: value for key, value in environ.items() if key in _PASSED_ON} | _BASE


class RootRunner:
    """Runs programs in a root. What they write is discarded when they end, except in writable bind mounts.

    Args:
        root: directory of the root.
        host: runs programs on this machine.
        environ: venvpkg's own environment variables.
        lasting: keep what they write; for the root's own package manager, while no other run uses the root.
    """

    def __init__(self, root: Path, host: Streamer, environ: Mapping[str, str], *, lasting: bool = False) -> None:
        self._root = root
        self._lasting = lasting
        self._host = host
        self._personality = personality(root)
        self._base = base_environ(environ)

    def run(self, command: Command) -> Completed:
        """Run a program to its end. Programs, directories and paths are those of the root."""
        return self._host.run(self.on_host(command))

    def stream(self, command: Command) -> contextlib.AbstractContextManager[Stream]:
        """Start a program; it is killed at the end of the block if it is still running."""
        return self._host.stream(self.on_host(command))

    def on_host(self, command: Command) -> Command:
        """Return the command that runs a command of the root on this machine."""
        command = replace(command, cwd=PurePosixPath(command.cwd or "/"))
        env = dict(command.env) if command.clean else self._base | dict(command.env)
        return replace(
            command,
            argv=(*self._personality, *isolated_argv(command, self._root, lasting=self._lasting)),
            cwd=None,
            env=env,
            clean=True,
            binds=(),
            masked=(),
            network=True,
            many_users=False,
        )
