"""What a test drew when it failed can be drawn again."""

from __future__ import annotations

import json

import pytest

from chance import REPLAY, Chance


def drawn(environment: dict[str, str]) -> list[object]:
    with Chance(7, environment) as chance:
        return [(chance.seconds(2.5, least=1), chance.number(3), chance.some("ab", 2)) for _ in chance.rounds(4)]


def test_a_seed_draws_the_same_every_time() -> None:
    first, second = drawn({}), drawn({})

    assert first == second
    assert len(first) == 4


def test_an_error_tells_how_to_draw_the_same_and_that_is_drawn() -> None:
    with pytest.raises(ValueError, match="found") as caught, Chance(7, {}) as chance:
        first = [(chance.seconds(2.5, least=1), chance.number(3), chance.some("ab", 2)) for _ in chance.rounds(2)]
        raise ValueError("found")

    (note,) = caught.value.__notes__
    sequence = note.partition(f"{REPLAY}='")[2].partition("'")[0]
    assert json.loads(sequence) == chance.drawn
    assert drawn({REPLAY: sequence}) == first
