"""The lock files of one call: one target at a time reads and writes them, and what they said before is known."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class Ledger:
    """Held while a target reads lock files and writes them, as ``with ledger:``; all targets of a call have the same.

    Attributes:
        renewed: names of the targets that this call has locked.
    """

    def __init__(self) -> None:
        self.renewed: set[str] = set()
        self._lock = threading.RLock()
        self._before: dict[Path, str | None] = {}

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def before(self, path: Path) -> str | None:
        """Return what a file said when this call first asked; None when it was not there.

        To be asked before the file is written: what one target resolves must not depend on which of them came first.
        """
        with self._lock:
            if path not in self._before:
                self._before[path] = path.read_text(encoding="utf-8") if path.exists() else None
            return self._before[path]
