"""Random choices of tests that kill programs: a failing test prints them, and takes them again when it is asked to."""

from __future__ import annotations

import json
import os
import random
from collections import deque
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

Drawn = TypeVar("Drawn", float, list[str])

REPLAY = "VENVPKG_REPLAY_KILLS"


class Chance:
    """Draws; as a context manager it adds to an error how to draw the same again.

    Args:
        seed: of the sequence.
        environment: whose variable ``VENVPKG_REPLAY_KILLS`` is a sequence to take instead, as an error has told it.
    """

    def __init__(self, seed: int, environment: Mapping[str, str] = os.environ) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing secret
        self._seed = seed
        replayed = environment.get(REPLAY)
        self._given = None if replayed is None else deque(json.loads(replayed))
        self.drawn: list[float | list[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
            error.add_note(f"seed {self._seed}; to replay: {REPLAY}='{json.dumps(self.drawn)}' pytest '{test}'")

    def rounds(self, times: int) -> Iterator[int]:
        """Count to ``times``, or as far as the sequence goes that is replayed."""
        number = 0
        while number < times if self._given is None else self._given:
            yield number
            number += 1

    def seconds(self, longest: float, *, least: float = 0) -> float:
        """Draw a time."""
        return self._draw(round(self._random.uniform(least, longest), 4))

    def number(self, most: int) -> int:
        """Draw a whole number from 0 on."""
        return int(self._draw(self._random.randint(0, most)))

    def some(self, names: Sequence[str], most: int) -> list[str]:
        """Draw names, at most so many of them."""
        drawn = self._random.choices(names, k=self._random.randint(0, most))
        return self._draw(drawn)

    def _draw(self, drawn: Drawn) -> Drawn:
        if self._given is not None:
            drawn = self._given.popleft()
        self.drawn.append(drawn)
        return drawn
