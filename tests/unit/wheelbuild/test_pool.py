"""The heaviest of what waits is next, whoever lets it wait, and no core is given twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from venvpkg.wheelbuild.pool import Pool, Task

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 30


class Work:
    """Tasks that remember in which order they ran, and with how many cores."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, int]] = []
        self.gate = threading.Event()
        self.begun = threading.Event()

    def held(self, cores: int) -> None:
        self.ran.append(("held", cores))
        self.begun.set()
        assert self.gate.wait(WAIT_S)

    def named(self, name: str) -> Callable[[int], str]:
        def work(cores: int) -> str:
            self.ran.append((name, cores))
            return name

        return work


@pytest.fixture(name="work")
def _work() -> Work:
    return Work()


def test_the_heaviest_that_waits_is_next_whoever_submitted_it(work: Work) -> None:
    pool = Pool(1)
    (held,) = pool.submit([Task(0, work.held)])
    assert work.begun.wait(WAIT_S)
    one = pool.submit([Task(2, work.named("b")), Task(9, work.named("a"))])
    other = pool.submit([Task(5, work.named("c")), Task(2, work.named("d"))])
    work.gate.set()

    results = [future.result(WAIT_S) for future in (*one, *other)]

    assert held.result(WAIT_S) is None
    assert results == ["b", "a", "c", "d"]
    assert [name for name, _ in work.ran] == ["held", "a", "c", "b", "d"]


def test_a_task_alone_has_all_cores_and_several_share_them(work: Work) -> None:
    pool = Pool(4)

    pool.submit([Task(0, work.named("alone"))])[0].result(WAIT_S)
    both = pool.submit([Task(0, work.held), Task(0, work.held)])
    assert work.begun.wait(WAIT_S)
    work.gate.set()
    for future in both:
        future.result(WAIT_S)

    assert work.ran[0] == ("alone", 4)
    assert work.ran[1] == ("held", 2)


def test_what_is_cancelled_while_it_waits_never_runs(work: Work) -> None:
    pool = Pool(1)
    pool.submit([Task(0, work.held)])
    assert work.begun.wait(WAIT_S)
    cancelled, kept = pool.submit([Task(2, work.named("cancelled")), Task(1, work.named("kept"))])

    assert cancelled.cancel()
    work.gate.set()

    assert kept.result(WAIT_S) == "kept"
    assert [name for name, _ in work.ran] == ["held", "kept"]


def test_an_error_comes_out_where_it_is_waited_for_and_the_pool_goes_on(work: Work) -> None:
    def fails(cores: int) -> str:
        raise ValueError(cores)

    pool = Pool(2)
    bad, good = pool.submit([Task(1, fails), Task(0, work.named("good"))])

    with pytest.raises(ValueError, match="1"):
        bad.result(WAIT_S)
    assert good.result(WAIT_S) == "good"
