"""Every build backend that compiles gives the same bytes in two places, and they name neither."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.backendprojects import PROJECTS, name_of, publish_crate, told_by, write_project
from acceptance.cargoregistry import serving
from acceptance.packages import BUILD_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from acceptance.packages import Venvpkg

NO_CARGO = pytest.mark.skipif(not Path("/usr/bin/cargo").exists(), reason="the release's cargo is not installed")
QUICK = {"cython", "maturin"}
# Nobody's here: what the index has, compiled from its sdist. orjson brings its crates.
PUBLISHED = {
    "cython": "msgpack==1.1.2",
    "meson-python": "contourpy==1.3.3",
    "scikit-build-core": "levenshtein==0.27.5",
    "maturin": "orjson==3.13.0",
}


def marks(backend: str, *, quick: bool) -> list[pytest.MarkDecorator]:
    return [*([] if quick else [pytest.mark.full]), *([NO_CARGO] if backend == "maturin" else [])]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve a registry with one crate; yield its URL and the crate's checksum."""
    directory = tmp_path / "registry"
    directory.mkdir()
    with serving(directory) as url:
        yield url, publish_crate(directory, url)


@pytest.mark.parametrize("backend", [pytest.param(each, marks=marks(each, quick=each in QUICK)) for each in PROJECTS])
def test_a_project_gives_the_same_bytes_in_two_places_and_they_name_neither(
    tmp_path: Path, venvpkg: Venvpkg, registry: tuple[str, str], backend: str
) -> None:
    url, checksum = registry
    first, second = tmp_path / "one", tmp_path / "two" / "much" / "deeper"
    for home in (first, second):
        write_project(home / "project", backend, checksum)
        (home / ".cargo").mkdir()
        (home / ".cargo" / "config.toml").write_text(
            f'[source.crates-io]\nreplace-with = "here"\n[source.here]\nregistry = "sparse+{url}/"\n'
        )

    built = build(venvpkg, first, f"{first}/project/")
    for lock in ("pylock.toml", "venvpkg.lock"):
        shutil.copy(first / "project" / lock, second / "project")
    again = build(venvpkg, second, f"{second}/project/", "--locked", "--jobs=1", umask=0o077)

    assert hashes(built) == hashes(again)
    assert all(str(tmp_path).encode() not in path.read_bytes() for path in built)
    package = next(path for path in built if path.suffix == ".deb")
    assert said(package, tmp_path / "root", backend) == told_by(backend)


@pytest.mark.full
@pytest.mark.parametrize("backend", [pytest.param(each, marks=marks(each, quick=True)) for each in PUBLISHED])
def test_a_published_sdist_gives_the_same_bytes_in_two_places(tmp_path: Path, venvpkg: Venvpkg, backend: str) -> None:
    name = PUBLISHED[backend].partition("=")[0]
    first, second = tmp_path / "one", tmp_path / "two" / "much" / "deeper"
    # contourpy needs numpy, whose own compile would take longer than all of this.
    options = ("--maintainer=A B <a@example.org>", f"--wheels-compile={name}", "--wheels-binary=numpy")

    built = build(venvpkg, first, PUBLISHED[backend], *options)
    second.mkdir(parents=True)
    for lock in first.glob("*.lock"), first.glob("pylock.*"):
        shutil.copy(next(lock), second)
    again = build(venvpkg, second, PUBLISHED[backend], *options, "--locked", "--jobs=1", umask=0o077)

    assert hashes(built) == hashes(again)
    assert all(str(tmp_path).encode() not in path.read_bytes() for path in built)


def build(venvpkg: Venvpkg, home: Path, what: str, *options: str, umask: int = 0o022) -> tuple[Path, ...]:
    """Build with everything below ``home``; return the package and the wheels that were compiled."""
    home.mkdir(parents=True, exist_ok=True)
    places = (f"--{each}={home / each}" for each in ("wheelhouse", "cache", "out"))
    environment: Mapping[str, str] = {key: value for key, value in os.environ.items() if not key.startswith("CARGO")}
    completed = subprocess.run(
        [str(venvpkg.program), "build", what, *places, *options],
        cwd=home,
        env={**environment, "HOME": str(home), "SOURCE_DATE_EPOCH": "1700000000"},
        umask=umask,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return (*sorted((home / "out").glob("*.deb")), *sorted((home / "wheelhouse").rglob("*.whl")))


def hashes(files: tuple[Path, ...]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def said(package: Path, root: Path, backend: str) -> str:
    """Unpack the package and return what its module or program says."""
    subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    prefix, name = root / "opt/venvs" / name_of(backend).replace("_", "-"), name_of(backend)
    command = [str(prefix / "bin" / name)]
    if backend != "maturin":
        (site,) = prefix.glob("lib/python3*/site-packages")
        program = f"import sys; sys.path.insert(0, sys.argv[1]); import {name}; print({name}.where())"
        command = ["/usr/bin/python3", "-I", "-c", program, str(site)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
