"""How dpkg names a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.host.runner import Command
from venvpkg.targets.traits import Identity

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Release


def read_identity(release: Release, multiarch: str, runner: Runner) -> Identity:
    """Return the target's architecture; see ``Traits``.

    Source:
        dpkg(1), --print-architecture.
    """
    done = runner.run(Command(("dpkg", "--print-architecture"), timeout_s=60))
    if not done.ok:
        raise MissingToolError(
            [f"dpkg: {done.outcome()} {done.errors.strip()[-300:]}".rstrip()],
            resolution=f"{release.id} {release.version} is not a release whose packages are .deb files.",
        )
    return Identity(done.text.strip(), multiarch)
