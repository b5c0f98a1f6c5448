"""Directories that venvpkg uses on this machine, by the XDG base directory specification."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs  # noqa: TID251


@dataclass(frozen=True, slots=True)
class Dirs:
    """Directories that outlive a run.

    Attributes:
        wheelhouse: vendor wheels; kept until the user removes them.
        cache: downloads and other files that can be recreated.
    """

    wheelhouse: Path
    cache: Path

    @classmethod
    def of_user(cls, *, wheelhouse: Path | str | None = None, cache: Path | str | None = None) -> Dirs:
        """Return the given directories, or the user's; as absolute paths without links and ``..``.

        Programs record the path as they see it, and it must be the one that is searched for later.
        """
        # Not Path.resolve, which raises for a loop of links; the first use of the directory has a better error.
        return cls(
            wheelhouse=Path(os.path.realpath(wheelhouse or platformdirs.user_data_path("venvpkg") / "wheelhouse")),
            cache=Path(os.path.realpath(cache or platformdirs.user_cache_path("venvpkg"))),
        )

    @property
    def downloads(self) -> Path:
        """Files from indexes, addressed by sha256."""
        return self.cache / "downloads"

    @property
    def staged(self) -> Path:
        """Staged distributions, addressed by a hash of their inputs."""
        return self.cache / "staged"

    @property
    def packed(self) -> Path:
        """Packages, addressed by a hash of their inputs."""
        return self.cache / "packed"

    @property
    def checkouts(self) -> Path:
        """Checkouts of git repositories, by commit."""
        return self.cache / "checkouts"

    @property
    def crates(self) -> Path:
        """Rust crates, by Cargo.lock, in the layout of ``cargo vendor``."""
        return self.cache / "crates"

    @property
    def prepared(self) -> Path:
        """Output of the prepare commands of projects, addressed by a hash of their inputs."""
        return self.cache / "prepared"

    @property
    def build_roots(self) -> Path:
        """Build roots: tarballs, and roots unpacked from them."""
        return self.cache / "systems"

    @property
    def logs(self) -> Path:
        """Build logs, which are kept after the run."""
        return self.cache / "logs"


def user_configuration() -> Path:
    """Return the directory of the user's own configuration."""
    return platformdirs.user_config_path("venvpkg")
