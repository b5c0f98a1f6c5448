"""The record of a package's dependencies among its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.destdir import EVIDENCE
from venvpkg.depends.record import MOST_BYTES
from venvpkg.errors import NotAPackageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from venvpkg.backends.tarball import Member


def evidence_among(members: Iterable[Member]) -> bytes | None:
    """Return the record that ``assemble`` put below the prefix; None when there is none. All members are read."""
    found: bytes | None = None
    for member, content in members:
        if content is not None and found is None and member.name.endswith(f"/{EVIDENCE}"):
            # One byte more than a record may have, so that a larger one is refused where records are read.
            found = content.read(MOST_BYTES + 1)
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
