"""``venvpkg target``: what is there, for people and for programs."""

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
    """One with a system in it, and with the description of another whose tarball is gone."""
    systems = tmp_path / "systems"
    (systems / "tarballs").mkdir(parents=True)
    (systems / "tarballs" / f"{IDENTITY}.tar.zst").write_bytes(b"x" * 1000)
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
        (systems / f"debian-{suite}.json").write_text(json.dumps(document))
    return tmp_path


def run(cache: Path, *arguments: str) -> int:
    return main(["target", *arguments, "--cache", str(cache)])


def test_the_list_is_told_to_programs(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_the_packages_of_a_system_are_told(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cache, "show", "debian:trixie", "--json") == 0

    (event,) = checked(capsys.readouterr().out)
    (system,) = event["result"]["targets"]
    assert system["packages"] == {"libc6:amd64": "2.41-12", "python3": "3.13.5-1"}


def test_a_system_that_is_not_there_is_no_traceback(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cache, "show", "debian:sid") == 2

    assert "debian:sid was not made yet" in capsys.readouterr().err


@pytest.mark.parametrize("age", ["7", "1h30m", "-1d", "d"])
def test_an_age_is_a_number_with_one_unit(age: str, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cache, "create", "debian:trixie", f"--max-age={age}") == 2

    assert "is no number with one of the units h, d, w, y" in capsys.readouterr().err
