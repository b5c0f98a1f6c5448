"""What tests of several tiers share: Ctrl-C as it should be, strict scripted runners, and an rpm distribution."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import hypothesis
import pytest
from coverage import Coverage

from rpmworld.world import World, emulation_problem
from unit.fakes import begin_test, end_test

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


# A shell without job control starts what follows with `&` so that it ignores Ctrl-C, and so do all its children. Tests
# that send it must find Python's own handler, and their subprocesses the default that a handler gives to those.
if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    begin_test()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test that passed although a scripted runner was asked for something else, or not at all."""
    result = yield
    problems = end_test()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
    return result


def pytest_sessionfinish() -> None:
    """Save what `make coverage` has measured: on a busy machine, xdist kills a worker that takes long to end."""
    measured = Coverage.current()
    if measured is not None:
        measured.save()


@pytest.fixture(scope="session")
def rpm_worlds() -> Callable[[str | None], World]:
    """Makes or finds the world of a Debian suite; None is this machine's own."""
    reason = emulation_problem()
    if reason is not None and os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)
    return World.of


@pytest.fixture(scope="session")
def rpm_world(rpm_worlds: Callable[[str | None], World]) -> World:
    """A world on the libraries of this machine's own Debian release."""
    return rpm_worlds(None)
