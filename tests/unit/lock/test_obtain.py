"""One lock, whichever program keeps it; what uv and the others are asked, and what becomes of their answers."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.fakes import Answer, Expected, RecordingReporter, ScriptedRunner, expect
from unit.lock.makers import SHA, USERS, answering, application, expect_uv, failing, output, resolver, writing
from unit.lock.samples import project_in, target
from venvpkg.errors import LockError
from venvpkg.host.command import Command, Completed
from venvpkg.lock.obtain import obtain_lock, renew_lock
from venvpkg.model.lock import LockedDirectory
from venvpkg.model.project import Settings

if TYPE_CHECKING:
    from venvpkg.model.project import Project

ENTRY = f'wheels = [{{ url = "https://i.example/flask-3.1.3-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}]'
ANSWER = f"""lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "flask"
version = "3.1.3"
{ENTRY}
"""
PINNED = f"flask==3.1.3 --hash=sha256:{SHA}\n"
FRESH = Completed(0)
STALE = Completed(1, stderr=b"error: \x1b[31mneeds to be updated\x1b[0m https://me:s3cret@h.example\n")


def with_lock(tmp_path: Path, name: str, text: str = "", settings: Settings | None = None) -> Project:
    directory = application(tmp_path, "flask")
    (directory / name).write_text(text)
    return project_in(directory, settings or Settings(lock=name))


def exporting(text: str = ANSWER, *checks: Completed, barred: bool = False) -> ScriptedRunner:
    """Return a uv that exports ``text`` and answers its checks: without indexes first, and then with the user's."""
    without_indexes = {"HOME": USERS["HOME"]}
    answers: dict[Expected, Answer] = {
        expect_uv("export", barred=barred): writing(text),
        expect_uv("lock", "--check", "--offline", own=without_indexes, barred=barred): checks[0] if checks else FRESH,
    }
    if len(checks) > 1:
        answers[expect_uv("lock", "--check", "--no-index", barred=barred)] = checks[1]
    return ScriptedRunner(answers)


def test_uv_lock_is_exported_for_the_application_alone_and_nothing_is_written(tmp_path: Path) -> None:
    project = with_lock(tmp_path, "uv.lock", settings=Settings(extras=("fast",), groups=("prod",)))
    runner = exporting()

    lock = obtain_lock(project, target(), resolver(tmp_path, runner), locked=True).lock

    export, check = runner.ran
    assert [each.name for each in lock.distributions] == ["flask"]
    assert {"--frozen", "--offline", "--no-emit-project", "--no-editable", "--no-default-groups"} <= set(export.argv)
    assert export.argv[export.argv.index("--extra") + 1] == "fast"
    assert export.argv[export.argv.index("--group") + 1] == "prod"
    assert check.cwd == project.directory
    assert sorted(path.name for path in (tmp_path / "app").iterdir()) == ["pyproject.toml", "uv.lock"]


def test_freshness_is_asked_without_indexes_first_and_then_with_the_users(tmp_path: Path) -> None:
    runner = exporting(ANSWER, STALE, FRESH)

    obtain_lock(with_lock(tmp_path, "uv.lock"), target(), resolver(tmp_path, runner))

    _, first, second = runner.ran
    assert "UV_DEFAULT_INDEX" not in first.env
    assert "UV_DEFAULT_INDEX" in second.env
    assert "--no-index" in second.argv
    assert "--offline" not in second.argv


def test_a_locked_preview_resolves_nothing_either(tmp_path: Path) -> None:
    runner = ScriptedRunner({})
    project = project_in(application(tmp_path, "flask"))

    with pytest.raises(LockError, match="does not exist and cannot be resolved with --locked"):
        obtain_lock(project, target(), resolver(tmp_path, runner), locked=True, preview=True)

    assert runner.ran == []


def test_a_stale_uv_lock_is_refused_in_uvs_words_without_secrets(tmp_path: Path) -> None:
    runner = exporting(ANSWER, STALE, STALE, barred=True)

    with pytest.raises(LockError, match="out of date") as caught:
        obtain_lock(
            with_lock(tmp_path, "uv.lock"), target(), replace(resolver(tmp_path, runner), offline=True), preview=True
        )

    assert "needs to be updated" in caught.value.details
    assert "s3cret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert runner.ran[2].argv[-3] == "--offline"
    assert all("PYTHONPATH" in command.env for command in runner.ran)


