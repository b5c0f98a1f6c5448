"""When uv runs, what it is asked, and what becomes of its answer."""

from __future__ import annotations

import itertools
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter, ScriptedRunner
from unit.lock.makers import ANSWER, SHA, answering, application, expect_uv, failing, output, resolver
from unit.lock.samples import project_in, project_of, target
from venvpkg.errors import LockError
from venvpkg.host.command import Command, Completed
from venvpkg.lock.pylock import read_lock
from venvpkg.lock.resolve import ensure_lock, out_of_date, preview_lock, update_lock
from venvpkg.model.project import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_first_build_locks_and_the_second_runs_nothing(tmp_path: Path) -> None:
    runner, reporter = answering(), RecordingReporter()
    project = project_in(application(tmp_path, "flask"))

    first = ensure_lock(project, target(), resolver(tmp_path, runner, reporter))
    second = ensure_lock(project, target(), resolver(tmp_path, runner, reporter), locked=True)

    assert first == second == project.lock
    assert len(runner.ran) == 1
    assert reporter.steps == ["locked 1 distribution in pylock.toml"]
    assert read_lock(first, target(), Settings()).get("flask") is not None


def test_uv_is_asked_for_the_targets_interpreter_in_an_environment_of_ours(tmp_path: Path) -> None:
    runner = answering()
    project = project_in(application(tmp_path, "flask"), Settings(extras=("fast", "slow")))

    update_lock(project, target(), replace(resolver(tmp_path, runner), offline=True, directory=tmp_path / "app"))

    (command,) = runner.ran
    words = command.argv
    assert words[words.index("--python") + 1] == "/usr/bin/python3.11"
    assert {"--generate-hashes", "--no-index", "--offline"} <= set(words)
    assert [words[place + 1] for place, word in enumerate(words) if word == "--extra"] == ["fast", "slow"]
    assert words[-1] == str(tmp_path / "app" / "pyproject.toml")
    assert (command.cwd, command.stdin) == (tmp_path / "app", None)
    assert "hush-42" not in str(command)


@pytest.mark.parametrize(
    ("machine", "glibc", "platform"),
    [
        ("x86_64", (2, 31), "x86_64-manylinux_2_31"),
        ("aarch64", (2, 36), "aarch64-manylinux_2_36"),
        ("x86_64", (2, 43), "x86_64-manylinux_2_40"),
        ("x86_64", (2, 28), "x86_64-unknown-linux-gnu"),
        ("aarch64", None, "aarch64-unknown-linux-gnu"),
        ("riscv64", (2, 41), "riscv64-unknown-linux"),
        ("ppc64le", (2, 41), "powerpc64le-unknown-linux-gnu"),
        ("s390x", (2, 41), "s390x-unknown-linux-gnu"),
        ("i686", (2, 36), None),
        ("armv7l", (2, 36), None),
    ],
)
def test_an_interpreter_that_cannot_run_here_is_described_to_uv(
    tmp_path: Path, machine: str, glibc: tuple[int, int] | None, platform: str | None
) -> None:
    runner = answering()
    here = target()
    interpreter = replace(here.interpreter, version=(3, 13, 5), glibc=glibc)
    there = replace(here, root=tmp_path / "root", machine=machine, interpreter=interpreter)

    update_lock(project_in(application(tmp_path, "flask")), there, resolver(tmp_path, runner))

    words = runner.ran[0].argv
    assert words[words.index("--python") + 1] == sys.executable
    assert words[words.index("--python-version") + 1] == "3.13.5"
    told = words[words.index("--python-platform") + 1] if "--python-platform" in words else None
    assert told == platform
    assert ("--universal" in words) == (platform is None)


