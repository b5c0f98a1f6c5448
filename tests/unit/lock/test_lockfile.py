"""A lock at another place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from venvpkg.errors import LockError
from venvpkg.lock.lockfile import relocate_lock


def test_paths_in_a_relocated_lock_lead_to_the_same_files() -> None:
    text = 'wheels = [{ path = "../wheels/a.whl" }, { path = "/srv/b.whl" }, { url = "https://example.org/c.whl" }]'

    moved = tomllib.loads(relocate_lock(text, Path("/srv/app"), Path("/var/cache/work/1")))

    assert moved["wheels"] == [
        {"path": "../../../../srv/wheels/a.whl"},
        {"path": "/srv/b.whl"},
        {"url": "https://example.org/c.whl"},
    ]


def test_the_application_s_own_directory_stays_the_lock_s() -> None:
    moved = tomllib.loads(relocate_lock('directory = { path = "." }', Path("/srv/app"), Path("/var/cache/work/1")))

    assert moved["directory"] == {"path": "."}


def test_a_lock_that_is_no_toml_is_refused() -> None:
    with pytest.raises(LockError, match="malformed"):
        relocate_lock("[[[", Path("/a"), Path("/b"))
