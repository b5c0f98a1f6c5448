"""Take the record of a package's dependencies out of a .deb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.deb.archive import Part, members_of
from venvpkg.backends.deb.assemble import EVIDENCE
from venvpkg.depends.record import MOST_BYTES
from venvpkg.errors import NotAPackageError

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import Streamer


def read_evidence(artifact: Path, runner: Streamer) -> bytes:
    """Return the record that ``assemble`` put below the prefix.

    Raises:
        NotAPackageError: the file is no .deb, or venvpkg did not build it.
        MissingToolError: there is no dpkg-deb.
    """
    found: bytes | None = None
    with members_of(artifact, Part.DATA, runner) as members:
        for member, content in members:
            if content is not None and found is None and member.name.endswith(f"/{EVIDENCE}"):
                # One byte more than a record may have, so that a larger one is refused where records are read.
                found = content.read(MOST_BYTES + 1)
    if found is None:
        raise NotAPackageError(
            f"{artifact} has no record of its dependencies.", resolution="Only packages that venvpkg built have one."
        )
    return found
