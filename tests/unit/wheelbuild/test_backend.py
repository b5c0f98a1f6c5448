"""How uv is started in a room."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from unit.fakes import ScriptedRunner
from venvpkg.host.command import Completed
from venvpkg.sources.build_sandbox import BuildSandbox
from venvpkg.wheelbuild.backend import make_environment, prepare_directories

PYTHON = PurePosixPath("/usr/bin/python3.11")


def room_in(directory: Path) -> tuple[BuildSandbox, ScriptedRunner]:
    (directory / "room").mkdir()
    runner = ScriptedRunner({(): Completed(0)})
    return BuildSandbox(directory / "room", directory / "log", runner, {}, lambda: False), runner


def test_on_a_target_of_this_machines_kind_uv_starts_by_itself(tmp_path: Path) -> None:
    sandbox, runner = room_in(tmp_path)

    prepare_directories(sandbox)
    make_environment(sandbox, PYTHON, (), {})

    assert runner.ran[0].argv[:2] == ("tool/uv", "--quiet")


def test_on_a_target_of_another_processor_uv_is_started_by_its_own_loader(tmp_path: Path) -> None:
    sandbox, runner = room_in(tmp_path)
    libraries = [tmp_path / name for name in ("libc.so.6", "ld-linux-x86-64.so.2")]
    for each in libraries:
        each.write_text(each.name)

    prepare_directories(sandbox, libraries)
    make_environment(sandbox, PYTHON, (), {})

    loader, option, places, program, *_ = runner.ran[0].argv
    assert (loader, option, program) == ("tool/host/ld-linux-x86-64.so.2", "--library-path", "tool/uv")
    assert places == "/usr/src/venvpkg/tool/host"
    assert sorted(path.name for path in (tmp_path / "room/tool/host").iterdir()) == [
        "ld-linux-x86-64.so.2",
        "libc.so.6",
    ]
