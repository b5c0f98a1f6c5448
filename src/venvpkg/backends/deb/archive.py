"""The two archives of a .deb that anybody may have made."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from venvpkg.backends.tarball import Member, Unpacker, streamed_members
from venvpkg.host.runner import Command

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator
    from pathlib import Path

    from venvpkg.host.runner import Streamer

_DPKG_DEB = Unpacker("dpkg-deb", "dpkg", "a Debian package")
_TIMEOUT_S = 3600.0


class Part(StrEnum):
    """What of the .deb, as dpkg-deb's option says it."""

    CONTROL = "--ctrl-tarfile"
    DATA = "--fsys-tarfile"


def members_of(artifact: Path, part: Part, runner: Streamer) -> contextlib.AbstractContextManager[Iterator[Member]]:
    """Yield the members of one archive; see ``streamed_members``.

    Source:
        deb(5).
    """
    command = Command(("dpkg-deb", part.value, str(artifact.absolute())), timeout_s=_TIMEOUT_S)
    return streamed_members(artifact, command, _DPKG_DEB, runner)
