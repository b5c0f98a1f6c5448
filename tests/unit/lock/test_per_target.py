"""One lock serves all targets that ask for the same; another target has one that stays its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unit.targets.makers import target_of
from venvpkg.lock.lockfile import select_lockfile
from venvpkg.model.project import Project, Settings
from venvpkg.model.target import Release

if TYPE_CHECKING:
    from pathlib import Path

LEAP = target_of(Release("opensuse-leap", "15.6", ""))


def project(directory: Path, lock: str = "pylock.toml", *extras: str) -> Project:
    return Project("app", None, directory, directory / lock, directory / "venvpkg.lock", Settings(extras=extras))


def locked_for(directory: Path, target: str, lock: str = "pylock.toml") -> None:
    (directory / lock).write_text(f'[tool.venvpkg]\ntarget = "{target}"\nextras = ["fast"]\n')


def test_a_lock_of_other_targets_serves_one_that_asks_for_the_same(tmp_path: Path) -> None:
    locked_for(tmp_path, "debian-12-amd64")
    app = project(tmp_path, "pylock.toml", "Fast")

    assert select_lockfile(app, LEAP) == app


def test_a_target_keeps_the_lock_that_names_it_though_its_extras_change(tmp_path: Path) -> None:
    locked_for(tmp_path, LEAP.name)

    assert select_lockfile(project(tmp_path), LEAP) == project(tmp_path)


def test_one_with_other_extras_gets_its_own_whose_name_has_no_more_dots_than_the_norm_allows(tmp_path: Path) -> None:
    locked_for(tmp_path, "debian-12-amd64")

    found = select_lockfile(project(tmp_path), LEAP)

    assert found.lock == tmp_path / "pylock.opensuse-leap-15_6-x86_64.toml"
    assert found.settings.lock == found.lock.name


def test_a_requirements_lock_keeps_its_name_in_front(tmp_path: Path) -> None:
    locked_for(tmp_path, "debian-12-amd64", "pylock.borgbackup.toml")

    found = select_lockfile(project(tmp_path, "pylock.borgbackup.toml"), LEAP)

    assert found.lock.name == "pylock.borgbackup-opensuse-leap-15_6-x86_64.toml"


def test_a_lock_of_its_own_is_used_wherever_it_is(tmp_path: Path) -> None:
    locked_for(tmp_path, LEAP.name)
    (tmp_path / "pylock.opensuse-leap-15_6-x86_64.toml").touch()

    assert select_lockfile(project(tmp_path), LEAP).lock.name == "pylock.opensuse-leap-15_6-x86_64.toml"


def test_a_lock_of_another_program_and_a_named_one_serve_every_target(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text('created-by = "other"\n')
    app = project(tmp_path)
    named = replace(app, settings=replace(app.settings, lock="uv.lock"))

    assert select_lockfile(app, LEAP) == app
    assert select_lockfile(named, LEAP) == named
