"""Where two packages differ, member by member."""

from __future__ import annotations

import hashlib
import stat
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.backends.tarball import Member

_CHUNK_BYTES = 1 << 20
_FACTS = ("type", "mode", "owner", "time", "link", "size", "content")
Facts = tuple[object, ...]


def facts_of(members: Iterable[Member]) -> Mapping[str, Facts]:
    """Return everything that can differ, by the member's name, in archive order."""
    return {member.name: _facts(member, content) for member, content in members}


def differing(one: Mapping[str, Facts], other: Mapping[str, Facts], places: tuple[Path, Path]) -> Iterator[str]:
    """Yield one line for each member that differs: ``./opt/venvs/app/bin/app: content``.

    Args:
        one: of ``facts_of``.
        other: of the other package.
        places: the two packages, for members that only one has.
    """
    for name in dict.fromkeys((*one, *other)):
        if name not in other or name not in one:
            yield f"{name}: only in {places[0] if name in one else places[1]}"
        elif one[name] != other[name]:
            which = (fact for fact, old, new in zip(_FACTS, one[name], other[name], strict=True) if old != new)
            yield f"{name}: {', '.join(which)}"


def _facts(member: tarfile.TarInfo, content: IO[bytes] | None) -> Facts:
    digest = hashlib.sha256()
    while content is not None and (chunk := content.read(_CHUNK_BYTES)):
        digest.update(chunk)
    owner = (member.uid, member.gid, member.uname, member.gname)
    mode = stat.S_IMODE(member.mode)
    return member.type, mode, owner, member.mtime, member.linkname, member.size, digest.hexdigest()
