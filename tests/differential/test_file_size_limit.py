"""A write that the kernel cuts short is an error of the machine, wherever it happens; no package has half a file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from differential.makers import python_project
from limits import file_size_limit
from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE, write_wheel
from unit.wheelhouse.makers import write_sdist
from venvpkg.errors import MachineError
from venvpkg.families.common.artifact_cache import ArtifactCache
from venvpkg.families.common.destdir import write_file
from venvpkg.host.files import write_whole
from venvpkg.host.tree import sha256_of_tree
from venvpkg.model.project import ExtraFile
from venvpkg.record.file import write_outputs
from venvpkg.sources.unpack import unpack_sdist
from venvpkg.staging.bytecode import compile_bytecode
from venvpkg.staging.install import install_wheels
from venvpkg.staging.installed_paths import VenvTree
from venvpkg.staging.stage import place_files
from venvpkg.staging.venv import create_venv
from venvpkg.wheelbuild.debug_symbols import extract_debug, write_debug
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvpkg.host.runner import SubprocessRunner
    from venvpkg.model.target import Target

LARGE = bytes(range(256)) * 1600
MODULE = "".join(f"def f{number}(x): return x + {number}\n" for number in range(2000)).encode()
# Below, at and above the size of each file, at the borders of pages and of buffers.
LIMITS = (50, 100, 500, 1000, 2000, 4095, 4096, 5000, 8192, 10_000, 20_000, 50_000, 65_536, 100_000, 131_072, 200_000,
          262_144, 300_000, 400_000, 409_599)  # fmt: skip
KIB_LIMITS = (1, 20, 100, 200)


def _install(place: Path, source: Path) -> None:
    wheel = write_wheel(source, files={"a.bin": LARGE})
    install_wheels((wheel,), VenvTree(place, PREFIX, "python3.11"), RecordingReporter())


def _unpack(place: Path, source: Path) -> None:
    unpack_sdist(source / "demo-1.0.tar.gz", place / "src")


def _place_file(place: Path, source: Path) -> None:
    place_files((ExtraFile(source / "large", PurePosixPath("/etc/app/large"), 0o644),), place)


def _write_file(place: Path, _: Path) -> None:
    write_file(place, PurePosixPath("/usr/share/doc/large"), LARGE)


def _write_whole(place: Path, _: Path) -> None:
    write_whole(place / "large", LARGE)


def _write_outputs(place: Path, source: Path) -> None:
    write_outputs(source / "large", (source / "demo-1.0.tar.gz",), b"{}", place)


def _publish(place: Path, source: Path) -> None:
    wheel = source / "app-1.0-py3-none-any.whl"
    Wheelhouse(place, "linux_x86_64_debian_12", RecordingReporter()).publish(wheel, {"a": 1}, {})
    (place / ".lock").unlink(missing_ok=True)


def _extract_debug(place: Path, source: Path) -> None:
    extract_debug(source / "app-1.0.debug.zip", place)


def _fetch_packed(place: Path, source: Path) -> None:
    (source / "tree").mkdir(exist_ok=True)
    cache = ArtifactCache(source / "packed", (), RecordingReporter())

    def make() -> str:
        (place / "a.deb").write_bytes(LARGE)
        return ""

    cache.get_or_build(place / "a.deb", source / "tree", {}, make)


WRITERS = (_install, _unpack, _place_file, _write_file, _write_whole, _write_outputs, _publish, _extract_debug,
           _fetch_packed)  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    directory.mkdir()
    (directory / "large").write_bytes(LARGE)
    write_sdist(directory / "demo-1.0.tar.gz", {"demo-1.0/large": LARGE})
    wheel = write_wheel(directory, files={"a.bin": LARGE})
    write_debug({"ab" + "0" * 38: LARGE}, wheel.path.with_name("app-1.0.whl"))
    return directory


@pytest.mark.parametrize("write", WRITERS)
def test_what_is_written_is_whole_or_an_error(
    write: Callable[[Path, Path], None], tmp_path: Path, source: Path
) -> None:
    def written(name: str) -> str:
        place = tmp_path / name
        place.mkdir()
        write(place, source)
        return sha256_of_tree(place)

    whole = written("whole")

    refused = 0
    for limit in LIMITS:
        try:
            with file_size_limit(limit):
                found = written(str(limit))
        except (OSError, MachineError):
            refused += 1
        else:
            assert found == whole
    assert refused > 0


def test_bytecode_is_whole_or_an_error(tmp_path: Path, target: Target, runner: SubprocessRunner) -> None:
    def compiled(name: str, limit: int = 1 << 30) -> str:
        module = tmp_path / name / (SITE / "module.py").relative_to("/")
        module.parent.mkdir(parents=True)
        module.write_bytes(MODULE)
        with file_size_limit(limit):
            assert list(compile_bytecode(tmp_path / name, (SITE / "module.py",), target, runner))
        return sha256_of_tree(tmp_path / name)

    whole = compiled("whole")

    for limit in (*LIMITS, 1 << 20):
        try:
            found = compiled(str(limit), limit)
        except MachineError:
            continue
        assert found == whole


def test_an_empty_environment_is_whole_or_an_error(tmp_path: Path, target: Target) -> None:
    def created(name: str) -> str:
        (tmp_path / name).mkdir()
        create_venv(tmp_path / name, PREFIX, target)
        return sha256_of_tree(tmp_path / name)

    whole = created("whole")

    for limit in LIMITS:
        try:
            with file_size_limit(limit):
                found = created(str(limit))
        except OSError:
            continue
        assert found == whole


class Builds:
    """Builds of one project, alone or as the machine limits them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.project = python_project(base / "project", "app")
        (self.project / "app" / "large.py").write_bytes(MODULE)
        self.whole = self.digest(self.run(("sh", "-c", 'exec "$@"', "sh")))

    def run(self, wrapper: tuple[str, ...], name: str = "") -> subprocess.CompletedProcess[str]:
        """Build as ``wrapper`` lets it; a cache and a wheelhouse of a name of their own were never used before."""
        for file in self.project.glob("dist/*"):
            file.unlink()
        venvpkg = (sys.executable, "-m", "venvpkg", "build", "--offline", "--quiet")
        options = ("--cache", str(self.base / f"cache{name}"), "--wheelhouse", str(self.base / f"wheelhouse{name}"))
        return subprocess.run((*wrapper, *venvpkg, *options), cwd=self.project, capture_output=True, text=True,
                              env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}, check=False)  # fmt: skip

    def digest(self, done: subprocess.CompletedProcess[str]) -> str:
        assert done.returncode == 0, done.stderr
        (package,) = self.project.glob("dist/*.deb")
        return hashlib.sha256(package.read_bytes()).hexdigest()

    def require_whole_or_refused(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode != 0:
            assert done.returncode == 16, done.stderr
            assert list(self.project.glob("dist/*")) == []
            return
        assert self.digest(done) == self.whole


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    return Builds(tmp_path_factory.mktemp("builds"))


@pytest.mark.parametrize("limit_kib", KIB_LIMITS)
def test_a_first_build_is_whole_or_refused_by_the_machine(builds: Builds, limit_kib: int) -> None:
    done = builds.run(("bash", "-c", f'ulimit -f {limit_kib}; exec "$@"', "sh"), f"-{limit_kib}")

    builds.require_whole_or_refused(done)


@pytest.mark.parametrize("limit_kib", KIB_LIMITS)
def test_a_build_from_the_cache_is_whole_or_refused_by_the_machine(builds: Builds, limit_kib: int) -> None:
    done = builds.run(("bash", "-c", f'ulimit -f {limit_kib}; exec "$@"', "sh"))

    builds.require_whole_or_refused(done)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small filesystem")
@pytest.mark.parametrize("size_kib", [40, 800, 2000, 20_000])
def test_a_build_on_a_full_disk_is_whole_or_refused_by_the_machine(builds: Builds, size_kib: int) -> None:
    name = f"-full-{size_kib}"
    mount = f'mkdir "$1" && mount -t tmpfs -o size={size_kib}k none "$1" && shift && exec "$@"'

    done = builds.run(("unshare", "--mount", "sh", "-c", mount, "sh", str(builds.base / f"cache{name}")), name)

    builds.require_whole_or_refused(done)
