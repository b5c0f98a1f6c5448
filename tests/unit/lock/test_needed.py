"""A lock with more than the built application needs is out of date, whatever its backend reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.lock.samples import project_in
from unit.places import Dirs
from venvpkg.errors import LockError
from venvpkg.lock.obtain import ObtainedLock, require_all_needed
from venvpkg.model.lock import Lock
from venvpkg.model.staged import InstalledDistribution

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.staged import StagedVenv

DYNAMIC = '[project]\nname = "app"\ndynamic = ["dependencies"]\n'
OWN = '[tool.venvpkg]\nrequirements = ["grouped>=1"]\n'


def staged(tmp_path: Path, **requires: tuple[str, ...]) -> StagedVenv:
    return Dirs.below(tmp_path).staged(
        [InstalledDistribution(name, "1", "", (), requires=each) for name, each in requires.items()]
    )


def check(directory: Path, venv: StagedVenv, declared: str = DYNAMIC, lock: str = OWN) -> None:
    (directory / "pyproject.toml").write_text(declared)
    (directory / "pylock.toml").write_text(f'lock-version = "1.0"\n{lock}')
    require_all_needed(ObtainedLock(Lock(()), directory / "pylock.toml", own=True), venv, project_in(directory))


def test_what_nothing_needs_any_more_is_named_with_what_to_type(tmp_path: Path) -> None:
    venv = staged(tmp_path, app=("six",), six=(), idna=("certifi",), certifi=(), grouped=())

    with pytest.raises(LockError, match="no longer needs certifi, idna") as caught:
        check(tmp_path, venv)

    assert "venvpkg lock" in caught.value.resolution


@pytest.mark.parametrize(
    ("declared", "lock"),
    [
        ('[project]\nname = "app"\ndependencies = []\n', OWN),
        (DYNAMIC, ""),
        (DYNAMIC + '[[tool.uv.dependency-metadata]]\nname = "six"\n', OWN),
    ],
    ids=["static", "another program's lock", "overridden"],
)
def test_more_than_needed_is_no_fault_where_the_wheel_is_not_what_counts(
    tmp_path: Path, declared: str, lock: str
) -> None:
    check(tmp_path, staged(tmp_path, app=(), idna=()), declared, lock)


def test_a_circle_of_requirements_is_needed_from_the_application_alone(tmp_path: Path) -> None:
    check(tmp_path, staged(tmp_path, app=("a",), a=("b",), b=("a",), grouped=()))
