"""``venvpkg target``: the existing build roots, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from unit.events import checked
from venvpkg.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = "debian-trixie-0123456789ab"


@pytest.fixture(name="cache")
def _cache(tmp_path: Path) -> Path:
    """A cache with a build root, and with the description of another one whose tarball is gone."""
    directory = tmp_path / "systems"
    (directory / "tarballs").mkdir(parents=True)
    (directory / "tarballs" / f"{IDENTITY}.tar.zst").write_bytes(b"x" * 1000)
    for suite, identity in (("trixie", IDENTITY), ("sid", "debian-sid-0123456789ab")):
        document = {
            "format": 1,
            "target": f"debian:{suite}",
            "id": identity,
            "recipe": "0" * 64,
            "made": 1_790_000_000,
            "size_bytes": 1000,
            "packages": [["libc6:amd64", "2.41-12"], ["python3", "3.13.5-1"]],
        }
        (directory / f"debian-{suite}.json").write_text(json.dumps(document))
    return tmp_path


def run(cache: Path, *arguments: str) -> int:
    return main(["target", *arguments, "--cache", str(cache)])


def test_the_list_is_a_json_result(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cache, "list", "--json") == 0

    (event,) = checked(capsys.readouterr().out)
    assert event["command"] == "target list"
    assert event["result"]["targets"] == [
        {
            "target": "debian:trixie",
            "id": IDENTITY,
            "recipe": "0" * 64,
            "made": "2026-09-21T14:13:20+00:00",
            "size_bytes": 1000,
            "package_count": 2,
        }
    ]


def test_the_list_of_an_empty_cache_is_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "list", "--json") == 0

    (event,) = checked(capsys.readouterr().out)
    assert event["result"] == {"targets": []}


def test_people_see_a_table(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cache, "list") == 0

    assert capsys.readouterr().out == (
        "TARGET         MADE          SIZE  PACKAGES\ndebian:trixie  2026-09-21  0.0 MB         2\n"
    )


def test_the_packages_of_a_build_root_are_shown(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cache, "show", "debian:trixie", "--json") == 0

    (event,) = checked(capsys.readouterr().out)
    (build_root,) = event["result"]["targets"]
    assert build_root["packages"] == {"libc6:amd64": "2.41-12", "python3": "3.13.5-1"}


def test_a_build_root_that_does_not_exist_is_a_usage_error(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cache, "show", "debian:sid") == 2

    assert "debian:sid does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("age", ["7", "1h30m", "-1d", "d"])
def test_an_age_is_a_number_with_one_unit(age: str, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cache, "create", "debian:trixie", f"--max-age={age}") == 2

    assert "is not a number followed by one of the units h, d, w, y" in capsys.readouterr().err
