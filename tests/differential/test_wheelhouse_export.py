"""Stock pip and uv install from an exported wheelhouse, and run what they installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.wheelhouse.makers import wheel_members, write_wheel
from venvpkg.host.tools import find_uv
from venvpkg.wheelbuild.export import export
from venvpkg.wheelhouse.entry import read_shelves
from venvpkg.wheelhouse.gc import collect
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvpkg.model.target import Target

VERSIONS = ("1.0", "1.1")


@pytest.fixture(name="python")
def _python(target: Target) -> Path:
    return Path(target.interpreter.path)


@pytest.fixture(name="house")
def _house(tmp_path: Path, target: Target) -> Path:
    """A wheelhouse with two native wheels, and a pure one that needs them."""
    house = Wheelhouse(tmp_path / "house", target.platform_tag, RecordingReporter())
    major, minor, _ = target.interpreter.version
    tag = f"cp{major}{minor}-cp{major}{minor}-{target.platform_tag}"
    for version in VERSIONS:
        members = wheel_members(version=version, tag=tag, demo__init__=b"")
        members["demo.py"] = f"X = {version!r}\n".encode()
        wheel = write_wheel(tmp_path / f"demo-{version}-{tag}.whl", members)
        house.publish(wheel, {"name": "demo", "version": version}, {})
    members = wheel_members(name="above", version="2.0")
    members["above-2.0.dist-info/METADATA"] += b"Requires-Dist: demo==1.0\n"
    house.publish(write_wheel(tmp_path / "above-2.0-py3-none-any.whl", members), {"name": "above"}, {})
    return tmp_path / "house"


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment in which neither tool knows another index."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}


def run(argv: list[str | Path], home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in argv], env=clean_environment(home), capture_output=True, text=True, check=False
    )


def with_pip(python: Path, environment: Path, url: str, requirement: str) -> subprocess.CompletedProcess[str]:
    made = run([python, "-m", "venv", environment], environment.parent)
    if made.returncode:
        pytest.skip(f"no venv with pip here: {made.stderr or made.stdout}")
    pip = environment / "bin/pip"
    return run([pip, "install", "--no-cache-dir", "--index-url", url, requirement], environment.parent)


def with_uv(python: Path, environment: Path, url: str, requirement: str) -> subprocess.CompletedProcess[str]:
    run([find_uv(), "venv", "--python", python, environment], environment.parent)
    command: list[str | Path] = [find_uv(), "pip", "install", "--no-cache", "--python", environment / "bin/python"]
    return run([*command, "--index-url", url, requirement], environment.parent)


@pytest.mark.parametrize("install", [with_pip, with_uv])
def test_stock_tools_install_a_wheel_and_what_it_needs(
    tmp_path: Path, house: Path, python: Path, install: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (index,) = export(read_shelves(house, RecordingReporter()), tmp_path / "out", RecordingReporter())

    done = install(python, tmp_path / "env", f"{index.as_uri()}/", "above")

    assert done.returncode == 0, done.stderr
    said = run([tmp_path / "env/bin/python", "-c", "import above, demo; print(demo.X)"], tmp_path)
    assert said.stdout == "1.0\n"


def test_pip_refuses_a_wheel_that_was_exchanged_in_the_index(tmp_path: Path, house: Path, python: Path) -> None:
    (index,) = export(read_shelves(house, RecordingReporter()), tmp_path / "out", RecordingReporter())
    wheel = next(index.glob("demo/demo-1.1-*.whl"))
    write_wheel(wheel, wheel_members(version="1.1", tag=wheel.stem.split("-", 2)[2], demo__init__=b"evil"))

    done = with_pip(python, tmp_path / "env", f"{index.as_uri()}/", "demo==1.1")

    assert done.returncode != 0
    assert "hash" in done.stderr.lower()


def test_the_pure_vendor_tag_alone_is_refused_so_the_export_must_add_one(
    tmp_path: Path, house: Path, python: Path
) -> None:
    vendor = next(each.wheel for each in read_shelves(house, RecordingReporter()) if each.name == "demo")

    done = run([find_uv(), "venv", "--python", python, tmp_path / "env"], tmp_path)
    assert done.returncode == 0, done.stderr
    refused = run(
        [find_uv(), "pip", "install", "--no-index", "--python", tmp_path / "env/bin/python", vendor], tmp_path
    )

    assert refused.returncode != 0
    assert "compatible" in refused.stderr


def test_a_second_export_lists_what_the_wheelhouse_has_now(tmp_path: Path, house: Path) -> None:
    reporter = RecordingReporter()
    export(read_shelves(house, reporter), tmp_path / "out", RecordingReporter())
    (tmp_path / "out/notes.txt").write_text("mine")
    gone = [each for each in read_shelves(house, reporter) if each.version == "1.0" or each.name == "above"]
    collect(house, gone)

    (index,) = export(read_shelves(house, reporter), tmp_path / "out", RecordingReporter())

    assert [each.name for each in sorted(index.iterdir())] == ["demo", "index.html", "index.json"]
    assert len(list(index.glob("demo/*.whl"))) == 1
    assert (tmp_path / "out/notes.txt").read_text() == "mine"


def test_two_exports_are_the_same_bytes(tmp_path: Path, house: Path) -> None:
    entries = read_shelves(house, RecordingReporter())
    first, second = (export(entries, tmp_path / name, RecordingReporter())[0] for name in ("one", "two"))

    def content(place: Path) -> dict[str, bytes]:
        return {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*") if file.is_file()}

    assert content(first) == content(second)


def test_graphviz_accepts_the_dot_graph() -> None:
    dot = shutil.which("dot")
    if dot is None:
        pytest.skip("no graphviz here")
    hostile = 'a"b\\N]->{x}<c>&;\\'
    code = (
        "from venvpkg.explain.formats import *; from venvpkg.model.depends import *; import sys\n"
        "e = Evidence(Source.SYMBOLS, sys.argv[1]); d = DependencySet((Dependency(sys.argv[1], (e,)),))\n"
        "print(render_dependencies(d, OutputFormat.DOT, sys.argv[1]), end='')"
    )
    text = subprocess.run([sys.executable, "-c", code, hostile], capture_output=True, text=True, check=True).stdout

    drawn = subprocess.run([dot, "-Tplain"], input=text, capture_output=True, text=True, check=False)

    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.count("node ") == 2