def test_a_requirement_goes_in_by_stdin_with_its_extras(tmp_path: Path) -> None:
    runner = answering()
    project = replace(project_of("app==1.0", tmp_path), settings=Settings(extras=("fast",)))

    path = ensure_lock(project, target(), resolver(tmp_path, runner))

    assert runner.ran[0].stdin == b"app[fast]==1.0\n"
    assert tomllib.loads(path.read_text())["tool"]["venvpkg"]["requirements"] == ["app[fast]==1.0"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda path: application(path, "flask", "lxml"), "lxml was added"),
        (application, "flask was removed"),
        (lambda path: application(path, "flask", more='requires-python = ">=3.9"'), "requires-python: >=3.9"),
        (lambda path: application(path, "flask", more="[tool.uv]\nno-index = true"), "settings for uv"),
    ],
)
def test_a_lock_that_is_out_of_date_is_noticed(tmp_path: Path, change: Callable[[Path], object], told: str) -> None:
    runner = answering()
    project = project_in(application(tmp_path, "flask"))
    ensure_lock(project, target(), resolver(tmp_path, runner))
    before = project.lock.read_bytes()

    change(tmp_path)
    with pytest.raises(LockError) as caught:
        ensure_lock(project, target(), resolver(tmp_path, runner), locked=True)

    assert told in caught.value.details
    assert project.lock.read_bytes() == before
    ensure_lock(project, target(), resolver(tmp_path, runner))
    assert len(runner.ran) == 2


def test_another_spelling_of_the_same_requirements_is_no_change(tmp_path: Path) -> None:
    runner = answering()
    project = project_in(application(tmp_path, "Flask >=3,<4", "lxml"))
    ensure_lock(project, target(), resolver(tmp_path, runner))

    application(tmp_path, "lxml", "flask<4, >=3")

    assert ensure_lock(project, target(), resolver(tmp_path, runner), locked=True) == project.lock


def test_another_target_needs_another_lock(tmp_path: Path) -> None:
    project = project_in(application(tmp_path, "flask"))
    ensure_lock(project, target(), resolver(tmp_path, answering()))

    with pytest.raises(LockError, match=r"interpreter: 3\.13, locked for 3\.11"):
        ensure_lock(project, target(version=(3, 13, 5)), resolver(tmp_path, ScriptedRunner({})), locked=True)


@pytest.mark.parametrize(
    "text",
    ['[project]\nname = "app"\ndynamic = ["version", "dependencies"]\n', '[tool.poetry]\nname = "app"\n'],
)
def test_dynamic_dependencies_are_watched_through_the_files_that_they_are_computed_from(
    tmp_path: Path, text: str
) -> None:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "pyproject.toml").write_text(text)
    (directory / "requirements.txt").write_text("flask\n")
    project = project_in(directory)
    ensure_lock(project, target(), resolver(tmp_path, answering()))

    ensure_lock(project, target(), resolver(tmp_path, ScriptedRunner({})), locked=True)
    (directory / "requirements.txt").write_text("flask\nlxml\n")

    with pytest.raises(LockError, match="dynamic dependencies"):
        ensure_lock(project, target(), resolver(tmp_path, ScriptedRunner({})), locked=True)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('[project]\nname = "app"\ndynamic = ["dependencies"]\n', ["app"]),
        ('[project]\nname = "app"\n', []),
    ],
)
def test_a_backend_that_computes_dependencies_is_asked_again_whatever_uv_keeps(
    tmp_path: Path, text: str, asked: list[str]
) -> None:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "pyproject.toml").write_text(text)
    runner = answering()

    update_lock(project_in(directory), target(), resolver(tmp_path, runner))

    words = runner.ran[0].argv
    assert [words[place + 1] for place, word in enumerate(words) if word == "--refresh-package"] == asked


def test_locked_without_a_lock_is_an_error(tmp_path: Path) -> None:
    project = project_in(application(tmp_path, "flask"))

    with pytest.raises(LockError, match="does not exist"):
        ensure_lock(project, target(), resolver(tmp_path, ScriptedRunner({})), locked=True)


def test_the_versions_of_an_earlier_lock_are_given_to_uv_unless_upgraded(tmp_path: Path) -> None:
    given: list[str | None] = []

    def answer(command: Command) -> Completed:
        given.append(output(command).read_text() if output(command).exists() else None)
        output(command).write_text(ANSWER)
        return Completed(0)

    runner = ScriptedRunner({expect_uv(): answer})
    project = project_in(application(tmp_path, "flask"))

    update_lock(project, target(), resolver(tmp_path, runner))
    update_lock(project, target(), resolver(tmp_path, runner))
    update_lock(project, target(), resolver(tmp_path, runner), upgrade=True)

    assert [text is not None and 'version = "3.1.3"' in text for text in given] == [False, True, False]


