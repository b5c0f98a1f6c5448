"""``venvpkg wheelhouse``: results on standard output, the rest on standard error, no removal without a rule."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.events import checked
from unit.fakes import RecordingReporter
from unit.wheelhouse.makers import wheel_members, write_wheel
from venvpkg.cli.main import main
from venvpkg.store.filecache import key_of
from venvpkg.wheelbuild.export import platforms_for_stock_tools
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.store.filecache import Json

TAG = "linux_x86_64_debian_12"
BUILD: dict[str, Json] = {"backend": "setuptools\x1b[31m", "requires": ["setuptools>=77"], "source_date_epoch": 1}


def inputs_of(version: str) -> dict[str, Json]:
    requirements = ["ab12 setuptools-84.0.0-py3-none-any.whl"]
    return {"name": "demo", "version": version, "requirements": requirements, "packages": {"gcc:amd64": "12.2.0"}}


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> str:
    house = Wheelhouse(tmp_path / "house", TAG, RecordingReporter())
    for version in ("1.0", "2.0"):
        members = wheel_members(version=version, tag=f"cp311-cp311-{TAG}")
        wheel = write_wheel(tmp_path / f"demo-{version}-cp311-cp311-{TAG}.whl", members)
        house.publish(wheel, inputs_of(version), BUILD)
    return str(tmp_path / "house")


def test_list_has_a_line_for_each_wheel(house: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wheelhouse", "list", "--wheelhouse", house]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "VERSION", "TAG", "SIZE", "BUILT", "USED", "KEY"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["demo", "1.0", f"cp311-cp311-{TAG}"],
        ["demo", "2.0", f"cp311-cp311-{TAG}"],
    ]


def test_an_empty_wheelhouse_is_listed_as_nothing_and_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["wheelhouse", "list", "--wheelhouse", str(tmp_path / "none")]) == 0

    assert capsys.readouterr().out == ""
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("what", ["demo==1.0", "Demo==1.0", key_of(inputs_of("1.0"))[:12]])
def test_show_prints_how_a_wheel_was_built(house: str, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wheelhouse", "show", what, "--wheelhouse", house]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("demo 1.0\n")
    assert "2.0" not in shown.splitlines()[0]
    for expected in ("setuptools>=77", "setuptools-84.0.0-py3-none-any.whl", "gcc:amd64 12.2.0", "setuptools?[31m"):
        assert expected in shown


def test_show_of_an_unknown_wheel_is_a_usage_error(house: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wheelhouse", "show", "lxml", "--wheelhouse", house]) == 2

    assert "'lxml'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "rule", [[], ["--unused-for", "90"], ["--unused-for", "-1d"], ["--max-size", "1X"], ["--keep", "-1"]]
)
def test_gc_without_a_valid_rule_removes_nothing(house: str, rule: list[str]) -> None:
    assert main(["wheelhouse", "gc", "--wheelhouse", house, *rule]) == 2

    assert main(["wheelhouse", "show", "demo", "--wheelhouse", house]) == 0


def test_gc_prints_what_it_would_remove_and_then_removes_it(house: str, capsys: pytest.CaptureFixture[str]) -> None:
    rule = ["wheelhouse", "gc", "--wheelhouse", house, "--max-size", "0K", "--keep", "1"]

    assert main([*rule, "--dry-run"]) == 0
    would = capsys.readouterr()
    assert main(rule) == 0
    did = capsys.readouterr()
    assert main(rule) == 0
    again = capsys.readouterr()

    assert (would.out, len(would.out.splitlines())) == (did.out, 1)
    assert "would remove 1 of 2" in would.err
    assert "removed 1 of 2" in did.err
    assert again.out == ""


def test_export_prints_the_directory_of_each_index(
    house: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["wheelhouse", "export", str(tmp_path / "out"), "--wheelhouse", house]) == 0

    assert capsys.readouterr().out == f"{tmp_path / 'out' / TAG}\n"
    assert sorted(each.name for each in (tmp_path / "out" / TAG / "demo").glob("*.whl")) == [
        f"demo-{version}-cp311-cp311-linux_x86_64.{TAG}.whl" for version in ("1.0", "2.0")
    ]


def test_an_export_leaves_out_what_is_damaged_and_says_so(
    house: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (damaged,) = Path(house).glob(f"{TAG}/*/*/demo-1.0-*.whl")
    damaged.write_bytes(damaged.read_bytes()[:-1])

    assert main(["wheelhouse", "export", str(tmp_path / "out"), "--wheelhouse", house]) == 0

    assert f"{damaged.parent} is damaged (its wheel does not have the sha256" in capsys.readouterr().err
    index = tmp_path / "out" / TAG / "demo"
    assert [each.name for each in index.glob("*.whl")] == [f"demo-2.0-cp311-cp311-linux_x86_64.{TAG}.whl"]
    assert "demo-1.0" not in (index / "index.html").read_text()
    assert "demo-2.0" in (index / "index.html").read_text()


def test_verify_prints_what_is_damaged_and_changes_nothing(house: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = Path(house).glob(f"{TAG}/*/*")
    assert main(["wheelhouse", "verify", "--wheelhouse", house]) == 0
    assert capsys.readouterr().out == ""

    next(first.glob("*.whl")).write_bytes(b"")
    (second / "provenance.json").write_text("{}")

    assert main(["wheelhouse", "verify", "--wheelhouse", house, "--json"]) == 8
    *_, result, error = checked(capsys.readouterr().out)
    assert result["result"]["examined"] == 2
    assert {each["path"] for each in result["result"]["damaged"]} == {str(first), str(second)}
    assert error["exit_code"] == 8
    assert first.is_dir()
    assert second.is_dir()


@pytest.mark.parametrize("command", [["list"], ["gc", "--keep", "0"], ["verify"], ["show", "demo"]])
def test_a_wheelhouse_that_cannot_be_read_is_not_an_empty_one(
    house: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forbid(monkeypatch, Path(house))

    assert main(["wheelhouse", *command, "--wheelhouse", house]) == 16

    assert f"{house} cannot be used: Permission denied." in capsys.readouterr().err


def forbid(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Let nobody list a directory, not even root."""
    iterdir = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path == directory:
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)


def test_gc_removes_what_was_set_aside_long_ago(house: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("old", "new"):
        (Path(house) / "damaged" / name).mkdir(parents=True)
    os.utime(Path(house) / "damaged" / "old", (1, 1))

    assert main(["wheelhouse", "gc", "--keep", "2", "--wheelhouse", house, "--dry-run"]) == 0
    assert "would remove 1 damaged" in capsys.readouterr().err
    assert main(["wheelhouse", "gc", "--keep", "2", "--wheelhouse", house]) == 0

    assert [each.name for each in (Path(house) / "damaged").iterdir()] == ["new"]


def test_an_export_to_where_nothing_can_be_written_is_an_error_of_ours(house: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert main(["wheelhouse", "export", str(tmp_path / "file/out"), "--wheelhouse", house]) == 13


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (TAG, f"linux_x86_64.{TAG}"),
        ("linux_aarch64_ubuntu_24_04", "linux_aarch64.linux_aarch64_ubuntu_24_04"),
        ("linux_ppc64le_rhel_9", "linux_ppc64le.linux_ppc64le_rhel_9"),
        ("any", None),
        ("linux_x86_64", None),
    ],
)
def test_a_vendor_tag_is_exported_with_the_tag_that_stock_tools_know(platform: str, expected: str | None) -> None:
    assert platforms_for_stock_tools(platform) == expected
