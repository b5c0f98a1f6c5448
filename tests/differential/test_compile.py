"""Wheels compiled for real: by gcc, in namespaces, with uv; only the index is a directory."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.wheelhouse.makers import wheel_members, write_wheel
from venvpkg.errors import CompileError
from venvpkg.host.command import Bind, Command
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_uv
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import Action, CompiledWheels, PlannedWheel, WheelPlan
from venvpkg.sources.source_tree import read_source_tree
from venvpkg.targets.host import resolve_host
from venvpkg.wheelbuild.compile import compile_wheels
from venvpkg.wheelbuild.context import WheelBuildContext
from venvpkg.wheelbuild.pool import Pool
from venvpkg.wheelbuild.sbom import WheelSbomWriter
from venvpkg.wheelhouse.key import read_toolchain
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A backend without requirements of its own, so that no index is needed: it compiles one extension by the rules.
BACKEND = """
import base64, hashlib, os, subprocess, sysconfig, zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    include = sysconfig.get_path("platinclude").replace(os.environ["PATH"].partition("/bin:")[0], "/usr")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    flags = [os.environ[name].split() for name in ("CPPFLAGS", "CFLAGS", "LDFLAGS")]
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-I" + include, *sum(flags, []), os.path.abspath("tiny.c"), "-o", "tiny" + suffix],
        check=True,
    )
    extra()
    info = "tiny-1.0.dist-info/"
    with open("tiny" + suffix, "rb") as file:
        members = {"tiny" + suffix: file.read()}
    members[info + "METADATA"] = b"Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n"
    members[info + "WHEEL"] = b"Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: cp311-cp311-linux_x86_64\\n"
    record = ""
    for name, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\\n" % (name, digest, len(content))
    members[info + "RECORD"] = (record + info + "RECORD,,\\n").encode()
    tag = "cp%s-cp%s-linux_%s" % (2 * (sysconfig.get_config_var("py_version_nodot"),) + (os.uname().machine,))
    name = "tiny-1.0-%s.whl" % tag
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return name

def extra():
    EXTRA
"""
SOURCE = """
#include <Python.h>
#include <assert.h>
static PyObject *where(PyObject *self, PyObject *args) { return PyUnicode_FromString(__FILE__); }
static PyMethodDef methods[] = {{"where", where, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", NULL, -1, methods};
PyMODINIT_FUNC PyInit_tiny(void) { return PyModule_Create(&module); }
"""


@functools.cache
def lacking() -> str:
    """Return what this machine lacks for these tests; empty when it is ready."""
    programs = [name for name in ("gcc", "strip", "dpkg-buildflags", "unshare") if shutil.which(name) is None]
    if programs:
        return f"not here: {', '.join(programs)}"
    target = resolve_host(SubprocessRunner(os.environ))
    if not target.on_host(target.interpreter.include / "Python.h").exists():
        return "no Python.h"
    shown = Bind(Path("/usr"), PurePosixPath("/usr/src/venvpkg"))
    done = SubprocessRunner(os.environ).run(Command(("true",), binds=(shown,), network=False))
    return "" if done.ok else "no namespaces"


pytestmark = pytest.mark.skipif(bool(lacking()), reason=lacking() or "ready")


def write_project(directory: Path, source: str = SOURCE, extra: str = "pass") -> Path:
    directory.mkdir(parents=True)
    (directory / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (directory / "backend.py").write_text(BACKEND.replace("EXTRA", textwrap.indent(extra, " " * 4).strip()))
    (directory / "tiny.c").write_text(source)
    return directory


def nothing_pinned(requires: tuple[str, ...], /) -> tuple[RemoteFile, ...]:
    raise AssertionError(f"no requirement was expected: {requires}")


def nothing_fetched(files: Iterable[RemoteFile], /) -> Mapping[RemoteFile, Path]:
    raise AssertionError(f"no download was expected: {list(files)}")


class NoCrates:
    def vendored(self, source: Path, title: str) -> Path:
        raise AssertionError(f"no crates of {title} were expected in {source}")


def build(project: Path, place: Path, reporter: RecordingReporter | None = None) -> CompiledWheels:
    """Compile the project with everything that venvpkg writes below ``place``."""
    runner = SubprocessRunner(os.environ)
    target = resolve_host(runner)
    (place / "work").mkdir(parents=True)
    reporter = reporter or RecordingReporter()
    shop = WheelBuildContext(
        target=target,
        toolchain=read_toolchain(target, runner),
        runner=runner,
        reporter=reporter,
        wheelhouse=Wheelhouse(place / "wheelhouse", target.platform_tag, reporter),
        pin=nothing_pinned,
        fetch=nothing_fetched,
        crates=NoCrates(),
        write_sbom=WheelSbomWriter(target, runner),
        uv=find_uv(),
        workspace=place / "work",
        logs=place / "logs",
        pool=Pool(2),
        end=runner.kill_all,
    )
    tree = read_source_tree(project, runner)
    return compile_wheels(WheelPlan((PlannedWheel("tiny", "", Action.COMPILE, "", tree),)), (), shop)


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
        import test_compile_driver
        test_compile_driver.build(Path({str(project)!r}), Path({str(tmp_path / "cache")!r}))
    """
    (tmp_path / "test_compile_driver.py").write_text(Path(__file__).read_text())
    tests = Path(__file__).parent.parent
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, tests, *sys.path)))},
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
