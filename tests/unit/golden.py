"""Expected files. VENVPKG_UPDATE_GOLDEN=1 rewrites them; the difference is reviewed like any other."""

from __future__ import annotations

import os
from pathlib import Path

_GOLDEN = Path(__file__).parents[1] / "golden"


def golden(name: str, found: str) -> str:
    """Return the expected text; with the variable set, ``found`` becomes it."""
    path = _GOLDEN / name
    if os.environ.get("VENVPKG_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def recorded(name: str) -> str:
    """Return the expected text where it is taken for granted; another test compares it with what is found."""
    return (_GOLDEN / name).read_text(encoding="utf-8")
