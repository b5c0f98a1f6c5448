"""What is pinned: distributions, and the files they may come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class RemoteFile:
    """A wheel or source archive on an index, anywhere else, or beside the lock (``file:`` URL).

    Attributes:
        filename: of a wheel or sdist as PyPA names them; of another archive, the end of its URL.
        url: without a password.
        sha256: hexadecimal.
        uploaded: when, if that is known.
        subdirectory: of the archive, with the source that is meant; empty for its top.
    """

    filename: str
    url: str
    sha256: str
    uploaded: datetime | None = None
    subdirectory: str = ""


@dataclass(frozen=True, slots=True)
class LockedDirectory:
    """Source in an absolute directory of this machine; what is in it now counts, and is hashed when it is built."""

    path: Path


@dataclass(frozen=True, slots=True)
class LockedCommit:
    """Source at one commit of a git repository.

    Attributes:
        url: of the repository, without a password; ``https:``, ``ssh:``, ``git:``, ``file:`` or an absolute path.
        commit: full object name, hexadecimal; it is a hash over all that the commit holds.
        subdirectory: of the repository, relative; empty for its top.
    """

    url: str
    commit: str
    subdirectory: str = ""


@dataclass(frozen=True, slots=True)
class LockedDistribution:
    """A distribution at its locked version, with every file that the lock lists for it.

    Attributes:
        name: normalised (PEP 503).
        version: PEP 440, as spelled in the lock; may be empty for one with an origin.
        wheels: wheels of the index, in the lock's order; may be empty.
        sdist: its source, if the lock has one.
        origin: where its source is when it comes from no index; it has no wheels and no sdist then.
        trusted: sha256 of the files that the user wrote down; None when those of the lock are the user's own.
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
        """Return the distribution of that normalised name, or None."""
        return next((each for each in self.distributions if each.name == name), None)


@dataclass(frozen=True, slots=True)
class BuildPins:
    """The pinned build requirements of one source on one target; known once its backend was asked there.

    Attributes:
        name: normalised name of the distribution that is built.
        source: sha256 of its sdist, or ``directory`` for a project's own tree.
        target: ``debian-12-amd64-cp311``.
        requires: what [build-system] asks for and what the backend added, sorted.
        files: one wheel each, the whole closure, sorted.
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
    """A distribution whose publisher's wheel stands in for the vendor wheel that cannot be compiled.

    Attributes:
        name: normalised name of the distribution.
        version: as locked.
        source: sha256 of the sdist that was looked at; empty when there is none.
        target: ``debian-12-amd64-cp311``.
        cause: what kind of obstacle.
        detail: the obstacle in words, a clause; one line.
    """

    name: str
    version: str
    source: str
    target: str
    cause: Cause
    detail: str
