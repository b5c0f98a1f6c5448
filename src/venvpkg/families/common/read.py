"""Read packages that anybody may have made: their archives as streams, the evidence in them, where two differ."""

from __future__ import annotations

import contextlib
import hashlib
import stat
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from venvpkg.errors import MissingToolError, NotAPackageError
from venvpkg.explain.evidence import MOST_EVIDENCE_BYTES
from venvpkg.families.common.destdir import EVIDENCE
from venvpkg.host.archive import Budget, tar_members
from venvpkg.targets.host import installer_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvpkg.host.runner import Command, Streamer


_PADDING_BYTES = 1 << 20

Member = tuple[tarfile.TarInfo, IO[bytes] | None]


@dataclass(frozen=True, slots=True)
class Unpacker:
    """The program that streams the archives of one family's packages.

    Attributes:
        program: its name.
        package: the native package that brings it.
        kind: what it reads, for people: ``a Debian package``.
    """

    program: str
    package: str
    kind: str


def require_file(artifact: Path, unpacker: Unpacker) -> None:
    """Refuse what is no regular file.

    Raises:
        NotAPackageError: it is none.
    """
    if not artifact.is_file():
        raise NotAPackageError(f"{artifact} is not a file.", resolution=f"Name {unpacker.kind}.")


@contextlib.contextmanager
def streamed_members(
    artifact: Path, command: Command, unpacker: Unpacker, runner: Streamer
) -> Iterator[Iterator[Member]]:
    """Yield the members of the archive that ``command`` writes, in order, each with its content if it is a file.

    A content can be read until the next member is asked for.

    Raises:
        NotAPackageError: the file is no package of the family, is damaged, or absurdly large.
        MissingToolError: the program is not there.
    """
    require_file(artifact, unpacker)
    problem = ""
    with runner.stream(command) as stream:
        try:
            yield tar_members(stream, Budget.of_tree())
            stream.read(_PADDING_BYTES)  # an archive ends before its last block does; let the program write it
        except (tarfile.TarError, EOFError) as error:
            problem = str(error) or type(error).__name__
        done = stream.finish()
    if done.not_found:
        raise MissingToolError(
            [f"{unpacker.program}, which reads packages"], install=[unpacker.package], installer=installer_here()
        )
    if problem or not done.ok:
        said = done.errors.strip()[-500:]
        raise NotAPackageError(
            f"{artifact} cannot be read as {unpacker.kind}.",
            details="\n".join(f"  {each}" for each in (problem, said) if each),
            resolution="Name a package that is whole.",
        )


def evidence_among(members: Iterable[Member]) -> bytes | None:
    """Return the record that ``assemble`` put below the prefix; None when there is none. All members are read."""
    found: bytes | None = None
    for member, content in members:
        if content is not None and found is None and member.name.endswith(f"/{EVIDENCE}"):
            # One byte more than a record may have, so that a larger one is refused where records are read.
            found = content.read(MOST_EVIDENCE_BYTES + 1)
    return found


def required_evidence(found: bytes | None, artifact: Path) -> bytes:
    """Return the record.

    Raises:
        NotAPackageError: there is none, so venvpkg did not build the package.
    """
    if found is None:
        raise NotAPackageError(
            f"{artifact} has no record of its dependencies.", resolution="Only packages that venvpkg built have one."
        )
    return found


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
