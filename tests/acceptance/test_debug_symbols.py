"""A package of debug symbols is found by debuggers, and installs and goes with the package it is of."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import shown
from acceptance.rpms import BUILDERS, requires_of
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from acceptance.cleanroot import CleanRoot
    from acceptance.packages import Venvpkg
    from rpmworld.world import World

LIFE = """\
set -eu
apt-get update -qq
apt-get install -qq -y --no-install-recommends "$1" "$2" "$3" "$4" > /dev/null
dpkg --verify ringbell ringbell-dbgsym ringbell-too ringbell-too-dbgsym
ringbell
readable() { for each in $(find /usr/lib/debug/.build-id -name '*.debug'); do test -f "$each"; echo readable; done; }
readable
apt-get purge -qq -y ringbell ringbell-dbgsym > /dev/null
readable
apt-get purge -qq -y ringbell-too ringbell-too-dbgsym > /dev/null
test ! -e /usr/lib/debug
test ! -e /opt/venvs
echo gone
"""
# No world has a gdb: this machine's own looks at the root from inside, with its own libraries around it.
LIFE_OF_RPM = """\
set -eu
dnf -y -q --setopt=install_weak_deps=False install "$1" "$2" >&2
rpm -V ringbell ringbell-debuginfo
libraries=$(echo /mnt/host/usr/lib/*-linux-gnu | tr ' ' :)
PYTHONHOME=/mnt/host/usr /mnt/host/lib64/ld-linux-x86-64.so.2 --library-path "$libraries" /mnt/host/usr/bin/gdb \
    -nx -batch --data-directory /mnt/host/usr/share/gdb -ex 'set debug-file-directory /usr/lib/debug' \
    -ex 'unset environment PYTHONHOME' -ex 'set breakpoint pending on' -ex 'break ring' -ex run -ex 'backtrace 1' \
    --args /opt/venvs/ringbell/bin/python /opt/venvs/ringbell/bin/ringbell
dnf -y -q remove ringbell >&2
dnf -y -q remove ringbell-debuginfo >&2
test ! -e /usr/lib/debug/.build-id
test ! -e /opt/venvs
echo gone
"""


@pytest.fixture(scope="module")
def packages(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return built(venvpkg, tmp_path_factory.mktemp("debug") / "sources", NAME, "")


@pytest.fixture(scope="module")
def neighbours(venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Another application with the same compiled module, and so with the same build-id."""
    configuration = 'name = "ringbell-too"\ncommands = []\n'
    return built(venvpkg, tmp_path_factory.mktemp("debug-too") / "sources", "ringbell-too", configuration)


def built(venvpkg: Venvpkg, sources: Path, name: str, configuration: str) -> tuple[Path, Path]:
    """Return the package, and that of its debug symbols."""
    project = write_project(sources, configuration=f"{configuration}debug-symbols = true")
    places = (f"--{name}={venvpkg.directory / name}" for name in ("wheelhouse", "cache", "out"))
    outcome = venvpkg.run("build", str(project), *places)

    assert outcome.code == 0, outcome.transcript
    (symbols,) = (venvpkg.directory / "out").glob(f"{name}-dbgsym_1.0.0-*.deb")
    return symbols.with_name(symbols.name.replace("-dbgsym", "")), symbols


def test_a_debugger_finds_function_and_line_by_the_build_id(packages: tuple[Path, Path], tmp_path: Path) -> None:
    if shutil.which("gdb") is None:
        pytest.skip("gdb is not here")
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", str(package), str(tmp_path)], check=True)
    (module,) = tmp_path.rglob("_bell.*.so")
    # As the alternatives of an installed package lead there.
    debug = tmp_path / "usr/lib/debug"
    shutil.rmtree(debug / ".build-id")
    (debug / ".venvpkg" / NAME).rename(debug / ".build-id")

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


def test_all_install_beside_another_application_s_and_nothing_of_them_stays(
    packages: tuple[Path, Path], neighbours: tuple[Path, Path], clean_root: CleanRoot
) -> None:
    every = (*packages, *neighbours)

    outcome = clean_root.run(
        LIFE, binds={each: shown(each) for each in every}, arguments=[str(shown(each)) for each in every]
    )

    assert outcome.stdout.endswith("3 rings of 1.0.0\nreadable\nreadable\ngone\n"), outcome.transcript


@pytest.fixture(scope="module")
def rpms(venvpkg: Venvpkg, rpm_world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    project = write_project(tmp_path_factory.mktemp("debug-rpm") / "sources", configuration="debug-symbols = true")
    out = venvpkg.directory / "debug-rpms"
    places = (f"--{name}={venvpkg.directory / name}" for name in ("wheelhouse", "cache"))
    target = f"--target=root:{rpm_world.root(*BUILDERS).base}"
    outcome = venvpkg.run("build", str(project), *places, f"--out={out}", target)

    assert outcome.code == 0, outcome.transcript
    (debuginfo,) = out.glob(f"{NAME}-debuginfo-1.0.0-*.rpm")
    return debuginfo.with_name(debuginfo.name.replace("-debuginfo", "")), debuginfo


def test_an_rpm_s_debuginfo_lets_a_debugger_stop_at_a_line_and_goes_by_itself(
    rpms: tuple[Path, Path], rpm_world: World
) -> None:
    if shutil.which("gdb") is None:
        pytest.skip("gdb is not here")
    host = {Path("/"): PurePosixPath("/mnt/host")}

    outcome = rpm_world.root().run(
        LIFE_OF_RPM, binds={each: shown(each) for each in rpms} | host, arguments=[str(shown(each)) for each in rpms]
    )

    assert outcome.code == 0, outcome.transcript
    assert re.search(r"^#0  ring \(.*\) at ringbell/_bell\.c:\d+$", outcome.stdout, re.MULTILINE), outcome.transcript
    assert outcome.stdout.endswith("gone\n"), outcome.transcript


def test_an_rpm_s_debuginfo_does_not_hold_up_an_update_of_what_it_is_of(rpms: tuple[Path, Path]) -> None:
    assert requires_of(rpms[1]) == frozenset()
