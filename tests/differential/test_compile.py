"""Wheels compiled for real: by gcc, in namespaces, with uv; only the index is a directory."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import pytest

from differential.compiling import SOURCE, NoCrates, build, lacking, write_project
from unit.fakes import RecordingReporter
from unit.wheelhouse.makers import wheel_members, write_wheel
from venvpkg.errors import CompileError
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_uv
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import Action, PlannedWheel, WheelPlan
from venvpkg.sources.repository import Repositories
from venvpkg.sources.source_tree import read_source_tree
from venvpkg.targets.host import resolve_host
from venvpkg.wheelbuild.compile import compile_wheels
from venvpkg.wheelbuild.context import WheelBuildContext
from venvpkg.wheelbuild.pool import Pool
from venvpkg.wheelbuild.sbom import WheelSbomWriter
from venvpkg.wheelhouse.key import read_toolchain
from venvpkg.wheelhouse.store import Wheelhouse


@pytest.fixture(autouse=True)
def _ready() -> None:
    if lacking():
        pytest.skip(lacking())


def test_two_places_and_umasks_give_the_same_bytes(tmp_path: Path) -> None:
    first = build(write_project(tmp_path / "one"), tmp_path / "cache")
    before = os.umask(0o077)
    try:
        second = build(write_project(tmp_path / "another/deeper/two"), tmp_path / "elsewhere/than/before")
    finally:
        os.umask(before)

    assert first.wheels[0].path.name == f"tiny-1.0-cp311-cp311-{resolve_host(SubprocessRunner({})).platform_tag}.whl"
    assert first.wheels[0].path.read_bytes() == second.wheels[0].path.read_bytes()


def test_the_wheel_names_the_packages_that_dpkg_says_own_its_libraries(tmp_path: Path) -> None:
    source = SOURCE.replace("PyUnicode_FromString(__FILE__)", "PyLong_FromLong(getpid())")
    (wheel,) = build(write_project(tmp_path / "project", f"#include <unistd.h>\n{source}"), tmp_path / "cache").wheels

    with zipfile.ZipFile(wheel.path) as archive:
        document = json.loads(archive.read("tiny-1.0.dist-info/sboms/venvpkg.cdx.json"))
    shown = subprocess.run(
        ["dpkg-query", "--show", "-f", "${Package} ${Version} ${Architecture}", "libc6"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    (component,) = document["components"]
    (architecture,) = re.findall(r"arch=(\w+)", component["purl"])
    assert f"{component['name']} {component['version']} {architecture}" == shown


def test_the_wheel_works_is_stripped_and_names_only_the_neutral_place(tmp_path: Path) -> None:
    (wheel,) = build(write_project(tmp_path / "project"), tmp_path / "cache").wheels

    with zipfile.ZipFile(wheel.path) as archive:
        archive.extractall(tmp_path / "site")
    done = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", "import sys; sys.path[0:0] = sys.argv[1:]; import tiny; print(tiny.where())",
         tmp_path / "site"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (module,) = (tmp_path / "site").glob("tiny*.so")
    sections = subprocess.run(["/usr/bin/readelf", "-SW", module], capture_output=True, text=True, check=True).stdout
    assert done.stdout == "/usr/src/tiny/tiny.c\n"
    assert ".debug_info" not in sections
    assert str(tmp_path).encode() not in wheel.path.read_bytes()


def test_a_compile_reaches_no_network(tmp_path: Path) -> None:
    extra = 'import socket; socket.create_connection(("127.0.0.1", 9), 5)'

    with pytest.raises(CompileError) as caught:
        build(write_project(tmp_path / "project", extra=extra), tmp_path / "cache")

    assert "Network is unreachable" in str(caught.value)
    assert "The compile has no network" in caught.value.resolution


def test_a_compile_sees_nothing_that_the_administrator_installed_by_hand(tmp_path: Path) -> None:
    extra = 'assert not os.listdir("/usr/local") and not os.listdir("/root") and len(os.environ) < 40, os.environ'

    assert build(write_project(tmp_path / "project", extra=extra), tmp_path / "cache").wheels[0].name == "tiny"


def test_a_missing_header_is_told_with_the_line_of_the_compiler(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", source='#include "no/such/header.h"\n' + SOURCE)

    with pytest.raises(CompileError) as caught:
        build(project, tmp_path / "cache")

    (log,) = (tmp_path / "cache/logs").iterdir()
    assert "fatal error: no/such/header.h: No such file or directory" in caught.value.details
    assert str(log) in caught.value.details
    assert "the header no/such/header.h" in caught.value.resolution
    assert not list((tmp_path / "cache/wheelhouse").rglob("*.whl"))


def test_build_requirements_come_from_given_wheels_alone(tmp_path: Path) -> None:
    helper = write_wheel(tmp_path / "helper-1.0-py3-none-any.whl", wheel_members("helper"))
    pinned = RemoteFile(helper.name, "https://index.example/", hashlib.sha256(helper.read_bytes()).hexdigest())
    project = write_project(tmp_path / "project", extra="import helper")
    text = (project / "pyproject.toml").read_text().replace("requires = []", 'requires = ["helper"]')
    (project / "pyproject.toml").write_text(text)
    runner = SubprocessRunner(os.environ)
    target = resolve_host(runner)
    (tmp_path / "work").mkdir()
    reporter = RecordingReporter()
    shop = WheelBuildContext(
        target=target,
        toolchain=read_toolchain(target, runner),
        runner=runner,
        reporter=reporter,
        wheelhouse=Wheelhouse(tmp_path / "wheelhouse", target.platform_tag, reporter),
        pin=lambda _: (pinned,),
        fetch=lambda _: {pinned: helper},
        crates=NoCrates(),
        write_sbom=WheelSbomWriter(target, runner),
        repositories=Repositories(tmp_path / "repositories", runner),
        uv=find_uv(),
        workspace=tmp_path / "work",
        logs=tmp_path / "logs",
        pool=Pool(1),
        end=runner.kill_all,
    )
    plan = WheelPlan((PlannedWheel("tiny", "", Action.COMPILE, "", read_source_tree(project, runner)),))

    done = compile_wheels(plan, (), shop)

    assert done.pins[0].files == (pinned,)


def processes_with(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def until(condition: object, seconds: float = 30) -> bool:
    """Wait for a callable to become true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if callable(condition) and condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_driver_that_is_ended_leaves_no_entry_and_no_compiler(tmp_path: Path, sent: signal.Signals) -> None:
    sleep = ["sleep", f"{100_000 + os.getpid()}.{int(sent)}"]
    extra = f'open("/usr/src/venvpkg/out/started", "w").close(); subprocess.run({sleep!r})'
    project = write_project(tmp_path / "project", extra=extra)
    script = f"""
        from pathlib import Path
        from differential.compiling import build
        build(Path({str(project)!r}), Path({str(tmp_path / "cache")!r}))
    """
    tests = Path(__file__).parent.parent
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tests, *sys.path)))},
        stderr=subprocess.DEVNULL,
    )
    started = until(lambda: list((tmp_path / "cache/work").glob("compile/*/out/started")))

    running = until(lambda: processes_with("\0".join(sleep)))
    driver.send_signal(sent)
    driver.wait(30)

    assert started
    assert running
    assert until(lambda: not processes_with("\0".join(sleep)))
    assert not list((tmp_path / "cache").glob("wheelhouse/*/*/*/*.whl"))
