"""The scripted runner fails a test for whatever it was not told to expect."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import Expected, ScriptedRunner, begin_test, end_test, expect
from venvpkg.host.command import Bind, Command, Completed

if TYPE_CHECKING:
    from collections.abc import Iterator

FINE = Completed(0, b"fine")


@pytest.fixture(autouse=True)
def _own_runners() -> Iterator[None]:
    """Keep the runners of these tests, which have problems on purpose, from failing them."""
    yield
    begin_test()


def problems_of(expected: Expected, *commands: Command) -> tuple[str, ...]:
    begin_test()
    runner = ScriptedRunner({expected: FINE})
    for command in commands:
        try:
            assert runner.run(command) == FINE
        except AssertionError:
            continue
    found = end_test()
    begin_test()
    return found


def test_the_expected_command_is_answered_as_often_as_it_is_run() -> None:
    assert problems_of(expect("true"), Command(("true",)), Command(("true",))) == ()


def test_an_answer_that_nobody_asked_for_is_a_problem() -> None:
    assert problems_of(expect("true", ...)) == ("an answer that was never asked for: true ...",)


def test_a_command_that_is_not_expected_is_a_problem_even_where_its_error_is_swallowed() -> None:
    (problem, _) = problems_of(expect("true"), Command(("true", "--help")))

    assert problem == "no answer for: true --help"


@pytest.mark.parametrize(
    ("command", "difference"),
    [
        (Command(("true",), network=False), "network: expected True, not False"),
        (Command(("true",), binds=(Bind(Path("/a"), PurePosixPath("/b")),)), "binds: expected (), not (Bind("),
        (Command(("true",), masked=(PurePosixPath("/home"),)), "masked: expected (), not (PurePosixPath('/home'),)"),
        (Command(("true",), env={"A": "b"}), "env: expected {}, not {'A': 'b'}"),
        (Command(("true",), clean=True), "clean: expected False, not True"),
        (Command(("true",), many_users=True), "many_users: expected False, not True"),
    ],
)
def test_a_command_that_may_see_or_do_something_else_is_a_problem(command: Command, difference: str) -> None:
    (problem, unused) = problems_of(expect("true"), command)

    assert difference in problem
    assert unused == "an answer that was never asked for: true"


def test_the_longest_expectation_answers() -> None:
    runner = ScriptedRunner({expect("git", ...): Completed(1), expect("git", "status", ...): FINE})

    assert runner.run(Command(("git", "status", "-s"))) == FINE
    assert runner.run(Command(("git", "log"))) == Completed(1)
    assert end_test() == ()