def test_a_lock_of_another_program_is_used_as_it_is_and_never_overwritten(tmp_path: Path) -> None:
    project = project_in(application(tmp_path, "flask", "lxml"))
    project.lock.write_text(ANSWER)

    assert ensure_lock(project, target(), resolver(tmp_path, ScriptedRunner({})), locked=True) == project.lock
    with pytest.raises(LockError, match="not written by venvpkg"):
        update_lock(project, target(), resolver(tmp_path, ScriptedRunner({})))
    assert project.lock.read_text() == ANSWER


def test_a_malformed_lock_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    project = project_in(application(tmp_path, "flask"))
    project.lock.write_text("<<<<<<< HEAD\n")

    for stage in (ensure_lock, update_lock, preview_lock):
        with pytest.raises(LockError, match="malformed"):
            stage(project, target(), resolver(tmp_path, ScriptedRunner({})))

    assert project.lock.read_text() == "<<<<<<< HEAD\n"


def test_a_preview_leaves_no_trace_and_lets_no_backend_run(tmp_path: Path) -> None:
    runner = answering(barred=True)
    directory = application(tmp_path, "flask")

    path = preview_lock(project_in(directory), target(), resolver(tmp_path, runner))

    assert path.is_relative_to(tmp_path / "work")
    assert [each.name for each in directory.iterdir()] == ["pyproject.toml"]
    (command,) = runner.ran
    assert "os._exit(1)" in (Path(command.env["PYTHONPATH"]) / "sitecustomize.py").read_text()
    assert read_lock(path, target(), Settings()).get("flask") is not None


def test_a_preview_uses_a_lock_that_is_current(tmp_path: Path) -> None:
    project = project_in(application(tmp_path, "flask"))
    ensure_lock(project, target(), resolver(tmp_path, answering()))

    assert preview_lock(project, target(), resolver(tmp_path, ScriptedRunner({}))) == project.lock


def test_a_preview_names_the_distribution_whose_backend_would_have_to_run(tmp_path: Path) -> None:
    errors = "error: Failed to build `uwsgi==2.0.26`\n\n  [stderr]\n  venvpkg: no build backend runs here\n"

    with pytest.raises(LockError, match=r"uwsgi==2\.0\.26 has no static metadata.*\n.*\n.*venvpkg lock"):
        preview_lock(project_of("uwsgi", tmp_path), target(), resolver(tmp_path, failing(errors, barred=True)))


def test_credentials_of_direct_references_stay_out_of_the_lock(tmp_path: Path) -> None:
    url = "https://me:s3cret@h.example/a-1.0-py3-none-any.whl"
    answer = f"""lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "a"
version = "1.0"
archive = {{ url = "{url}", hashes = {{ sha256 = "{SHA}" }} }}
"""
    project = project_in(application(tmp_path, f"a @ {url}"))

    path = ensure_lock(project, target(), resolver(tmp_path, answering(answer)))

    assert "s3cret" not in path.read_text()
    assert read_lock(path, target(), Settings()).distributions[0].wheels[0].url == url.replace("me:s3cret@", "")


def test_repositories_with_passwords_are_refused_all_at_once_before_uv_gives_them_to_git(tmp_path: Path) -> None:
    more = """
[tool.uv.sources]
of-table = { git = "https://me:hush-42@corp/t.git" }
of-ssh = { git = "ssh://git@corp/t.git" }
"""
    project = project_in(
        application(tmp_path, "of-list @ git+https://hush-42@corp/l.git", "of-table", "of-ssh", more=more)
    )

    with pytest.raises(LockError) as caught:
        ensure_lock(project, target(), resolver(tmp_path, ScriptedRunner({})))

    first, second = caught.value.details.splitlines()
    assert first.startswith("  of-list @ git+https://***@corp/l.git contains a user or password")
    assert second.startswith("  of-table @ https://***@corp/t.git contains")


