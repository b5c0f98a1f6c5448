"""Look for damage in a wheelhouse, without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from venvpkg.host.oserrors import is_environment_error
from venvpkg.wheelhouse.entry import entry_directories, read_entry, require_intact

if TYPE_CHECKING:
    from pathlib import Path


class Verified(NamedTuple):
    """The result of a verification.

    Attributes:
        examined: number of entries.
        damaged: directories of the damaged ones, sorted, each with the reason.
    """

    examined: int
    damaged: tuple[tuple[Path, str], ...]


def verify(wheelhouse: Path) -> Verified:
    """Hash every file of a wheelhouse.

    Raises:
        OSError: a file cannot be read by this user, which is not damage.
    """
    examined = 0
    damaged = []
    for directory in entry_directories(wheelhouse):
        examined += 1
        try:
            require_intact(read_entry(directory))
        except (ValueError, OSError) as error:
            if is_environment_error(error):
                raise
            if directory.is_dir():  # otherwise it has just been removed
                damaged.append((directory, str(error)))
    return Verified(examined, tuple(damaged))
