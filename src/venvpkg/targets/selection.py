"""Parse ``--target``: this machine, or another one, a root, an image or a build root. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from venvpkg.families.registry import build_root_names
from venvpkg.targets.processor import PROCESSORS

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(StrEnum):
    """The kind of a target that venvpkg does not bootstrap."""

    HOST = "host"
    ROOT = "root"
    PODMAN = "podman"
    DOCKER = "docker"
    VAGRANT = "vagrant"


# Used in file names, and as arguments of other programs.
_RELEASE: Final = re.compile(r"[a-z0-9][a-z0-9.]{0,39}")
_MACHINE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class Selection:
    """A target as the user names it.

    Attributes:
        kind: one of ``Kind``, or the first part of a build root's name (``debian``).
        place: the directory of a root, the name of an image, the name of a machine in its Vagrantfile, or the release
            of a build root (``trixie``, ``43``); empty for this machine.
        architecture: architecture of a build root, as its family spells it (``arm64``); empty for this machine's.
    """

    kind: str
    place: str = ""
    architecture: str = ""

    def __str__(self) -> str:
        """Return the text that ``parse_selection`` parses."""
        text = f"{self.kind}:{self.place}" if self.place else str(self.kind)
        return f"{text}/{self.architecture}" if self.architecture else text

    @property
    def name(self) -> str:
        """``debian-trixie-arm64``, for the files of a build root."""
        return "-".join(part for part in (self.kind, self.place, self.architecture) if part)

    @property
    def is_bootstrapped(self) -> bool:
        """Whether it is a build root that venvpkg bootstraps."""
        return self.kind in build_root_names()


HOST: Final = Selection(Kind.HOST)


def parse_selection(text: str) -> Selection:
    """Return the target named by ``host``, ``root:DIR``, ``debian:trixie``, ``podman:IMAGE`` or ``vagrant:NAME``.

    Raises:
        ValueError: it is none of them; the message lists the valid forms.
    """
    kind, colon, place = text.partition(":")
    if not colon and kind == Kind.HOST:
        return HOST
    if place and kind in {Kind.ROOT, Kind.PODMAN, Kind.DOCKER}:
        return Selection(Kind(kind), place)
    if kind == Kind.VAGRANT and _MACHINE.fullmatch(place):
        return Selection(Kind.VAGRANT, place)
    release, slash, architecture = place.partition("/")
    names, foreign = build_root_names(), build_root_names(foreign=True)
    if slash and kind in names and (kind not in foreign or architecture not in PROCESSORS):
        raise ValueError(
            f"{text!r}: venvpkg only bootstraps build roots of {' and '.join(foreign)} for another architecture, one of"
            f" {', '.join(PROCESSORS)}; for others, use a root of your own with 'root:DIR'"
        )
    if kind in names and _RELEASE.fullmatch(release):
        return Selection(kind, release, architecture)
    raise ValueError(
        f"{text!r} is not a valid target; use 'host', 'root:DIR' for a directory with a root filesystem, a release such"
        f" as 'debian:trixie' ({', '.join(sorted(names))}) or, for another architecture, 'debian:trixie/arm64',"
        " 'podman:IMAGE' or 'docker:IMAGE' for a container image, or 'vagrant:NAME' for a machine of a Vagrantfile"
    )


def short_names(selections: Sequence[Selection]) -> tuple[str, ...]:
    """Return short labels for several targets: without parent directories, unless two would have the same label."""
    short = [
        str(Selection(each.kind, each.place.rstrip("/").rpartition("/")[2], each.architecture)) for each in selections
    ]
    return tuple(name if short.count(name) == 1 else str(each) for each, name in zip(selections, short, strict=True))