def test_a_repository_on_the_command_line_is_refused_too(tmp_path: Path) -> None:
    project = project_of("app @ git+https://me:hush-42@corp/app.git", tmp_path)

    with pytest.raises(LockError) as caught:
        ensure_lock(project, target(), resolver(tmp_path, ScriptedRunner({})))

    assert "hush-42" not in caught.value.details


def test_paths_that_uv_writes_relative_to_its_output_become_relative_to_the_lock(tmp_path: Path) -> None:
    directory = application(tmp_path, "a")

    def answer(command: Command) -> Completed:
        up = "../" * (len(output(command).parent.relative_to(tmp_path).parts))
        output(command).write_text(
            f'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\nname = "a"\nversion = "1"\n'
            f'archive = {{ path = "{up}app/wheels/a-1-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}\n'
        )
        return Completed(0)

    path = ensure_lock(project_in(directory), target(), resolver(tmp_path, ScriptedRunner({expect_uv(): answer})))

    assert tomllib.loads(path.read_text())["packages"][0]["archive"]["path"] == "wheels/a-1-py3-none-any.whl"


def test_a_conflict_is_explained_in_uvs_words_without_secrets_or_escape_sequences(tmp_path: Path) -> None:
    errors = "error: No solution\n  cause: \x1b[31mhttps://me:hush-42@corp/simple\x1b[0m has no flask>9\n"
    project = project_in(application(tmp_path, "flask>9"))

    with pytest.raises(LockError) as caught:
        ensure_lock(project, target(), resolver(tmp_path, failing(errors)))

    assert "app could not be locked for debian-12-amd64 (Python 3.11.2)" in caught.value.brief
    assert "https://***@corp/simple" in caught.value.details
    assert "\x1b" not in caught.value.details
    assert not project.lock.exists()


def test_offline_with_an_empty_cache_says_so(tmp_path: Path) -> None:
    runner = failing("hint: Packages were unavailable because the network was disabled.")

    with pytest.raises(LockError, match="Run once without --offline"):
        ensure_lock(project_of("flask", tmp_path), target(), replace(resolver(tmp_path, runner), offline=True))


@pytest.mark.parametrize("returncode", [127, -9, 124])
def test_a_uv_that_does_not_run_is_an_error(tmp_path: Path, returncode: int) -> None:
    with pytest.raises(LockError, match="uv failed:"):
        ensure_lock(project_of("flask", tmp_path), target(), resolver(tmp_path, failing("", returncode)))


def test_a_uv_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="did not write a lock"):
        ensure_lock(
            project_of("flask", tmp_path), target(), resolver(tmp_path, ScriptedRunner({expect_uv(): Completed(0)}))
        )


def test_an_interpreter_that_the_project_does_not_want_is_told_before_uv_runs(tmp_path: Path) -> None:
    project = project_in(application(tmp_path, "flask", more='requires-python = ">=3.12"'))

    with pytest.raises(LockError, match=r"app requires Python >=3\.12; debian-12-amd64 has 3\.11\.2"):
        ensure_lock(project, target(), resolver(tmp_path, ScriptedRunner({})))


def test_every_malformed_dependency_is_told_at_once(tmp_path: Path) -> None:
    project = project_in(application(tmp_path, "flask", "not a requirement", "x @ https://u:pw@", more=""))

    with pytest.raises(LockError) as caught:
        ensure_lock(project, target(), resolver(tmp_path, ScriptedRunner({})))

    assert "'not a requirement'" in caught.value.details
    assert "pw" not in caught.value.details


GROUPS = """[dependency-groups]
Prod = ["gunicorn", { include-group = "db" }]
db = ["psycopg2>=2.9"]
"""


def test_a_dependency_group_goes_to_uv_and_its_requirements_are_watched(tmp_path: Path) -> None:
    runner = answering()
    project = project_in(application(tmp_path, "flask", more=GROUPS), Settings(groups=("prod",)))

    first = ensure_lock(project, target(), resolver(tmp_path, runner))
    pyproject = tmp_path / "app/pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("psycopg2>=2.9", "psycopg2>=3"))

    words = runner.ran[0].argv
    assert words[words.index("--group") + 1] == f"{pyproject}:prod"
    assert 'groups = [\n    "prod",\n]' in first.read_text()
    assert out_of_date(project, target()) == (
        "requirements: psycopg2>=3 was added",
        "requirements: psycopg2>=2.9 was removed",
    )


