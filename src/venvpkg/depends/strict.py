"""Lowest versions that are only a guess, where the user wants none. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.errors import UnknownAbiError
from venvpkg.model.depends import Source

if TYPE_CHECKING:
    from venvpkg.model.depends import DependencySet


def require_known_floors(dependencies: DependencySet) -> None:
    """Refuse a relation whose lowest version is the installed one, because its package tells none.

    Raises:
        UnknownAbiError: there are such; with all of them.
    """
    guessed = {
        (evidence.soname, evidence.owner or "")
        for each in dependencies.dependencies
        for evidence in each.evidence
        if evidence.source is Source.OWNER and evidence.soname is not None
    }
    if guessed:
        raise UnknownAbiError(guessed)
