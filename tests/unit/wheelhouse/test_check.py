"""A wheel is taken when it is what it says; else everything that is wrong is named."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from unit.wheelhouse.makers import record_of, wheel_members, write_wheel
from venvpkg.errors import WheelError
from venvpkg.host import archive as limits
from venvpkg.wheelhouse.check import check_wheel

if TYPE_CHECKING:
    from pathlib import Path

NAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"


def refusal(path: Path, *, contents: bool = True) -> str:
    with pytest.raises(WheelError) as caught:
        check_wheel(path, contents=contents)
    return str(caught.value)


def test_a_correct_wheel_tells_what_it_is(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME)

    facts = check_wheel(wheel)

    assert (facts.name, str(facts.version), facts.dist_info, facts.elf) == ("demo", "1.0", INFO, ())


def test_elf_files_are_found_by_content_not_by_name(tmp_path: Path) -> None:
    members = wheel_members(demo__tool=b"\x7fELF and more", demo__not_elf_so=b"text")

    facts = check_wheel(write_wheel(tmp_path / NAME, members))

    assert facts.elf == ("demo/tool",)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../evil.py", "leaves the tree"),
        ("demo/../../evil.py", "leaves the tree"),
        ("/etc/evil", "is an absolute path"),
        ("demo\\evil.py", "backslash"),
        ("demo/evil\x07.py", "control characters"),
        ("demo//evil.py", "not a normalized path"),
        ("a" * 1100, "too long"),
    ],
)
@pytest.mark.parametrize("contents", [True, False])
def test_a_member_outside_the_tree_is_named(tmp_path: Path, name: str, problem: str, contents: bool) -> None:
    wheel = write_wheel(tmp_path / NAME, {**wheel_members(), name: b""})

    assert problem in refusal(wheel, contents=contents)


def test_a_name_cut_short_by_a_zero_byte_is_named(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME, {**wheel_members(), "demo_X.py": b""})
    wheel.write_bytes(wheel.read_bytes().replace(b"demo_X.py", b"demo\0X.py"))

    assert "control characters" in refusal(wheel)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_named(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("demo.py", b"other")

    assert "'demo.py' occurs twice" in refusal(wheel)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME, mode=0o120777)

    assert "neither a file nor a directory" in refusal(wheel)


def test_a_file_below_a_file_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME, {**wheel_members(), "demo.py/x": b""})

    assert "is below a file" in refusal(wheel)


def test_contents_that_differ_from_record_are_named(tmp_path: Path) -> None:
    members = wheel_members()
    record = record_of({**members, "demo.py": b"X = 2\n"}, INFO)

    assert "'demo.py' does not match the hash in its RECORD" in refusal(
        write_wheel(tmp_path / NAME, members, record=record)
    )


def test_without_contents_only_sizes_are_compared(tmp_path: Path) -> None:
    members = wheel_members()
    record = record_of({**members, "demo.py": b"X = 2\n"}, INFO)

    assert check_wheel(write_wheel(tmp_path / NAME, members, record=record), contents=False).name == "demo"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"", "'demo.py' is not in its RECORD"),
        (b"demo.py,,\n", "no sha256"),
        (b"demo.py,md5=abc,6\n", "no sha256"),
        (b"demo.py,sha256=abc,7\n", "does not have the size"),
        (b"demo.py\n", "has the line"),
        (b"demo.py,sha256=a,6\ndemo.py,sha256=a,6\n", "'demo.py' twice"),
    ],
)
def test_a_wrong_line_of_record_is_named(tmp_path: Path, line: bytes, problem: str) -> None:
    members = wheel_members()
    others = {name: content for name, content in members.items() if name != "demo.py"}

    wheel = write_wheel(tmp_path / NAME, members, record=line + record_of(others, INFO))

    assert problem in refusal(wheel)


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL"])
def test_missing_metadata_is_named(tmp_path: Path, missing: str) -> None:
    members = wheel_members()
    del members[f"{INFO}/{missing}"]

    assert f"it has no {missing}" in refusal(write_wheel(tmp_path / NAME, members))


def test_two_dist_info_directories_are_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME, {**wheel_members(), "other-1.0.dist-info/METADATA": b""})

    assert "2 .dist-info directories" in refusal(wheel)


@pytest.mark.parametrize("name", ["other-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"])
def test_a_wheel_under_another_name_is_refused(tmp_path: Path, name: str) -> None:
    assert "belongs to another distribution" in refusal(write_wheel(tmp_path / name))


def test_a_name_that_is_no_wheels_is_refused(tmp_path: Path) -> None:
    assert "not valid for a wheel" in refusal(write_wheel(tmp_path / "demo.whl"))


def test_another_wheel_version_is_refused(tmp_path: Path) -> None:
    members = wheel_members() | {f"{INFO}/WHEEL": b"Wheel-Version: 2.0\n"}

    assert "not of version 1" in refusal(write_wheel(tmp_path / NAME, members))


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + b"\0" * 18])
def test_a_file_that_is_no_wheel_is_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(content)

    assert f"the wheel {NAME} is not valid" in refusal(wheel)


def test_a_damaged_member_is_an_error_of_ours(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME, wheel_members(demo__data=bytes(range(256)) * 64))
    damaged = bytearray(wheel.read_bytes())
    damaged[60:80] = b"\xff" * 20
    wheel.write_bytes(bytes(damaged))

    assert "it is damaged" in refusal(wheel)


def test_a_bomb_is_refused_by_its_declared_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DISTRIBUTION", replace(limits.DISTRIBUTION, ratio_counts_above_bytes=1 << 20))
    wheel = write_wheel(tmp_path / NAME, wheel_members(demo__zeros=bytes(4 << 20)))

    assert "times its size" in refusal(wheel, contents=False)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / NAME, {**wheel_members(), "../a": b"", "/b": b""})

    told = refusal(wheel)

    assert "'../a'" in told
    assert "'/b'" in told
