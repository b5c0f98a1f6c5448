"""What ``--target`` says: this machine, or another place that packages are built for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How a target is reached."""

    HOST = "host"
    ROOT = "root"
    PODMAN = "podman"
    DOCKER = "docker"


@dataclass(frozen=True, slots=True)
class Selection:
    """A target as the user names it.

    Attributes:
        kind: how it is reached.
        place: which one of that kind: the directory of a root, the name of an image; empty for this
            machine.
    """

    kind: Kind
    place: str = ""

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.kind}:{self.place}" if self.place else str(self.kind)


HOST: Final = Selection(Kind.HOST)


def parse_selection(text: str) -> Selection:
    """Return what ``host``, ``root:DIR``, ``podman:IMAGE`` or ``docker:IMAGE`` names.

    Raises:
        ValueError: it is none of them; the text says what can be written.
    """
    kind, colon, place = text.partition(":")
    match kind:
        case Kind.HOST if not colon:
            return HOST
        case Kind.ROOT | Kind.PODMAN | Kind.DOCKER if place:
            return Selection(Kind(kind), place)
        case _:
            raise ValueError(
                f"{text!r} names no target; write 'host', or 'root:DIR' for a directory with a system,"
                " 'podman:IMAGE' or 'docker:IMAGE' for a container image"
            )
