"""Distributions that the operating system's own packages install, and that an application uses instead of a wheel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from venvpkg.model.depends import NativePackage


@dataclass(frozen=True, slots=True)
class SystemDistribution:
    """A distribution as a package of the release has it.

    Attributes:
        name: normalised (PEP 503).
        version: PEP 440, as its metadata has it.
        requires: its requirements (PEP 508), in order.
        metadata: its ``.dist-info`` or ``.egg-info`` on the target.
        directories: where its modules are on the target, in the order of search.
        modules: dotted names of what is exposed: modules, packages with all they hold, and those within packages that
            distributions share (``zope.interface``); sorted.
        package: the installed package that ships it.
        needed_by: the distribution of the system whose requirement brought it here; empty for one that was asked for.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    metadata: PurePosixPath
    directories: tuple[PurePosixPath, ...]
    modules: tuple[str, ...]
    package: NativePackage
    needed_by: str = ""

    @property
    def title(self) -> str:
        """``2.9.5 of python3-psycopg2 2.9.5-1+b1``."""
        return f"{self.version} of {self.package.name} {self.package.version}"
