"""Where two .deb files differ: member by member, of both archives."""

from __future__ import annotations

import hashlib
import stat
from typing import IO, TYPE_CHECKING

from venvpkg.backends.deb.archive import Part, members_of

if TYPE_CHECKING:
    import tarfile
    from pathlib import Path

    from venvpkg.host.runner import Streamer

_CHUNK_BYTES = 1 << 20
_FACTS = ("type", "mode", "owner", "time", "link", "size", "content")
_NAMES = {Part.CONTROL: "control", Part.DATA: "data"}
_Facts = tuple[object, ...]


def differences(first: Path, second: Path, runner: Streamer) -> tuple[str, ...]:
    """Return what differs, one line a member: ``data: ./opt/venvs/app/bin/app: content``.

    Returns:
        In archive order, first the control files; empty when all members are the same, so that only the order of
        members, the compression or the outer archive can differ.

    Raises:
        NotAPackageError: one of them cannot be read.
    """
    return tuple(line for part in Part for line in _differences(first, second, part, runner))


def _differences(first: Path, second: Path, part: Part, runner: Streamer) -> list[str]:
    one, other = _facts(first, part, runner), _facts(second, part, runner)
    lines = []
    for name in dict.fromkeys((*one, *other)):
        if name not in other or name not in one:
            lines.append(f"{_NAMES[part]}: {name}: only in {first if name in one else second}")
        elif one[name] != other[name]:
            which = (fact for fact, old, new in zip(_FACTS, one[name], other[name], strict=True) if old != new)
            lines.append(f"{_NAMES[part]}: {name}: {', '.join(which)}")
    return lines


def _facts(artifact: Path, part: Part, runner: Streamer) -> dict[str, _Facts]:
    with members_of(artifact, part, runner) as members:
        return {member.name: _facts_of(member, content) for member, content in members}


def _facts_of(member: tarfile.TarInfo, content: IO[bytes] | None) -> _Facts:
    digest = hashlib.sha256()
    while content is not None and (chunk := content.read(_CHUNK_BYTES)):
        digest.update(chunk)
    owner = (member.uid, member.gid, member.uname, member.gname)
    mode = stat.S_IMODE(member.mode)
    return member.type, mode, owner, member.mtime, member.linkname, member.size, digest.hexdigest()
