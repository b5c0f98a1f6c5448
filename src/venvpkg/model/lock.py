"""Pinned distributions, and the files they may be installed from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class RemoteFile:
    """A wheel or source archive on an index, at another URL, or next to the lockfile (``file:`` URL).

    Attributes:
        filename: PyPA name of a wheel or sdist; for another archive, the last part of its URL.
        url: URL without a password.
        sha256: hexadecimal.
        uploaded: upload time, if known.
        subdirectory: subdirectory of the archive with the source; empty for its top.
    """

    filename: str
    url: str
    sha256: str
    uploaded: datetime | None = None
    subdirectory: str = ""


@dataclass(frozen=True, slots=True)
class LockedDirectory:
    """Source in an absolute directory of this machine, in its current state; it is hashed when it is built."""

    path: Path


@dataclass(frozen=True, slots=True)
class LockedCommit:
    """Source at one commit of a git repository.

    Attributes:
        url: URL of the repository, without a password; ``https:``, ``ssh:``, ``git:``, ``file:`` or an absolute path.
        commit: full object name, hexadecimal; a hash over the content of the commit.
        subdirectory: subdirectory of the repository with the source; empty for its top.
    """

    url: str
    commit: str
    subdirectory: str = ""


@dataclass(frozen=True, slots=True)
class LockedDistribution:
    """A distribution at its locked version, with all files that the lock lists for it.

    Attributes:
        name: normalised (PEP 503).
        version: PEP 440, as spelled in the lock; may be empty for a distribution with an origin.
        wheels: wheels on the index, in the lock's order; may be empty.
        sdist: its sdist, if the lock has one.
        origin: location of its source if it does not come from an index; it then has neither wheels nor sdist.
        trusted: sha256 of the files that the user's requirements file lists; None if the lock is the user's own.
    """

    name: str
    version: str
    wheels: tuple[RemoteFile, ...]
    sdist: RemoteFile | None
    origin: LockedDirectory | LockedCommit | None = None
    trusted: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """The distributions that the application needs on one target, sorted by name, each once."""

    distributions: tuple[LockedDistribution, ...]

    def get(self, name: str) -> LockedDistribution | None:
        """Return the distribution with that normalised name, or None."""
        return next((each for each in self.distributions if each.name == name), None)


@dataclass(frozen=True, slots=True)
class BuildPins:
    """The pinned build requirements of one source on one target; known after its backend's hook ran there.

    Attributes:
        name: normalised name of the distribution to build.
        source: sha256 of its sdist, or ``directory`` for the project's own tree.
        target: ``debian-12-amd64-cp311``.
        requires: requirements from [build-system] and from the backend's hook, sorted.
        files: one wheel for each distribution in their closure, or its sdist if the target has no wheel; sorted.
    """

    name: str
    source: str
    target: str
    requires: tuple[str, ...]
    files: tuple[RemoteFile, ...]


class Cause(StrEnum):
    """Why a distribution cannot be compiled on a target, whatever is installed there."""

    NO_SDIST = "no-sdist"
    NO_CRATE_SOURCE = "no-crate-source"


@dataclass(frozen=True, slots=True)
class Fallback:
    """A distribution that cannot be compiled for a target, so that its prebuilt wheel is used.

    Attributes:
        name: normalised name of the distribution.
        version: locked version.
        source: sha256 of the sdist that was examined; empty if there is none.
        target: ``debian-12-amd64-cp311``.
        cause: kind of the obstacle.
        detail: description of the obstacle: a clause on one line.
    """

    name: str
    version: str
    source: str
    target: str
    cause: Cause
    detail: str
