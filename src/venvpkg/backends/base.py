"""What a package family must be able to do. One module a family; each does the same things in its own format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.console import Report
    from venvpkg.host.runner import Runner
    from venvpkg.model.package import Artifact, PackageSpec
    from venvpkg.model.target import Target


class Backend(Protocol):
    """Writes packages of one family."""

    def artifact_name(self, spec: PackageSpec, target: Target) -> str:
        """Return the file name by which the family's tools know the package."""

    def assemble(
        self, spec: PackageSpec, target: Target, destination: Path, runner: Runner, report: Report
    ) -> Artifact:
        """Write the package into the directory ``destination``, whole or not at all."""
