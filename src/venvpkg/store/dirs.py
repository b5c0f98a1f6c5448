"""Where venvpkg keeps things on this machine (XDG base directory specification)."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs  # noqa: TID251

from venvpkg.store.locks import locked, locked_if_free

if TYPE_CHECKING:
    from collections.abc import Iterator


# How often, and how long apart, an abandoned workspace is removed; what then still stays is left to the next run.
_REMOVALS: Final = 5
_PAUSE_S: Final = 0.1


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
    def of_user(cls, *, wheelhouse: Path | None = None, cache: Path | None = None) -> Dirs:
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


def workspace(places: Dirs) -> contextlib.AbstractContextManager[Path]:
    """Return an empty private directory of this run as a context; see ``private_directory``."""
    return private_directory(places.cache / "work")


@contextlib.contextmanager
def private_directory(parent: Path) -> Iterator[Path]:
    """Yield an empty directory of this run below ``parent``, removed at its end.

    A run that was killed leaves its directory behind; the next run removes it. A directory is in use as long as
    somebody holds the lock on its ``.lock`` file, which the kernel lets go of however the holder ended.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        # One that is made and not yet locked would look abandoned.
        with locked(parent.with_name(f"{parent.name}.lock")):
            _remove_abandoned(parent)
            directory = Path(tempfile.mkdtemp(dir=parent))
            stack.enter_context(locked(directory / ".lock"))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    for directory in parent.iterdir():
        try:
            with locked_if_free(directory / ".lock", made=False) as lock:
                if lock is not None:
                    _remove(directory)
        except FileNotFoundError:  # killed before it was locked, or while it was removed
            _remove(directory)
        except OSError:  # another user's
            continue


def _remove(directory: Path) -> None:
    """Remove what a killed run left. Its programs die with it, yet one may write until the last moment."""
    for _ in range(_REMOVALS):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(_PAUSE_S)