def test_a_malformed_uv_lock_is_refused_before_its_age_is_asked(tmp_path: Path) -> None:
    runner = failing("error: Failed to parse `uv.lock`", 2)

    with pytest.raises(LockError, match=r"could not be exported: uv failed \(exit 2\)"):
        obtain_lock(with_lock(tmp_path, "uv.lock"), target(), resolver(tmp_path, runner))

    assert len(runner.ran) == 1


def test_a_directory_in_uvs_export_is_found_from_where_uv_wrote_it(tmp_path: Path) -> None:
    project = with_lock(tmp_path, "uv.lock")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "pyproject.toml").touch()
    text = 'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\nname = "lib"\ndirectory = { path = "../../lib" }\n'

    (lib,) = obtain_lock(project, target(), resolver(tmp_path, exporting(text))).lock.distributions

    assert lib.origin == LockedDirectory(tmp_path / "lib")


def test_hashed_requirements_are_looked_up_without_their_dependencies_and_keep_their_hashes(tmp_path: Path) -> None:
    project = with_lock(tmp_path, "requirements.txt", PINNED)
    runner = answering(ANSWER)

    (flask,) = obtain_lock(project, target(), resolver(tmp_path, runner), locked=True).lock.distributions

    (command,) = runner.ran
    assert "--no-deps" in command.argv
    assert command.stdin == b"flask==3.1.3\n"
    assert flask.trusted == frozenset({SHA})
    assert not project.lock.exists()


def test_indexes_of_a_hashed_file_are_told_unless_they_are_configured(tmp_path: Path) -> None:
    indexes = "--index-url https://corp/simple/\n--extra-index-url https://me:s3cret@more/simple\n--trusted-host corp\n"
    project = with_lock(tmp_path, "requirements.txt", indexes + PINNED)
    reporter = RecordingReporter()
    how = resolver(tmp_path, answering(ANSWER), reporter)
    settings = dataclasses.replace(how.settings, order=("https://you@corp/simple",))

    obtain_lock(project, target(), dataclasses.replace(how, settings=settings), locked=True)

    (warning,) = reporter.warnings
    assert "--extra-index-url https://***@more/simple" in warning
    assert "corp" not in warning


def test_pins_without_hashes_become_constraints_of_our_own_lock_and_are_watched(tmp_path: Path) -> None:
    project = with_lock(tmp_path, "requirements.txt", "Flask[async]==3.1.3\nother==1\n")
    constraints: list[str] = []

    def answer(command: Command) -> Completed:
        constraints.append(Path(command.argv[command.argv.index("--constraint") + 1]).read_text())
        output(command).write_text(ANSWER)
        return Completed(0)

    runner, reporter = ScriptedRunner({expect_uv("pip"): answer}), RecordingReporter()

    obtain_lock(project, target(), resolver(tmp_path, runner, reporter))
    obtain_lock(project, target(), resolver(tmp_path, runner), locked=True)

    assert constraints == ["flask==3.1.3\nother==1\n"]
    assert [warning.split(":")[0] for warning in reporter.warnings] == [
        "requirements.txt has no hashes",
        "requirements.txt pins distributions that the application does not depend on; they are not in the package",
    ]
    (tmp_path / "app" / "requirements.txt").write_text("flask==3.1.2\n")
    with pytest.raises(LockError, match=r"flask==3\.1\.2 was added"):
        obtain_lock(project, target(), resolver(tmp_path, runner), locked=True)


def test_pins_do_not_shape_a_lock_that_another_program_wrote(tmp_path: Path) -> None:
    project = with_lock(tmp_path, "requirements.txt", "flask==3.1.3\n")
    project.lock.write_text(ANSWER)

    for stage in (obtain_lock, renew_lock):
        with pytest.raises(LockError, match="another program wrote"):
            stage(project, target(), resolver(tmp_path, ScriptedRunner({})))


# Of pdm, pipenv and poetry: they ask nothing, look nothing up and take no interpreter of a developer's.
EXPORTERS = {"NO_COLOR": "1", "PDM_CHECK_UPDATE": "0", "PDM_IGNORE_SAVED_PYTHON": "1", "PDM_USE_VENV": "0",
             "PIPENV_NOSPIN": "1"}  # fmt: skip


def expect_exporter(directory: Path, *argv: str) -> Expected:
    """Return a call of poetry or pipenv, which run in the project's ``directory``."""
    return expect(*argv, ..., env=EXPORTERS | {"PIPENV_PIPFILE": str(directory / "Pipfile")})


