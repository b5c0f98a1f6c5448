"""How much work something is, whatever machine it runs on and whatever else runs there."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextlib.contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Fail as soon as the block has called more functions than that, of Python or of C, in this thread.

    What calls nothing counts as nothing, but then it does little: one cannot read a file so.
    """
    made = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal made
        made += event in {"call", "c_call"}
        if made > calls:
            sys.setprofile(None)
            raise AssertionError(f"more than {calls} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
    assert made <= calls  # whoever swallowed the error
