"""Run programs in a directory that holds an operating system: a chroot over a layer that vanishes with the program."""

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


# What a program there may see of our environment: how to reach an index. Our paths mean nothing in another root.
_PASSED_ON: Final = frozenset({
    "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "TERM", "all_proxy", "http_proxy", "https_proxy", "no_proxy",
})  # fmt: skip
_BASE: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}


def base_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of programs in another root: ours that say how to reach an index, and what all have."""
    return {key: value for key, value in environment.items() if key in _PASSED_ON} | _BASE


class RootRunner:
    """Runs programs in a root; what they write there is gone when they end, but for what they are shown writable.

    Args:
        root: the directory.
        host: runs programs of this machine.
        environment: venvpkg's own.
        lasting: let what they write stay; for the root's own package manager, while nobody else uses the root.
    """

    def __init__(self, root: Path, host: Streamer, environment: Mapping[str, str], *, lasting: bool = False) -> None:
        self._root = root
        self._lasting = lasting
        self._host = host
        self._personality = personality(root)
        self._base = base_environment(environment)

    def run(self, command: Command) -> Completed:
        """Run to the end. Programs, directories and paths are the root's."""
        return self._host.run(self.on_host(command))

    def stream(self, command: Command) -> contextlib.AbstractContextManager[Stream]:
        """Start a program; it is killed at the end of the block when it still runs."""
        return self._host.stream(self.on_host(command))

    def on_host(self, command: Command) -> Command:
        """Return the command of this machine that runs one of the root's."""
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
