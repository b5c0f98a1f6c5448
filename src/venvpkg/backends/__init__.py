"""Package families: one protocol, the same file names for the same concern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends import deb
from venvpkg.model.target import Family

if TYPE_CHECKING:
    from venvpkg.backends.base import Backend

_BACKENDS: dict[Family, Backend] = {Family.DEB: deb}


def backend_of(family: Family) -> Backend:
    """Return the backend of a family."""
    return _BACKENDS[family]
