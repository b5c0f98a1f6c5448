"""What tests of several tiers share: an rpm distribution to build for and to install in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rpmworld.world import World, obstacle

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def rpm_worlds() -> Callable[[str | None], World]:
    """Makes or finds the world of a Debian suite; None is this machine's own."""
    reason = obstacle()
    if reason is not None and os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)
    return World.of


@pytest.fixture(scope="session")
def rpm_world(rpm_worlds: Callable[[str | None], World]) -> World:
    """A world on the libraries of this machine's own Debian release."""
    return rpm_worlds(None)
