"""The environment of a build is made by us, to the last variable."""

from __future__ import annotations

import pytest

from unit.wheelhouse.makers import TOOLCHAIN
from venvpkg.sources.build_system import BuildSystem
from venvpkg.wheelbuild.backend import backend_settings, build_variables


def test_the_release_flags_are_kept_and_paths_mapped() -> None:
    variables = build_variables("demo-1.0", 1_700_000_000, TOOLCHAIN, 4)

    assert variables["CFLAGS"].startswith("-O2 -ffile-prefix-map=/usr/src/venvpkg/src=/usr/src/demo-1.0 ")
    assert variables["LDFLAGS"] == "-Wl,-z,now"
    assert (variables["SOURCE_DATE_EPOCH"], variables["MAKEFLAGS"]) == ("1700000000", "-j4")


def test_nothing_in_a_build_may_download_rust_or_crates() -> None:
    variables = build_variables("demo-1.0", 0, TOOLCHAIN, 1)

    assert (variables["CARGO_NET_OFFLINE"], variables["MATURIN_NO_INSTALL_RUST"]) == ("true", "1")


def test_an_odd_version_puts_no_second_word_into_the_flags() -> None:
    variables = build_variables("demo-1!2.0 -x", 0, TOOLCHAIN, 1)

    assert "=/usr/src/demo-1_2.0_-x " in variables["CFLAGS"]


@pytest.mark.parametrize(
    ("backend", "settings"),
    [
        ("mesonpy", {"build-dir": "/usr/src/venvpkg/build"}),
        ("scikit_build_core.build", {"build-dir": "/usr/src/venvpkg/build"}),
        ("setuptools.build_meta:__legacy__", {}),
    ],
)
def test_backends_that_build_in_random_places_get_a_fixed_one(backend: str, settings: dict[str, str]) -> None:
    assert backend_settings(BuildSystem((), backend)) == settings
