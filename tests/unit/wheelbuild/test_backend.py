"""How uv is started in a room."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from unit.fakes import ScriptedRunner
from unit.wheelbuild.makers import expect_inside, sandbox_answering, sandbox_of
from venvpkg.host.command import Completed
from venvpkg.wheelbuild.backend import create_build_environment, prepare_directories

PYTHON = PurePosixPath("/usr/bin/python3.11")


LOADER = ("tool/host/ld-linux-x86-64.so.2", "--library-path", "/usr/src/venvpkg/tool/host")


def test_on_a_target_of_this_machines_kind_uv_starts_by_itself(tmp_path: Path) -> None:
    runner = ScriptedRunner({expect_inside(tmp_path, "tool/uv", "--quiet"): Completed(0)})
    sandbox = sandbox_of(tmp_path, runner)

    prepare_directories(sandbox)
    create_build_environment(sandbox, PYTHON, (), {})

    assert len(runner.ran) == 1


def test_on_a_target_of_another_processor_uv_is_started_by_its_own_loader(tmp_path: Path) -> None:
    sandbox = sandbox_answering(tmp_path, (*LOADER, "tool/uv"), Completed(0))
    libraries = [tmp_path / name for name in ("libc.so.6", "ld-linux-x86-64.so.2")]
    for each in libraries:
        each.write_text(each.name)

    prepare_directories(sandbox, libraries)
    create_build_environment(sandbox, PYTHON, (), {})

    assert sorted(path.name for path in (tmp_path / "room/tool/host").iterdir()) == [
        "ld-linux-x86-64.so.2",
        "libc.so.6",
    ]
