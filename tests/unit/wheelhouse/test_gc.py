"""What may go from a wheelhouse goes, what is in use or wanted stays."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.wheelhouse.makers import wheel_members, write_wheel
from venvpkg.errors import MachineError
from venvpkg.store.filecache import key_of
from venvpkg.wheelhouse.entry import Entry, read_shelves
from venvpkg.wheelhouse.gc import GcRules, collect, select_removable
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvpkg.store.filecache import Json

TAG = "linux_x86_64_debian_12"
NOW = 1_000_000.0


def entry(name: str, version: str = "1", *, built: float = 0, used: float | None = None, size: int = 10) -> Entry:
    tag = f"cp311-cp311-{TAG}"
    directory = Path(f"/house/{TAG}/ab/{name}{version}{built}")
    last = built if used is None else used
    return Entry(directory, TAG, f"{name}-{version}-{tag}.whl", name, version, tag, "", size, built, last, {}, {})


def names(entries: Sequence[Entry]) -> list[str]:
    return [f"{each.name} {each.version}" for each in entries]


def test_without_a_rule_nothing_may_go() -> None:
    assert select_removable([entry("a")], GcRules(), NOW) == ()


def test_keep_alone_leaves_the_newest_of_each_distribution_and_tag() -> None:
    house = [entry("a", "1", built=1), entry("a", "2", built=2), entry("a", "3", built=3), entry("b", built=1)]
    other = replace(entry("a", "0", built=0), tag="cp313-cp313-linux_x86_64_debian_13", shelf="linux_x86_64_debian_13")

    assert names(select_removable([*house, other], GcRules(keep=2), NOW)) == ["a 1"]


def test_age_counts_from_the_last_use() -> None:
    house = [entry("old", built=NOW - 100), entry("used", built=NOW - 100, used=NOW - 5), entry("new", built=NOW)]

    assert names(select_removable(house, GcRules(unused_s=50), NOW)) == ["old 1"]


def test_size_lets_go_of_the_longest_unused_until_the_rest_fits() -> None:
    house = [entry("a", used=3, size=50), entry("b", used=1, size=30), entry("c", used=2, size=40)]

    assert names(select_removable(house, GcRules(most_bytes=60), NOW)) == ["b 1", "c 1"]
    assert select_removable(house, GcRules(most_bytes=120), NOW) == ()


def test_keep_protects_from_the_other_rules() -> None:
    house = [entry("a", "1", built=1), entry("a", "2", built=2), entry("b", built=1)]

    assert names(select_removable(house, GcRules(unused_s=1, most_bytes=0, keep=1), NOW)) == ["a 1"]


def fill(tmp_path: Path, *versions: str) -> Wheelhouse:
    house = Wheelhouse(tmp_path / "house", TAG, RecordingReporter())
    for version in versions:
        wheel = write_wheel(
            tmp_path / f"demo-{version}-cp311-cp311-{TAG}.whl", wheel_members(version=version, tag=f"cp311-cp311-{TAG}")
        )
        house.publish(wheel, inputs_of(version), {"backend": "x"})
    return house


def inputs_of(version: str) -> dict[str, Json]:
    return {"name": "demo", "version": version}


def entries(tmp_path: Path) -> tuple[Entry, ...]:
    return read_shelves(tmp_path / "house", RecordingReporter())


def test_what_is_removed_is_gone_and_nothing_else_is(tmp_path: Path) -> None:
    fill(tmp_path, "1.0", "2.0")
    first, second = entries(tmp_path)

    done = collect(tmp_path / "house", [first])

    assert (done.removed, done.in_use) == ((first,), ())
    assert entries(tmp_path) == (second,)
    assert list((tmp_path / "house/.tmp").iterdir()) == []


def test_what_a_build_took_stays_until_the_build_is_done(tmp_path: Path) -> None:
    fill(tmp_path, "1.0")
    build = Wheelhouse(tmp_path / "house", TAG, RecordingReporter())
    taken = build.take(key_of(inputs_of("1.0")))
    (only,) = entries(tmp_path)

    during = collect(tmp_path / "house", [only])
    assert taken is not None
    assert (during.removed, during.in_use) == ((), (only,))
    assert taken.path.is_file()

    del build
    assert collect(tmp_path / "house", [only]).removed == (only,)


def test_what_was_just_published_is_in_use(tmp_path: Path) -> None:
    house = fill(tmp_path, "1.0")

    done = collect(tmp_path / "house", entries(tmp_path))

    assert len(done.in_use) == 1
    assert house.find(key_of(inputs_of("1.0"))) is not None


def test_taking_a_wheel_is_a_use_and_looking_is_none(tmp_path: Path) -> None:
    fill(tmp_path, "1.0")
    (before,) = entries(tmp_path)
    for file in before.directory.iterdir():
        os.utime(file, (1, 1))
    house = Wheelhouse(tmp_path / "house", TAG, RecordingReporter())

    house.find(before.key)
    looked = entries(tmp_path)[0].used
    house.take(before.key)

    assert looked == 1
    assert entries(tmp_path)[0].used > 1
    assert entries(tmp_path)[0].built == 1


def test_an_entry_that_is_no_entry_is_reported_and_never_removed(tmp_path: Path) -> None:
    fill(tmp_path, "1.0")
    (only,) = entries(tmp_path)
    (only.directory / "provenance.json").write_text("{}")
    reporter = RecordingReporter()

    assert read_shelves(tmp_path / "house", reporter) == ()
    assert len(reporter.warnings) == 1


@pytest.mark.parametrize("name", ["damaged", ".tmp", "Upper"])
def test_only_shelves_are_read(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "1.0")
    (tmp_path / "house" / TAG).rename(tmp_path / "house" / name) if name != ".tmp" else None

    assert len(entries(tmp_path)) == (1 if name == ".tmp" else 0)


def test_a_wheel_of_an_accepted_shelf_is_found_by_its_source(tmp_path: Path) -> None:
    inputs: dict[str, Json] = {"recipe": 1, "name": "demo", "version": "1.0", "source": "s", "ext_suffix": "e"}
    wheel = write_wheel(tmp_path / f"demo-1.0-cp311-cp311-{TAG}.whl")
    Wheelhouse(tmp_path / "house", TAG, RecordingReporter()).publish(wheel, {**inputs, "platform_tag": TAG}, {})
    ubuntu = Wheelhouse(tmp_path / "house", "linux_x86_64_ubuntu_22_04", RecordingReporter(), [TAG])

    found = ubuntu.find_like({**inputs, "platform_tag": "linux_x86_64_ubuntu_22_04"})

    assert found is not None
    assert (found.shelf, ubuntu.take(found.key) is not None) == (TAG, True)
    assert ubuntu.find_like({**inputs, "source": "other"}) is None
    assert ubuntu.find_like({**inputs, "ext_suffix": ".cpython-313"}) is None
    stranger = Wheelhouse(tmp_path / "house", "linux_x86_64_ubuntu_22_04", RecordingReporter())
    assert stranger.find_like(inputs) is None
    assert stranger.find(found.key) is None


def test_an_entry_that_cannot_be_renamed_is_removed_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "1.0", "2.0")
    first, second = entries(tmp_path)

    def refuse(path: Path, target: Path) -> Path:
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(path), None, str(target))

    monkeypatch.setattr(Path, "rename", refuse)

    assert collect(tmp_path / "house", [first]).removed == (first,)
    assert entries(tmp_path) == (second,)


def test_a_read_only_wheelhouse_is_told_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "1.0")
    (only,) = entries(tmp_path)
    opened = os.open

    def refuse(path: str, flags: int, *more: int, **named: int) -> int:
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, "Read-only file system", path)
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(Path, "open", lambda path, _: refuse(str(path), os.O_RDWR))

    with pytest.raises(MachineError, match="Read-only file system"):
        collect(tmp_path / "house", [only])
