"""A project with an extension, and what compiles it; only the index is missing."""

from __future__ import annotations

import functools
import os
import shutil
import textwrap
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from unit.fakes import RecordingReporter
from venvpkg.host.command import Bind, Command
from venvpkg.host.runner import SubprocessRunner
from venvpkg.host.tools import find_uv
from venvpkg.model.wheels import Action, CompiledWheels, PlannedWheel, WheelPlan
from venvpkg.sources.repository import Repositories
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

    from venvpkg.model.lock import RemoteFile

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
    def vendor(self, source: Path, title: str) -> Path:
        raise AssertionError(f"no crates of {title} were expected in {source}")


def build(
    project: Path, place: Path, reporter: RecordingReporter | None = None, git: tuple[Path, ...] = ()
) -> CompiledWheels:
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
        repositories=Repositories(place / "repositories", runner),
        uv=find_uv(),
        workspace=place / "work",
        logs=place / "logs",
        pool=Pool(2),
        end=runner.kill_all,
        git=git,
    )
    tree = read_source_tree(project, runner)
    return compile_wheels(WheelPlan((PlannedWheel("tiny", "", Action.COMPILE, "", tree),)), (), shop)
