"""targets.toml has the user's settings of build roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from venvpkg.config.build_roots import read_build_root_settings
from venvpkg.errors import ConfigurationError
from venvpkg.model.build_root import BuildRootSettings, Repository

if TYPE_CHECKING:
    from pathlib import Path


def settings_of(text: str, directory: Path, name: str = "debian:trixie") -> BuildRootSettings:
    path = directory / "targets.toml"
    path.write_text(text)
    return read_build_root_settings({"VENVPKG_TARGETS": str(path)})(name)


def test_a_system_has_the_keys_of_its_own_table(tmp_path: Path) -> None:
    found = settings_of(
        '["debian:trixie"]\nsources = ["deb URL trixie main"]\nsnapshot = "2026"\n["debian:sid"]\npackages = ["x"]\n',
        tmp_path,
    )

    assert found == BuildRootSettings(sources=("deb URL trixie main",), snapshot="2026")


def test_a_repository_has_a_name_a_url_and_keys(tmp_path: Path) -> None:
    found = settings_of('[["el:9".repositories]]\nname = "base"\nurl = "file:///srv"\nkeys = ["k"]\n', tmp_path, "el:9")

    assert found.repositories == (Repository("base", "file:///srv", ("k",)),)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(
            '"fedora:43" = 1\n["debian:trixie"]\nmirror = "x"\nsources = "deb"\noptions = ["a\\nb"]\n'
            '[["el:9".repositories]]\nname = "a]b"\nurl = "file:///srv"\n',
            tmp_path,
        )

    assert [each.partition(": ")[0] for each in caught.value.problems] == [
        "fedora:43",
        "debian:trixie.mirror",
        "debian:trixie.sources",
        "debian:trixie.options",
        "el:9.repositories[0].name",
    ]


@pytest.mark.parametrize("text", ["[", "\udcff"])
def test_what_is_no_toml_is_a_problem_of_the_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "targets.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ConfigurationError, match=r"targets\.toml"):
        read_build_root_settings({"VENVPKG_TARGETS": str(path)})("debian:trixie")


@pytest.mark.parametrize("name", ["debain:trixie", "debian", "root:/x", "debian:trixie/arm64/x"])
def test_a_table_for_no_known_kind_of_build_root_is_a_problem(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(f'["{name}"]\nsnapshot = "2026"\n', tmp_path)

    assert caught.value.problems == (f"{name}: not a valid build root; expected e.g. debian:trixie or el:9",)


def test_without_a_file_nothing_is_said_but_a_named_one_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="VENVPKG_TARGETS points to it"):
        read_build_root_settings({"VENVPKG_TARGETS": str(tmp_path / "none")})("debian:trixie")