def poetry(directory: Path, *answers: Completed) -> dict[Expected, Answer]:
    """Return poetry's answers to the check of a lock and then, where it comes to that, to its export."""
    calls = (expect_exporter(directory, "poetry", words) for words in ("check", "export"))
    return dict(zip(calls, answers, strict=False))


def test_the_lock_of_poetry_is_exported_by_poetry_and_its_hashes_count(tmp_path: Path) -> None:
    project = with_lock(tmp_path, "poetry.lock", settings=Settings(extras=("fast",)))
    answers = poetry(tmp_path / "app", FRESH, Completed(0, PINNED.encode()))
    runner = ScriptedRunner(answers | {expect_uv("pip", "compile"): writing(ANSWER)})

    (flask,) = obtain_lock(project, target(), resolver(tmp_path, runner), locked=True).lock.distributions

    assert flask.trusted == frozenset({SHA})
    assert runner.ran[1].argv[-2:] == ("--extras", "fast")
    assert runner.ran[1].cwd == project.directory
    assert not project.lock.exists()


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((Completed(127),), r"is not installed\..*\n.*poetry-plugin-export.*\n  poetry export .*--extras fast"),
        ((STALE,), r"out of date(.|\n)*Run 'poetry lock'"),
        ((FRESH, STALE), r"could not be exported(.|\n)*poetry export"),
        ((FRESH, Completed(0, b"flask==3.1.3\nlxml==5 --hash=sha256:" + b"00" * 32)), "flask has no sha256"),
        ((FRESH, Completed(0, b"flask==3.1.3\n")), "no hashes"),
    ],
)
def test_a_lock_that_cannot_be_exported_is_refused_and_never_ignored(
    tmp_path: Path, answers: tuple[Completed, ...], told: str
) -> None:
    project = with_lock(tmp_path, "poetry.lock", settings=Settings(extras=("fast",)))

    assert project.directory is not None

    with pytest.raises(LockError, match=told) as caught:
        obtain_lock(project, target(), resolver(tmp_path, ScriptedRunner(poetry(project.directory, *answers))))

    assert "s3cret" not in str(caught.value)


def test_pdm_runs_beside_copies_because_it_leaves_files_where_it_runs(tmp_path: Path) -> None:
    project = with_lock(tmp_path, "pdm.lock", "the lock")
    seen: list[tuple[str, ...]] = []

    def export(command: Command) -> Completed:
        assert isinstance(command.cwd, Path)
        assert command.cwd.is_relative_to(tmp_path / "work")
        seen.append(tuple(sorted(path.name for path in command.cwd.iterdir())))
        return Completed(0, PINNED.encode())

    def environment(command: Command) -> dict[str, str]:
        return EXPORTERS | {"PIPENV_PIPFILE": f"{command.cwd}/Pipfile"}

    runner = ScriptedRunner({
        expect("pdm", ..., env=environment): export,
        expect_uv("pip", "compile"): writing(ANSWER),
    })  # fmt: skip

    obtain_lock(project, target(), resolver(tmp_path, runner))

    assert seen == [("pdm.lock", "pyproject.toml")] * 2


def test_pipenv_knows_no_extras(tmp_path: Path) -> None:
    project = with_lock(tmp_path, "Pipfile.lock", settings=Settings(extras=("fast",)))

    with pytest.raises(LockError, match="has neither extras"):
        obtain_lock(project, target(), resolver(tmp_path, ScriptedRunner({})))


@pytest.mark.parametrize(("name", "text"), [("uv.lock", ""), ("requirements.txt", PINNED), ("pdm.lock", "")])
def test_venvpkg_lock_writes_no_lock_of_another_program(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(LockError, match="is not maintained by venvpkg, so it is not written"):
        renew_lock(with_lock(tmp_path, name, text), target(), resolver(tmp_path, ScriptedRunner({})))


def test_a_named_pylock_is_where_our_lock_is_kept(tmp_path: Path) -> None:
    project = project_in(application(tmp_path, "flask"), Settings(lock="pylock.prod.toml"))

    renew_lock(project, target(), resolver(tmp_path, answering(ANSWER)))
    obtain_lock(project, target(), resolver(tmp_path, ScriptedRunner({})))

    assert (tmp_path / "app" / "pylock.prod.toml").exists()
    assert not project.lock.exists()
