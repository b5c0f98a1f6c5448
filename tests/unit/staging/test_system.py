"""An environment shows what was chosen of the release, where it is now, and nothing else of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.fakes import ScriptedRunner
from unit.samples import SITE, a_system, debian_12
from unit.staging.makers import interpreter
from venvpkg.errors import StagingError
from venvpkg.host.command import Completed
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.staging.installed_paths import InstalledWheel
from venvpkg.staging.system import FINDER, expose, pth_line, require_no_module_conflict


def test_the_line_is_written_in_order_and_in_ascii() -> None:
    line = pth_line((a_system("zeta", modules=("z", "a")), a_system("alpha", modules=("a",))))

    assert line == (
        f"import {FINDER}; {FINDER}.expose(('/usr/lib/python3/dist-packages',), ('a', 'z'), ('alpha', 'zeta'))\n"
    )


def test_nothing_is_written_when_nothing_comes_from_the_release(tmp_path: Path) -> None:
    expose((), tmp_path, SITE, debian_12(), ScriptedRunner({}))

    assert not list(tmp_path.iterdir())


def test_the_finder_s_bytecode_is_shipped(tmp_path: Path) -> None:
    (tmp_path / SITE.relative_to("/")).mkdir(parents=True)
    runner = interpreter(Completed(0, b"[null]"), tmp_path)

    expose((a_system(),), tmp_path, SITE, debian_12(), runner)

    (command,) = runner.ran
    assert json.loads(command.stdin or b"")[1] == [str(SITE / f"{FINDER}.py")]


def installed(name: str, *files: str) -> InstalledWheel:
    wheel = ReadyWheel(name, "1.0", Path(f"/{name}.whl"), "", Action.PURE)
    return InstalledWheel(wheel, SITE / f"{name}.dist-info", tuple(SITE / each for each in files))


def test_a_module_in_a_wheel_and_in_the_release_is_refused() -> None:
    system = (a_system(modules=("psycopg2", "zope.one")),)
    binary = installed("psycopg2-binary", "psycopg2/__init__.py", "psycopg2/_psycopg.cpython-311.so")
    zope = installed("zope", "zope/one/__init__.py")

    with pytest.raises(StagingError) as caught:
        require_no_module_conflict(system, (binary, zope), SITE)

    assert caught.value.details.splitlines() == [
        "  psycopg2: in psycopg2-binary, and in python3-psycopg2",
        "  zope.one: in zope, and in python3-psycopg2",
    ]


def test_wheels_beside_the_release_s_modules_are_accepted() -> None:
    require_no_module_conflict(
        (a_system(modules=("psycopg2", "zope.one")),), (installed("other", "zope/two.py", "psycopg.py"),), SITE
    )
