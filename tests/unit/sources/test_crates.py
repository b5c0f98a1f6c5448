"""A Rust source tells by its Cargo.lock and its vendored directory whether it can be built without a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from venvpkg.sources.build_system import BuildSystem
from venvpkg.sources.crates import missing_crates

if TYPE_CHECKING:
    from pathlib import Path

MATURIN = BuildSystem(("maturin>=1.9,<2.0",), "maturin")
REGISTRY = "registry+https://crates.example/index"
LOCK = f"""version = 4
[[package]]
name = "demo"
version = "1.0.0"
[[package]]
name = "pyo3"
version = "0.28.2"
source = "{REGISTRY}"
[[package]]
name = "heck"
version = "0.5.0"
source = "git+https://git.example/heck"
"""
VENDORED = """[source.crates-io]
replace-with = "vendored-sources"
[source.vendored-sources]
directory = "include/cargo"
"""


def source(directory: Path, **files: str) -> Path:
    """Write files; ``__`` in a key stands for a slash, ``_dot_`` for a dot."""
    for key, text in files.items():
        path = directory / key.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def test_crates_of_a_registry_or_of_git_that_are_not_in_the_sdist_are_absent(tmp_path: Path) -> None:
    assert missing_crates(source(tmp_path, Cargo_dot_lock=LOCK), MATURIN) == ("heck 0.5.0", "pyo3 0.28.2")


def test_vendored_crates_are_not_absent_whatever_their_directories_are_called(tmp_path: Path) -> None:
    tree = source(
        tmp_path,
        Cargo_dot_lock=LOCK,
        _dot_cargo__config_dot_toml=VENDORED,
        include__cargo__heck__Cargo_dot_toml="",
    )
    pyo3 = tree / "include/cargo/pyo3-0.28.2"
    pyo3.mkdir()
    (pyo3 / "Cargo.toml").write_text("")
    (pyo3 / "Cargo.lock").write_text(LOCK.replace("heck", "only-for-its-own-tests"))

    assert missing_crates(tree, MATURIN) == ()


def test_a_vendored_directory_that_lacks_one_crate_is_told_by_its_name(tmp_path: Path) -> None:
    tree = source(
        tmp_path,
        Cargo_dot_lock=LOCK,
        _dot_cargo__config_dot_toml=VENDORED,
        include__cargo__heck__Cargo_dot_toml="",
    )

    assert missing_crates(tree, MATURIN) == ("pyo3 0.28.2",)


def test_a_directory_of_crates_outside_the_sdist_does_not_count(tmp_path: Path) -> None:
    outside = tmp_path / "outside/pyo3"
    outside.mkdir(parents=True)
    (outside / "Cargo.toml").write_text("")
    elsewhere = VENDORED.replace("include/cargo", "../outside")
    tree = source(tmp_path / "sdist", Cargo_dot_lock=LOCK, _dot_cargo__config_dot_toml=elsewhere)

    assert "pyo3 0.28.2" in missing_crates(tree, MATURIN)


def test_the_lock_may_be_below_the_root_as_setuptools_rust_has_it(tmp_path: Path) -> None:
    system = BuildSystem(("Setuptools_Rust>=1.7.0", "setuptools"), "setuptools.build_meta")
    tree = source(tmp_path, src___demo__Cargo_dot_lock=LOCK)

    assert missing_crates(tree, system) == ("heck 0.5.0", "pyo3 0.28.2")


def test_without_a_lock_the_manifest_tells_which_crates_are_wanted(tmp_path: Path) -> None:
    manifest = """[dependencies]
pyo3 = { version = "0.28", features = ["abi3"] }
heck = "0.5"
own = { path = "own" }
shared = { workspace = true }
"""

    assert missing_crates(source(tmp_path, Cargo_dot_toml=manifest), MATURIN) == ("heck 0.5", "pyo3 0.28")


def test_a_source_that_does_not_run_cargo_needs_no_crates(tmp_path: Path) -> None:
    system = BuildSystem(("setuptools",), "setuptools.build_meta")

    assert missing_crates(source(tmp_path, rust__Cargo_dot_lock=LOCK), system) == ()


@pytest.mark.parametrize(
    "text", ["package = 3", "[[package]]\nname = 3\n", "[", "[package]\nname = 'x'", "package = [1, [], {}]"]
)
def test_what_cannot_be_read_is_left_for_the_compile_to_tell(tmp_path: Path, text: str) -> None:
    tree = source(tmp_path, Cargo_dot_lock=text, _dot_cargo__config="source = { x = { directory = 3 } }\n")

    assert missing_crates(tree, MATURIN) == ()
