"""This machine as the target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.host.runner import Command
from venvpkg.model.target import Family, Target
from venvpkg.targets.interpreter import read_interpreter
from venvpkg.targets.release import read_release

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner


def resolve_host(runner: Runner, root: Path = Path("/")) -> Target:
    """Return this machine's release, architecture and interpreter.

    Args:
        runner: runs programs on the target.
        root: its filesystem.

    Raises:
        ConfigurationError: the release cannot be told.
        MissingToolError: no dpkg or no interpreter.
    """
    release = read_release(root)
    architecture = runner.run(Command(("dpkg", "--print-architecture")))
    if not architecture.ok:
        raise MissingToolError(
            [f"dpkg: {architecture.outcome()}"],
            resolution=f"{release.id} {release.version} is not a release whose packages are .deb files.",
        )
    interpreter, multiarch = read_interpreter(runner)
    return Target(
        family=Family.DEB,
        release=release,
        architecture=architecture.text.strip(),
        machine=interpreter.environment["platform_machine"],
        multiarch=multiarch,
        root=root,
        interpreter=interpreter,
    )
