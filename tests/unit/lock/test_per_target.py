"""Each target has a lock that stays its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unit.targets.makers import target_of
from venvpkg.lock.per_target import with_lock_of
from venvpkg.model.project import Project, Settings
from venvpkg.model.target import Release

if TYPE_CHECKING:
    from pathlib import Path

LEAP = target_of(Release("opensuse-leap", "15.6", ""))


def project(directory: Path, lock: str = "pylock.toml") -> Project:
    return Project("app", None, directory, directory / lock, directory / "venvpkg.lock", Settings())


def locked_for(directory: Path, target: str, lock: str = "pylock.toml") -> Project:
    (directory / lock).write_text(f'[tool.venvpkg]\ntarget = "{target}"\n')
    return project(directory, lock)


def test_one_target_alone_has_the_one_lock(tmp_path: Path) -> None:
    app = locked_for(tmp_path, "debian-12-amd64")

    assert with_lock_of(app, LEAP, several=False) == app


def test_of_several_targets_the_first_that_was_locked_keeps_the_one_lock(tmp_path: Path) -> None:
    assert with_lock_of(project(tmp_path), LEAP, several=True).lock.name == "pylock.toml"

    app = locked_for(tmp_path, LEAP.name)

    assert with_lock_of(app, LEAP, several=True) == app


def test_another_target_gets_one_of_its_own_whose_name_has_no_more_dots_than_the_norm_allows(tmp_path: Path) -> None:
    found = with_lock_of(locked_for(tmp_path, "debian-12-amd64"), LEAP, several=True)

    assert found.lock == tmp_path / "pylock.opensuse-leap-15_6-x86_64.toml"
    assert found.settings.lock == found.lock.name


def test_a_requirements_lock_keeps_its_name_in_front(tmp_path: Path) -> None:
    found = with_lock_of(locked_for(tmp_path, "debian-12-amd64", "pylock.borgbackup.toml"), LEAP, several=True)

    assert found.lock.name == "pylock.borgbackup-opensuse-leap-15_6-x86_64.toml"


def test_a_lock_of_its_own_is_used_when_the_target_is_built_alone(tmp_path: Path) -> None:
    app = locked_for(tmp_path, "debian-12-amd64")
    (tmp_path / "pylock.opensuse-leap-15_6-x86_64.toml").touch()

    assert with_lock_of(app, LEAP, several=False).lock.name == "pylock.opensuse-leap-15_6-x86_64.toml"


def test_a_lock_of_another_program_and_a_named_one_serve_every_target(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text('created-by = "other"\n')
    app = project(tmp_path)
    named = replace(app, settings=replace(app.settings, lock="uv.lock"))

    assert with_lock_of(app, LEAP, several=True) == app
    assert with_lock_of(named, LEAP, several=True) == named
