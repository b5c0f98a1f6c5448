"""A wheelhouse on filesystems that cannot do everything: an overlay over an image, a read-only mount."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.wheelhouse.makers import wheel_members, write_wheel
from venvpkg.wheelhouse.store import Wheelhouse

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.store.filecache import Json

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts filesystems")

TAG = "linux_x86_64_debian_12"
INPUTS: dict[str, Json] = {"name": "demo", "version": "1.0"}
OVERLAY = """
mount -t tmpfs none upper && mkdir upper/new upper/work
mount -t overlay none -o lowerdir=house,upperdir=upper/new,workdir=upper/work house || exit 77
"""
READ_ONLY = "mount --bind house house && mount -o remount,ro,bind house\n"
# Sets a damaged entry aside, as a build would.
FIND = f"""
import sys
from pathlib import Path
from unit.fakes import RecordingReporter
from venvpkg.store.filecache import key_of
from venvpkg.wheelhouse.store import Wheelhouse
house = Wheelhouse(Path("house"), {TAG!r}, RecordingReporter())
assert house.find(key_of({INPUTS!r})) is None
house.require_free(key_of({INPUTS!r}))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a wheelhouse that has one wheel."""
    house = Wheelhouse(tmp_path / "house", TAG, RecordingReporter())
    wheel = write_wheel(tmp_path / f"demo-1.0-cp311-cp311-{TAG}.whl", wheel_members(tag=f"cp311-cp311-{TAG}"))
    house.publish(wheel, INPUTS, {})
    (tmp_path / "upper").mkdir()
    return tmp_path


def run_mounted(place: Path, mount: str, *command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'{mount}exec "$@"', "sh", *command],
        cwd=place,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("no overlays here")
    return done


def venvpkg(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "venvpkg", "wheelhouse", *words, "--wheelhouse", "house")


def test_what_is_part_of_an_image_can_be_removed(place: Path) -> None:
    done = run_mounted(place, OVERLAY, *venvpkg("gc", "--keep", "0"))

    assert done.returncode == 0, done.stderr
    assert "removed 1 of 1" in done.stderr


def test_what_is_damaged_in_an_image_is_set_aside(place: Path) -> None:
    for wheel in (place / "house").rglob("*.whl"):
        wheel.write_bytes(b"")

    done = run_mounted(place, OVERLAY, sys.executable, "-c", FIND)

    assert done.returncode == 0, done.stderr


def test_a_read_only_wheelhouse_is_read_and_not_collected(place: Path) -> None:
    listed = run_mounted(place, READ_ONLY, *venvpkg("list"))
    done = run_mounted(place, READ_ONLY, *venvpkg("gc", "--keep", "0"))

    assert "demo" in listed.stdout
    assert (done.returncode, "Read-only file system" in done.stderr) == (16, True)
