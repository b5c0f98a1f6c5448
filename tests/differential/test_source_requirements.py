"""Build requirements that only have an sdist, through the whole command and with the real uv."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
from typing import TYPE_CHECKING

import pytest

from differential.makers import python_project

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.target import Target


NATIVE = f"cp39-abi3-linux_{os.uname().machine}"


def publish(place: Path, name: str, *requires: str, native: bool = False) -> None:
    """Put an sdist with static metadata into ``links``; its backend imports what it requires."""
    source = python_project(place / f"source-{name}", name)
    require(source, *requires)
    if native:
        backend = source / "backend.py"
        backend.write_text(backend.read_text().replace("py3-none-any", NATIVE))
    (source / "PKG-INFO").write_text(f"Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\n")
    (place / "links").mkdir(exist_ok=True)
    with tarfile.open(place / f"links/{name}-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, f"{name}-1.0")


def require(source: Path, *requires: str) -> None:
    pyproject, backend = source / "pyproject.toml", source / "backend.py"
    pyproject.write_text(pyproject.read_text().replace("requires = []\n", f"requires = {list(requires)}\n"))
    backend.write_text("".join(f"import {each}\n" for each in requires) + backend.read_text())


def run(command: str, place: Path) -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "venvpkg", command, f"--cache={place}/cache", f"--wheelhouse={place}/wheelhouse")
    environ = {"PATH": os.environ["PATH"], "HOME": str(place), "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1"}
    environ["UV_FIND_LINKS"] = f"{place}/links"
    return subprocess.run(words, cwd=place / "app", env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def app(tmp_path: Path, target: Target) -> Path:
    del target  # without one, there is nothing to build for
    directory = python_project(tmp_path / "app", "app")
    require(directory, "outer")
    return directory


def test_they_are_compiled_once_with_their_own_and_pinned(tmp_path: Path, app: Path) -> None:
    publish(tmp_path, "inner", native=True)
    publish(tmp_path, "outer", "inner")

    first, plan, second = (run(command, tmp_path) for command in ("build", "plan", "build"))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    built = [line.split("built ")[1].split("-1.0")[0] for line in first.stderr.splitlines() if "built " in line]
    assert built == ["inner", "outer", "app"]
    assert "built before from the same inputs" in plan.stdout
    assert "building" not in second.stderr
    pins = tomllib.loads((app / "venvpkg.lock").read_text())["build"]
    files = {each["name"]: [file["name"] for file in each["files"]] for each in pins}
    assert files == {"app": ["outer-1.0.tar.gz"], "outer": ["inner-1.0.tar.gz"], "inner": []}


def test_another_requirement_of_a_requirement_compiles_all_above_it_again(tmp_path: Path, app: Path) -> None:
    publish(tmp_path, "inner")
    publish(tmp_path, "outer", "inner")
    run("build", tmp_path)
    (tmp_path / "source-inner/inner/__init__.py").write_text("changed = True\n")
    with tarfile.open(tmp_path / "links/inner-1.0.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "source-inner", "inner-1.0")
    (app / "venvpkg.lock").unlink()

    again = run("build", tmp_path)

    assert all(f"built {name}-1.0" in again.stderr for name in ("inner", "outer", "app"))


def test_a_loop_is_told_and_not_followed(tmp_path: Path, app: Path) -> None:
    del app
    publish(tmp_path, "inner", "outer")
    publish(tmp_path, "outer", "inner")

    done = run("build", tmp_path)

    assert done.returncode not in {0, 1}
    assert "outer 1.0 needs inner 1.0 needs outer 1.0" in done.stderr
    assert "UV_FIND_LINKS" in done.stderr
