"""Inputs of a bootstrapped build root."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of rpm packages.

    Attributes:
        name: its id, a word.
        url: where its ``repodata`` is; ``$releasever`` stands for the release and ``{snapshot}``
            for the date, ``$basearch`` is dnf's to replace.
        keys: URLs of the keys that sign its packages; without one, signatures are not checked, and a warning says so.
    """

    name: str
    url: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildRootSettings:
    """What the user says of one system; what is empty, this machine or venvpkg decides.

    Attributes:
        sources: lines of sources.list(5), instead of those that follow from this machine's own; ``{snapshot}`` in
            them stands for the date.
        snapshot: a date as the mirror of snapshots writes it.
        keyring: file or directory with keys of the archive; empty for those that apt trusts here.
        options: lines of apt.conf(5), or ``key=value`` of dnf.conf(5).
        packages: beside those that every build needs.
        repositories: of rpm packages.
    """

    sources: tuple[str, ...] = ()
    snapshot: str = ""
    keyring: str = ""
    options: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    repositories: tuple[Repository, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what is in a system, but for the day.

    Attributes:
        target: as the user names it, ``debian:trixie``.
        release: of it, ``trixie``.
        packages: to install, sorted.
        sources: lines of sources.list(5), for a system with apt.
        repositories: for one with rpm.
        options: for the package manager.
        keyring: see ``BuildRootSettings``.
        architecture: the family's word for it; empty for this machine's own.
        certificates: name and text of this machine's own authorities, which the system trusts as well.
    """

    target: str
    release: str
    packages: tuple[str, ...]
    sources: tuple[str, ...] = ()
    repositories: tuple[Repository, ...] = ()
    options: tuple[str, ...] = ()
    keyring: str = ""
    architecture: str = ""
    certificates: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """Hexadecimal sha256 over everything."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()
