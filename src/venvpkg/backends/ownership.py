"""Which parts of the payload belong to one distribution alone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath

    from venvpkg.model.staged import InstalledDistribution

_SHARED = ""


def own_paths(
    distributions: Iterable[InstalledDistribution], shared: Iterable[PurePosixPath]
) -> Mapping[str, tuple[str, ...]]:
    """Return for each distribution the fewest paths that hold all its files and nobody else's.

    Args:
        distributions: with their files.
        shared: directories that belong to nobody, with all above them, even if one distribution alone is in them.

    Returns:
        Name → sorted paths; one that ends in ``/`` is a directory with all that is in it. A file that two distributions
        ship is with both.
    """
    distributions = tuple(distributions)
    owner = {str(each): _SHARED for directory in shared for each in (directory, *directory.parents)}
    for distribution in distributions:
        for file in distribution.files:
            for directory in _directories_above(str(file)):
                if owner.setdefault(directory, distribution.name) != distribution.name:
                    owner[directory] = _SHARED
    return {
        distribution.name: tuple(sorted({_topmost(str(file), distribution.name, owner) for file in distribution.files}))
        for distribution in distributions
    }


def _directories_above(file: str) -> list[str]:
    """Return the directories that hold ``file``, topmost first, without the root."""
    parts = file.split("/")
    return ["/".join(parts[:count]) for count in range(2, len(parts))]


def _topmost(file: str, name: str, owner: Mapping[str, str]) -> str:
    return next((f"{each}/" for each in _directories_above(file) if owner[each] == name), file)
