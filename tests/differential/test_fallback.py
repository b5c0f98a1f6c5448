"""A Rust source without its crates, through the whole command: nothing is compiled, and everyone is told."""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING

import pytest

from unit.wheelhouse.makers import wheel_members, write_sdist, write_wheel
from venvpkg.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.target import Target

CARGO_LOCK = b'[[package]]\nname = "pyo3"\nversion = "0.28.2"\nsource = "registry+https://crates.example/index"\n'
RUST = b'[build-system]\nrequires = ["maturin>=1"]\nbuild-backend = "maturin"\n'
WHY = "one of its Rust crates is not in the sdist (pyo3), and there is no Cargo.toml next to its Cargo.lock"


@pytest.fixture
def place(tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with a lock of another program, which names an sdist and a wheel beside it."""
    python = "cp" + target.interpreter.minor.replace(".", "")
    tag = f"{python}-{python}-manylinux_2_17_{target.machine}"
    wheel = write_wheel(tmp_path / f"demo-1.0-{tag}.whl", wheel_members(tag=tag))
    sdist = write_sdist(
        tmp_path / "demo-1.0.tar.gz", {"demo-1.0/pyproject.toml": RUST, "demo-1.0/Cargo.lock": CARGO_LOCK}
    )
    (tmp_path / "pylock.demo.toml").write_text(f"""lock-version = "1.0"
created-by = "somebody else"
[[packages]]
name = "demo"
version = "1.0"
sdist = {{ path = "{sdist.name}", hashes = {{ sha256 = "{sha256(sdist)}" }} }}
wheels = [{{ path = "{wheel.name}", hashes = {{ sha256 = "{sha256(wheel)}" }} }}]
""")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def venvpkg(command: str) -> int:
    return main([command, "demo==1.0", "--maintainer", "A B <a@example.org>", "--cache=cache", "--wheelhouse=house"])


def test_the_publishers_wheel_stands_in_with_a_warning_and_a_record_of_the_cause(
    place: Path, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert venvpkg("build") == 0

    assert f"warning: demo 1.0: {WHY}, so the publisher's wheel" in " ".join(capsys.readouterr().err.split())
    (entry,) = tomllib.loads((place / "venvpkg.demo.lock").read_text())["fallback"]
    assert (entry["name"], entry["cause"], entry["detail"]) == ("demo", "no-crate-source", WHY)
    assert entry["source"] == sha256(place / "demo-1.0.tar.gz")
    assert entry["target"].startswith(target.name)


def test_plan_reads_the_cause_from_the_record_and_changes_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    venvpkg("build")
    record = (place / "venvpkg.demo.lock").read_bytes()
    capsys.readouterr()

    assert venvpkg("plan") == 0

    assert f"binary  demo 1.0  {WHY}, so the publisher's wheel" in capsys.readouterr().out
    assert (place / "venvpkg.demo.lock").read_bytes() == record
