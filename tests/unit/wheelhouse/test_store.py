"""The wheelhouse keeps a wheel whole or not at all, and gives back only what it kept."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.wheelhouse.makers import write_wheel
from venvpkg.errors import MachineError
from venvpkg.model.wheels import Action
from venvpkg.store.filecache import Json, key_of
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "demo-1.0-cp311-cp311-linux_x86_64_debian_12.whl"
INPUTS: dict[str, Json] = {"name": "demo", "packages": {"gcc": "12"}}
KEY = key_of(INPUTS)


@pytest.fixture(name="reporter")
def _reporter() -> RecordingReporter:
    return RecordingReporter()


@pytest.fixture(name="house")
def _house(tmp_path: Path, reporter: RecordingReporter) -> Wheelhouse:
    return Wheelhouse(tmp_path / "wheelhouse", "linux_x86_64_debian_12", reporter)


@pytest.fixture(name="wheel")
def _wheel(tmp_path: Path) -> Path:
    return write_wheel(tmp_path / NAME)


def entry(tmp_path: Path) -> Path:
    return tmp_path / "wheelhouse/linux_x86_64_debian_12" / KEY[:2] / KEY


def test_what_was_published_is_found(tmp_path: Path, house: Wheelhouse, wheel: Path) -> None:
    published = house.publish(wheel, INPUTS, {"backend": "x"})
    found = house.find(KEY)

    assert found is not None
    assert (found.name, found.version, found.origin, found.path) == ("demo", "1.0", Action.REUSE, published.path)
    assert found.path == entry(tmp_path) / NAME
    assert published.origin is Action.COMPILE


def test_the_provenance_names_no_path_of_the_machine(tmp_path: Path, house: Wheelhouse, wheel: Path) -> None:
    house.publish(wheel, INPUTS, {"backend": "x"})

    provenance = (entry(tmp_path) / "provenance.json").read_text()

    assert str(tmp_path) not in provenance
    assert json.loads(provenance)["inputs"] == INPUTS


def test_nothing_is_found_and_nothing_made_in_an_empty_wheelhouse(tmp_path: Path, house: Wheelhouse) -> None:
    assert house.find(KEY) is None
    assert not (tmp_path / "wheelhouse").exists()


def change_a_byte(path: Path) -> None:
    content = bytearray((path / NAME).read_bytes())
    content[10] ^= 1
    (path / NAME).write_bytes(bytes(content))


def change_inputs(path: Path) -> None:
    text = (path / "provenance.json").read_text()
    (path / "provenance.json").write_text(text.replace('"12"', '"13"'))


@pytest.mark.parametrize(
    "damage",
    [
        change_a_byte,
        change_inputs,
        lambda path: (path / NAME).unlink(),
        lambda path: (path / "provenance.json").unlink(),
        lambda path: (path / "provenance.json").write_text("{"),
        lambda path: (path / "provenance.json").write_text("[]"),
        lambda path: (path / "provenance.json").write_bytes(b"\xff"),
        lambda path: (path / "provenance.json").write_text("[" * 100_000),
    ],
)
def test_a_damaged_entry_is_set_aside_reported_and_can_be_published_again(
    tmp_path: Path, house: Wheelhouse, wheel: Path, reporter: RecordingReporter, damage: Callable[[Path], object]
) -> None:
    house.publish(wheel, INPUTS, {})
    damage(entry(tmp_path))

    found = house.find(KEY)

    assert found is None
    assert len(reporter.warnings) == 1
    assert len(list((tmp_path / "wheelhouse/damaged").iterdir())) == 1
    assert house.publish(wheel, INPUTS, {}).path.is_file()


def test_debug_information_is_kept_beside_the_wheel_for_who_reuses_it(
    tmp_path: Path, house: Wheelhouse, wheel: Path
) -> None:
    debug = tmp_path / "demo.debug.zip"
    debug.write_bytes(b"archive")
    house.publish(wheel, INPUTS, {}, debug)

    found = house.take(KEY)

    assert found is not None
    assert found.debug is not None
    assert found.debug.read_bytes() == b"archive"


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"other"), lambda path: path.unlink()])
def test_an_entry_whose_debug_information_is_damaged_is_set_aside(
    tmp_path: Path, house: Wheelhouse, wheel: Path, reporter: RecordingReporter, damage: Callable[[Path], object]
) -> None:
    debug = tmp_path / "demo.debug.zip"
    debug.write_bytes(b"archive")
    house.publish(wheel, INPUTS, {}, debug)
    damage(entry(tmp_path) / debug.name)

    assert house.find(KEY) is None
    assert len(reporter.warnings) == 1


def test_an_entry_under_another_key_is_not_taken(tmp_path: Path, house: Wheelhouse, wheel: Path) -> None:
    house.publish(wheel, INPUTS, {})
    other = "f" * 64
    place = entry(tmp_path).parent.parent / "ff" / other
    place.parent.mkdir(exist_ok=True)
    entry(tmp_path).rename(place)

    assert house.find(other) is None


def test_the_first_of_two_builders_wins(tmp_path: Path, house: Wheelhouse, wheel: Path) -> None:
    first = house.publish(wheel, INPUTS, {})
    other = write_wheel(tmp_path / "other" / NAME, mode=0o100755)

    second = house.publish(other, INPUTS, {})

    assert (second.path, second.sha256) == (first.path, first.sha256)


def test_many_builders_at_once_leave_one_whole_entry(tmp_path: Path, house: Wheelhouse, wheel: Path) -> None:
    threads = [threading.Thread(target=house.publish, args=(wheel, INPUTS, {})) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert house.find(KEY) is not None
    assert list((tmp_path / "wheelhouse/.tmp").iterdir()) == []


def test_what_a_killed_run_left_is_swept(tmp_path: Path, house: Wheelhouse) -> None:
    left = tmp_path / "wheelhouse/.tmp/abc"
    left.mkdir(parents=True)
    (left / NAME).write_bytes(b"half")

    house.sweep()

    assert not left.exists()


def test_nobodys_unfinished_entry_is_swept_while_he_writes(
    tmp_path: Path, house: Wheelhouse, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def sweep_meanwhile(_: Wheelhouse, fresh: Path, key: str) -> None:
        Wheelhouse(tmp_path / "wheelhouse", "x", RecordingReporter()).sweep()
        seen.append(len(list(fresh.iterdir())))
        raise OSError(5, key)

    monkeypatch.setattr(Wheelhouse, "_publish", sweep_meanwhile)
    with pytest.raises(MachineError):
        house.publish(wheel, INPUTS, {})

    assert seen == [2]


def test_a_wheelhouse_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path, wheel: Path) -> None:
    (tmp_path / "file").touch()

    unwritable = Wheelhouse(tmp_path / "file/wheelhouse", "x", RecordingReporter())
    with pytest.raises(MachineError, match="wheelhouse cannot be used"):
        unwritable.publish(wheel, INPUTS, {})
    with pytest.raises(MachineError, match="wheelhouse cannot be used"):
        unwritable.require_writable()


def test_to_see_whether_it_can_be_written_leaves_nothing_in_it(tmp_path: Path, house: Wheelhouse) -> None:
    house.require_writable()

    assert [path.name for path in (tmp_path / "wheelhouse").rglob("*") if path.name != ".lock"] == [".tmp"]


def test_what_another_process_holds_up_is_told(house: Wheelhouse, wheel: Path, reporter: RecordingReporter) -> None:
    house.publish(wheel, INPUTS, {})
    other = os.open(wheel.parent / "wheelhouse" / ".lock", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)

    thread = threading.Thread(target=house.publish, args=(wheel, {**INPUTS, "name": "other"}, {}))
    thread.start()
    assert reporter.began.wait(60)
    begun = list(reporter.tasks)
    os.close(other)
    thread.join()

    waiting = f"waiting for another build, which has the lock on the wheelhouse {wheel.parent / 'wheelhouse'}"
    assert begun == [f"+ wait {waiting}"]
    assert reporter.tasks == [f"+ wait {waiting}", f"- wait {waiting}"]


@pytest.mark.parametrize("look", ["find", "take"])
def test_what_may_not_be_read_is_not_damaged(
    tmp_path: Path, house: Wheelhouse, wheel: Path, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    house.publish(wheel, INPUTS, {})

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)

    with pytest.raises(PermissionError):
        getattr(house, look)(KEY)

    assert entry(tmp_path).is_dir()


def test_an_entry_that_cannot_be_renamed_is_copied_away(
    tmp_path: Path, house: Wheelhouse, wheel: Path, reporter: RecordingReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publish(wheel, INPUTS, {})
    change_a_byte(entry(tmp_path))
    refuse_to_rename(monkeypatch, entry(tmp_path), errno.EXDEV)  # as an overlay does with its lower layer

    assert house.find(KEY) is None

    assert not entry(tmp_path).exists()
    assert "it is now" in reporter.warnings[0]
    assert len(list((tmp_path / "wheelhouse/damaged").glob("*/*/*.whl"))) == 1
    house.require_free(KEY)


def test_a_damaged_entry_that_stays_ends_the_build_before_it_compiles(
    tmp_path: Path, house: Wheelhouse, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publish(wheel, INPUTS, {})
    house.require_free(KEY)
    change_a_byte(entry(tmp_path))
    refuse_to_rename(monkeypatch, entry(tmp_path), errno.EPERM)

    assert house.find(KEY) is None
    with pytest.raises(MachineError, match="could not be moved away") as caught:
        house.require_free(KEY)

    assert f"rm -r {entry(tmp_path)}" in caught.value.resolution


def refuse_to_rename(monkeypatch: pytest.MonkeyPatch, directory: Path, code: int) -> None:
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path == directory:
            raise OSError(code, os.strerror(code), str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
