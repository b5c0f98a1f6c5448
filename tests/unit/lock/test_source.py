"""Which of the locks that a project may have counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.lock.samples import project_in, project_of
from venvpkg.errors import LockError
from venvpkg.lock.source import LockKind, LockSource, lock_source
from venvpkg.model.project import Settings

if TYPE_CHECKING:
    from pathlib import Path


def chosen(
    directory: Path, *names: str, lock: str | None = None, reporter: RecordingReporter | None = None
) -> LockSource:
    for name in names:
        (directory / name).touch()
    return lock_source(project_in(directory, Settings(lock=lock)), reporter or RecordingReporter())


def test_without_any_lock_one_of_ours_will_be_made(tmp_path: Path) -> None:
    assert chosen(tmp_path, "requirements.txt") == LockSource(LockKind.PYLOCK, tmp_path / "pylock.toml")


def test_pylock_counts_before_uv_lock_and_that_before_those_of_other_programs(tmp_path: Path) -> None:
    found = [chosen(tmp_path, name).kind for name in ("poetry.lock", "uv.lock", "pylock.toml")]

    assert found == [LockKind.POETRY, LockKind.UV, LockKind.PYLOCK]


def test_a_lock_that_is_passed_over_for_pylock_is_told(tmp_path: Path) -> None:
    reporter = RecordingReporter()

    chosen(tmp_path, "pylock.toml", "uv.lock", reporter=reporter)

    assert reporter.warnings == ['using pylock.toml, ignoring uv.lock; set lock = "FILE" to choose']


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("uv.lock", LockKind.UV),
        ("requirements-prod.txt", LockKind.REQUIREMENTS),
        ("poetry.lock", LockKind.POETRY),
        ("pdm.lock", LockKind.PDM),
        ("Pipfile.lock", LockKind.PIPENV),
        ("pylock.prod.toml", LockKind.PYLOCK),
    ],
)
def test_the_lock_that_the_configuration_names_counts_and_nothing_else_is_told(
    tmp_path: Path, name: str, kind: LockKind
) -> None:
    reporter = RecordingReporter()

    found = chosen(tmp_path, "pylock.toml", "uv.lock", "pdm.lock", name, lock=name, reporter=reporter)

    assert found == LockSource(kind, tmp_path / name)
    assert reporter.warnings == []


def test_a_named_lock_that_is_not_there_is_an_error_unless_venvpkg_would_write_it(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="does not exist"):
        chosen(tmp_path, lock="requirements.txt")

    assert chosen(tmp_path, lock="pylock.prod.toml").path == tmp_path / "pylock.prod.toml"


def test_locks_of_several_programs_need_a_word(tmp_path: Path) -> None:
    with pytest.raises(LockError, match=r"poetry\.lock, pdm\.lock"):
        chosen(tmp_path, "pdm.lock", "poetry.lock")


def test_a_member_of_a_workspace_is_locked_at_its_top_and_a_stranger_below_it_is_not(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv.workspace]\nmembers = ["packages/*", "/abs", 3]\nexclude = ["packages/out"]\n'
    )
    (tmp_path / "uv.lock").touch()
    found = []
    for name in ("packages/in", "packages/out", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        found.append(chosen(tmp_path / name).kind)

    assert found == [LockKind.UV, LockKind.PYLOCK, LockKind.PYLOCK]


@pytest.mark.parametrize("text", ["<<<<", "[tool.uv]\nworkspace = 1\n", "", "[tool.uv.workspace]\nmembers = 1\n"])
def test_a_malformed_pyproject_above_is_no_workspace(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "uv.lock").touch()
    (tmp_path / "app").mkdir()

    assert chosen(tmp_path / "app").kind is LockKind.PYLOCK


def test_a_requirement_looks_at_nobody_elses_lock(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()

    assert lock_source(project_of("app", tmp_path), RecordingReporter()).path == tmp_path / "pylock.app.toml"
