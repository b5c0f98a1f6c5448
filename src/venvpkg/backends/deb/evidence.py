"""Take the record of a package's dependencies out of a .deb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.deb.archive import Part, members_of
from venvpkg.backends.evidence import evidence_among, required_evidence

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import Streamer


def read_evidence(artifact: Path, runner: Streamer) -> bytes:
    """Return the record that ``assemble`` put below the prefix.

    Raises:
        NotAPackageError: the file is no .deb, or venvpkg did not build it.
        MissingToolError: there is no dpkg-deb.
    """
    with members_of(artifact, Part.DATA, runner) as members:
        found = evidence_among(members)
    return required_evidence(found, artifact)
