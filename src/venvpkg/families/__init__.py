"""Package families: one protocol, the same file names for the same concern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.errors import NotAPackageError
from venvpkg.model.target import Family

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.families.base import Backend


# How the files of each family begin. Source: deb(5); rpm's manual, "Package format", the lead.
_BEGINNINGS = {b"!<arch>\n": Family.DEB, b"\xed\xab\xee\xdb": Family.RPM}
_LONGEST = max(map(len, _BEGINNINGS))


def backend_of(family: Family) -> Backend:
    """Return the backend of a family; only that one is imported, because a second build costs little more than that."""
    match family:
        case Family.DEB:
            from venvpkg.families.deb import format as deb  # noqa: PLC0415

            return deb
        case Family.RPM:
            from venvpkg.families.rpm import format as rpm  # noqa: PLC0415

            return rpm


def backend_of_file(artifact: Path) -> Backend:
    """Return the backend that reads a package, by how the file begins; its name may be anything.

    Raises:
        NotAPackageError: it is no package of any family.
    """
    if not artifact.is_file():  # a pipe or a device in its place is never opened
        raise NotAPackageError(f"{artifact} is not a file.", resolution="Name a package.")
    try:
        with artifact.open("rb") as file:
            beginning = file.read(_LONGEST)
    except OSError as error:
        raise NotAPackageError(f"{artifact} cannot be read: {error.strerror}.", resolution="Name a package.") from error
    for start, family in _BEGINNINGS.items():
        if beginning.startswith(start):
            return backend_of(family)
    raise NotAPackageError(f"{artifact} is neither a Debian package nor an rpm package.", resolution="Name a package.")
