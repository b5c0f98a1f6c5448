"""Facts about ELF files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """A DT_NEEDED entry, with the object that asks for it."""

    soname: str
    needed_by: PurePosixPath
