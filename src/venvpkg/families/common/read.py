"""Read untrusted packages: stream their archives, find the evidence in them, compare two of them."""

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

    from venvpkg.host.command import Command, Streamer


_PADDING_BYTES = 1 << 20

Member = tuple[tarfile.TarInfo, IO[bytes] | None]


@dataclass(frozen=True, slots=True)
class Unpacker:
    """The program that streams the archives of one family's packages.

    Attributes:
        program: its name.
        package: the native package that ships it.
        kind: kind of package, for messages: ``a Debian package``.
    """

    program: str
    package: str
    kind: str


def require_file(artifact: Path, unpacker: Unpacker) -> None:
    """Check that the artifact is a regular file.

    Raises:
        NotAPackageError: it is not.
    """
    if not artifact.is_file():
        raise NotAPackageError(f"{artifact} is not a file.", resolution=f"Give the path of {unpacker.kind}.")


@contextlib.contextmanager
def stream_members(
    artifact: Path, command: Command, unpacker: Unpacker, runner: Streamer
) -> Iterator[Iterator[Member]]:
    """Yield the members of the archive that ``command`` writes, in order; regular files with their content.

    A content must be read before the next member is requested.

    Raises:
        NotAPackageError: the file is not a package of the family, is damaged, or absurdly large.
        MissingToolError: the program is not installed.
    """
    require_file(artifact, unpacker)
    problem = ""
    with runner.stream(command) as stream:
        try:
            yield tar_members(stream, Budget.of_tree())
            stream.read(_PADDING_BYTES)  # the archive is padded to a full block; let the program write all of it
        except (tarfile.TarError, EOFError) as error:
            problem = str(error) or type(error).__name__
        done = stream.finish()
    if done.not_found:
        raise MissingToolError(
            [f"{unpacker.program}, which reads packages"], install=[unpacker.package], installer=installer_here()
        )
    if problem or not done.ok:
        output = done.errors.strip()[-500:]
        raise NotAPackageError(
            f"{artifact} could not be read as {unpacker.kind}.",
            details="\n".join(f"  {each}" for each in (problem, output) if each),
            resolution="Give the path of an intact package.",
        )


def evidence_among(members: Iterable[Member]) -> bytes | None:
    """Return the evidence document that ``assemble`` put below the prefix; None when there is none.

    All members are read.
    """
    found: bytes | None = None
    for member, content in members:
        if content is not None and found is None and member.name.endswith(f"/{EVIDENCE}"):
            # One byte more than the limit, so that ``load_evidence`` refuses a larger document.
            found = content.read(MOST_EVIDENCE_BYTES + 1)
    return found


def require_evidence(found: bytes | None, artifact: Path) -> bytes:
    """Return the evidence document.

    Raises:
        NotAPackageError: there is none; venvpkg did not build the package.
    """
    if found is None:
        raise NotAPackageError(
            f"{artifact} has no dependency evidence.", resolution="Only packages built by venvpkg have evidence."
        )
    return found


_CHUNK_BYTES = 1 << 20
_FACT_NAMES = ("type", "mode", "owner", "time", "link", "size", "content")
Facts = tuple[object, ...]


def facts_of(members: Iterable[Member]) -> Mapping[str, Facts]:
    """Return the facts of each member that can differ between packages, by its name, in archive order."""
    return {member.name: _facts_of_member(member, content) for member, content in members}


def differing(one: Mapping[str, Facts], other: Mapping[str, Facts], places: tuple[Path, Path]) -> Iterator[str]:
    """Yield one line for each member that differs: ``./opt/venvs/app/bin/app: content``.

    Args:
        one: facts of one package, from ``facts_of``.
        other: facts of the other package.
        places: the paths of the two packages, for members that only one has.
    """
    for name in dict.fromkeys((*one, *other)):
        if name not in other or name not in one:
            yield f"{name}: only in {places[0] if name in one else places[1]}"
        elif one[name] != other[name]:
            which = (fact for fact, old, new in zip(_FACT_NAMES, one[name], other[name], strict=True) if old != new)
            yield f"{name}: {', '.join(which)}"


def _facts_of_member(member: tarfile.TarInfo, content: IO[bytes] | None) -> Facts:
    digest = hashlib.sha256()
    while content is not None and (chunk := content.read(_CHUNK_BYTES)):
        digest.update(chunk)
    owner = (member.uid, member.gid, member.uname, member.gname)
    mode = stat.S_IMODE(member.mode)
    return member.type, mode, owner, member.mtime, member.linkname, member.size, digest.hexdigest()
