"""Where venvpkg keeps things on this machine (XDG base directory specification)."""

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
        cache: downloads and other things that can be had again.
    """

    wheelhouse: Path
    cache: Path

    @classmethod
    def of_user(cls, *, wheelhouse: Path | str | None = None, cache: Path | str | None = None) -> Dirs:
        """Return the user's places, or those given; absolute, without links and ``..``.

        Programs that work there write down the path as they see it, and it must be the one that is looked for later.
        """
        # Not Path.resolve, which raises for a loop of links; the first use of the place tells that better.
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
        """Distributions as they are staged, addressed by what they are made from."""
        return self.cache / "staged"

    @property
    def packed(self) -> Path:
        """Packages, addressed by what they are packed from."""
        return self.cache / "packed"

    @property
    def checkouts(self) -> Path:
        """Source at commits of git repositories."""
        return self.cache / "checkouts"

    @property
    def crates(self) -> Path:
        """Rust crates of locks, as ``cargo vendor`` lays them out."""
        return self.cache / "crates"

    @property
    def prepared(self) -> Path:
        """Files that the prepare commands of projects made, addressed by what they were made from."""
        return self.cache / "prepared"

    @property
    def build_roots(self) -> Path:
        """Systems to build in: tarballs, and roots unpacked from them."""
        return self.cache / "systems"

    @property
    def logs(self) -> Path:
        """Logs of builds, kept after the run."""
        return self.cache / "logs"


def user_configuration() -> Path:
    """Return the directory of the user's own configuration, by XDG."""
    return platformdirs.user_config_path("venvpkg")