@pytest.mark.parametrize(
    "group", ['["!!"]', "3", '[{ include-group = "prod" }]', '[{ include-group = "none" }]', "[{ x = 1 }]"]
)
def test_a_malformed_dependency_group_is_told_by_name(tmp_path: Path, group: str) -> None:
    directory = application(tmp_path, more=f"[dependency-groups]\nprod = {group}\n")

    with pytest.raises(LockError, match=r"dependency-groups\.prod: "):
        ensure_lock(project_in(directory, Settings(groups=("prod",))), target(), resolver(tmp_path, ScriptedRunner({})))


def test_for_pypy_uv_resolves_all_implementations_and_leaves_out_what_pypy_brings(tmp_path: Path) -> None:
    excludes = {"UV_EXCLUDE": "/srv/excluded.txt"}
    runner = answering(own=excludes)
    environment = {**target().interpreter.marker_environment, "implementation_name": "pypy"}
    interpreter = replace(
        target().interpreter, version=(3, 9, 16), marker_environment=environment, distributions=(("cffi", "1.15.1"),)
    )
    there = replace(target(), root=tmp_path / "root", interpreter=interpreter)
    uv = resolver(tmp_path, runner)
    own = replace(uv, settings=replace(uv.settings, environ=excludes))

    update_lock(project_in(application(tmp_path, "flask")), there, own)

    words = runner.ran[0].argv
    excluded = [each for option, each in itertools.pairwise(words) if option == "--excludes"]
    assert "--universal" in words
    assert "--python-platform" not in words
    assert excluded[0] == "/srv/excluded.txt"
    assert Path(excluded[1]).read_text() == "cffi\n"


BACKEND_FAILED = """error: Failed to build `legpc==1.0`
  cause: The build backend returned an error
         Package 'libpcsclite', required by 'virtual:world', not found
"""


def test_a_backend_that_fails_on_this_machine_is_told_with_what_it_misses_and_a_way_without_it(tmp_path: Path) -> None:
    project = replace(project_of("legpc", tmp_path), settings=Settings(build_depends=("libpcsclite-dev",)))

    with pytest.raises(LockError, match=r"build backend of legpc==1\.0 failed on this machine") as caught:
        ensure_lock(project, replace(target(), root=tmp_path / "root"), resolver(tmp_path, failing(BACKEND_FAILED)))

    assert "on this machine, not on the target; build-depends are not installed" in caught.value.details
    first, *others = caught.value.resolution.splitlines()
    assert "on this machine" in first
    assert "libpcsclite.pc" in first
    assert "libpcsclite-dev" in first
    assert [each.strip() for each in others[1:]] == [
        "[[dependency-metadata]]",
        'name = "legpc"',
        'version = "1.0"',
        "requires-dist = []",
    ]


def test_the_way_without_a_backend_is_in_the_projects_own_settings_if_it_has_some(tmp_path: Path) -> None:
    with pytest.raises(LockError) as caught:
        ensure_lock(project_in(application(tmp_path, "legpc")), target(), resolver(tmp_path, failing(BACKEND_FAILED)))

    assert "not on the target" not in caught.value.details
    assert "[[tool.uv.dependency-metadata]]" in caught.value.resolution


def test_a_yanked_release_is_locked_with_a_warning(tmp_path: Path) -> None:
    def warn(command: Command) -> Completed:
        output(command).write_text(ANSWER)
        yanked = 'warning: `flask==3.1.3` is yanked (reason: "broken\x1b (a bug)")\nwarning: `b==1` is yanked\n'
        return Completed(0, stderr=f"Resolved 1 package in 2ms\n{yanked}".encode())

    runner, reporter = ScriptedRunner({expect_uv("pip", "compile"): warn}), RecordingReporter()

    ensure_lock(project_in(application(tmp_path, "flask==3.1.3")), target(), resolver(tmp_path, runner, reporter))

    first, second = reporter.warnings
    assert first.startswith("flask 3.1.3 was yanked from its index: broken (a bug); pin another")
    assert second.startswith("b 1 was yanked from its index; pin")
