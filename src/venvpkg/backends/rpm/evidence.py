"""Take the record of a package's dependencies out of an .rpm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.evidence import evidence_among, required_evidence
from venvpkg.backends.rpm.archive import members_of

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.runner import Streamer


def read_evidence(artifact: Path, runner: Streamer) -> bytes:
    """Return the record that ``assemble`` put below the prefix.

    Raises:
        NotAPackageError: the file is no .rpm, or venvpkg did not build it.
        MissingToolError: there is no rpm2archive.
    """
    with members_of(artifact, runner) as members:
        found = evidence_among(members)
    return required_evidence(found, artifact)
