"""What downloads expect of the wire; kept apart from it, because a build that finds everything in the store needs none.

The HTTP client's import alone takes longer than the verification of a small application's files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class WireError(Exception):
    """A transfer failed; the text is a sentence without credentials."""


class TransientWireError(WireError):
    """A transfer failed in a way that another try may not."""


class Wire(Protocol):
    """Streams files of indexes, from several threads at once."""

    def stream(self, url: str) -> AbstractContextManager[Iterator[bytes]]:
        """Yield a file's bytes, in pieces; raises WireError."""

    def close(self) -> None:
        """Let go of the connections; no stream may be open."""
