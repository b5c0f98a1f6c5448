"""Where two packages differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unit.debs import CONTROL, DpkgDeb, archive
from venvpkg.families.deb.read import differences

if TYPE_CHECKING:
    from pathlib import Path


def compared(tmp_path: Path, one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> tuple[str, ...]:
    for name in ("one.deb", "other.deb"):
        (tmp_path / name).touch()
    found = differences(tmp_path / "one.deb", tmp_path / "other.deb", DpkgDeb({"one.deb": one, "other.deb": other}))
    return tuple(line.replace(f"{tmp_path}/", "") for line in found)


def test_equal_members_differ_in_nothing(tmp_path: Path) -> None:
    package = archive({"control": CONTROL}), archive({"usr/a": b"1"})

    assert compared(tmp_path, package, package) == ()


def test_every_member_that_differs_is_named_with_what_differs(tmp_path: Path) -> None:
    one = archive({"control": CONTROL}), archive({"usr/a": b"1", "usr/b": b"1", "usr/gone": b""}, {"usr/l": "a"})
    other = archive({"control": CONTROL + b"X: y\n"}), archive({"usr/a": b"2", "usr/b": b"1"}, {"usr/l": "b"})

    assert compared(tmp_path, one, other) == (
        "control: ./control: size, content",
        "data: ./usr/a: content",
        "data: ./usr/gone: only in one.deb",
        "data: ./usr/l: link",
    )


def test_a_mode_is_a_difference(tmp_path: Path) -> None:
    control = archive({"control": CONTROL})

    found = compared(tmp_path, (control, archive({"a": b""})), (control, archive({"a": b""}, mode=0o755)))

    assert found == ("data: ./a: mode",)
