"""A package of debug symbols is found by debuggers, and installs and goes with the package it is of."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import shown
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg

LIFE = """\
set -eu
apt-get update -qq
apt-get install -qq -y --no-install-recommends "$1" "$2" > /dev/null
dpkg --verify ringbell ringbell-dbgsym
ringbell
apt-get purge -qq -y ringbell ringbell-dbgsym > /dev/null
test ! -e /usr/lib/debug/.build-id
test ! -e /opt/venvs
echo gone
"""


@pytest.fixture(scope="module")
def packages(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    project = write_project(tmp_path_factory.mktemp("debug") / "sources", configuration="debug-symbols = true")
    places = (f"--{name}={venvpkg.directory / name}" for name in ("wheelhouse", "cache", "out"))
    outcome = venvpkg.run("build", str(project), *places)

    assert outcome.code == 0, outcome.transcript
    (symbols,) = (venvpkg.directory / "out").glob(f"{NAME}-dbgsym_1.0.0-*.deb")
    return symbols.with_name(symbols.name.replace("-dbgsym", "")), symbols


def test_a_debugger_finds_function_and_line_by_the_build_id(packages: tuple[Path, Path], tmp_path: Path) -> None:
    if shutil.which("gdb") is None:
        pytest.skip("gdb is not here")
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", str(package), str(tmp_path)], check=True)
    (module,) = tmp_path.rglob("_bell.*.so")

    said = subprocess.run(
        [
            *("gdb", "-nx", "-batch", "-ex", f"set debug-file-directory {tmp_path}/usr/lib/debug"),
            *("-ex", f"file {module}", "-ex", "info line ring"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert re.search(r'Line \d+ of "ringbell/_bell.c" starts at address', said), said


def test_both_install_and_nothing_of_them_stays(packages: tuple[Path, Path], clean_root: CleanRoot) -> None:
    outcome = clean_root.run(
        LIFE, binds={each: shown(each) for each in packages}, arguments=[str(shown(each)) for each in packages]
    )

    assert outcome.stdout.endswith("3 rings of 1.0.0\ngone\n"), outcome.transcript
