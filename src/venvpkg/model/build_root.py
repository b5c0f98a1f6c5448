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
        name: its id.
        url: parent of its ``repodata``; ``$releasever`` stands for the release and ``{snapshot}`` for the date; dnf
            itself replaces ``$basearch``.
        keys: URLs of the keys that sign its packages. Without a key, signatures are not checked, with a warning.
    """

    name: str
    url: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildRootSettings:
    """The user's settings for one build root; empty values are filled in from this machine or by venvpkg.

    Attributes:
        sources: lines of sources.list(5), instead of lines derived from this machine's own; ``{snapshot}`` in them
            stands for the date.
        snapshot: a date as the snapshot mirror writes it.
        keyring: file or directory with the archive's keys; empty for the keys that apt trusts on this machine.
        options: lines of apt.conf(5), or ``key=value`` of dnf.conf(5).
        packages: packages to install in addition to those that every build needs.
        repositories: repositories of rpm packages.
    """

    sources: tuple[str, ...] = ()
    snapshot: str = ""
    keyring: str = ""
    options: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    repositories: tuple[Repository, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines the content of a build root, except the day it is bootstrapped.

    Attributes:
        target: the user's name for it, ``debian:trixie``.
        release: its release, ``trixie``.
        packages: packages to install, sorted.
        sources: lines of sources.list(5), for a deb release.
        repositories: repositories, for an rpm release.
        options: options of the package manager.
        keyring: see ``BuildRootSettings``.
        architecture: the family's name for the architecture; empty for this machine's.
        certificates: names and texts of this machine's local certificate authorities, trusted in the build root too.
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
        """Hexadecimal sha256 over all attributes."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()
