"""An sdist unpacks into files of ours, or into an error that names what is wrong."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from limits import file_size_limit
from unit.wheelhouse.makers import link, write_sdist
from venvpkg.errors import WheelError
from venvpkg.host import archive as limits
from venvpkg.sources.unpack import EARLIEST_TIME, LATEST_TIME, unpack_sdist

if TYPE_CHECKING:
    from pathlib import Path

SETUP = {"demo-1.0/setup.py": b"setup()\n"}


def refusal(archive: Path) -> str:
    with pytest.raises(WheelError) as caught:
        unpack_sdist(archive, archive.parent / "out")
    return str(caught.value)


def test_the_top_level_directory_is_left_out_and_modes_are_ours(tmp_path: Path) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", SETUP)

    unpack_sdist(archive, tmp_path / "out")

    assert (tmp_path / "out/setup.py").read_bytes() == b"setup()\n"
    assert (tmp_path / "out/setup.py").stat().st_mode & 0o7777 == 0o644


@pytest.mark.parametrize("kind", ["w", "w:gz", "w:bz2", "w:xz"])
def test_every_usual_compression_is_read(tmp_path: Path, kind: str) -> None:
    archive = tmp_path / "demo-1.0.tar"
    with tarfile.open(archive, kind) as tar:  # type: ignore[call-overload]
        member = tarfile.TarInfo("demo-1.0/a")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"a"))

    unpack_sdist(archive, tmp_path / "out")

    assert (tmp_path / "out/a").read_bytes() == b"a"


def test_a_zip_unpacks_like_a_tarball(tmp_path: Path) -> None:
    archive = tmp_path / "demo-1.0.zip"
    with zipfile.ZipFile(archive, "w") as made:
        script = zipfile.ZipInfo("demo-1.0/run.sh", (2026, 1, 1, 0, 0, 0))
        script.external_attr = 0o100777 << 16
        made.writestr(script, b"#!/bin/sh\n")

    newest = unpack_sdist(archive, tmp_path / "out")

    assert (tmp_path / "out/run.sh").stat().st_mode & 0o7777 == 0o755
    assert newest == 1_767_225_600


@pytest.mark.parametrize(
    ("told", "used"), [(1_700_000_000, 1_700_000_000), (0, EARLIEST_TIME), (99_999_999_999, LATEST_TIME)]
)
def test_the_build_time_is_the_newest_one_that_a_wheel_can_tell(tmp_path: Path, told: int, used: int) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", SETUP, time=told)

    assert unpack_sdist(archive, tmp_path / "out") == used


def test_a_link_inside_the_tree_stays_a_link(tmp_path: Path) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", SETUP, link("demo-1.0/docs/setup.py", "../setup.py"))

    unpack_sdist(archive, tmp_path / "out")

    assert (tmp_path / "out/docs/setup.py").readlink().as_posix() == "../setup.py"


def test_a_hard_link_becomes_a_copy(tmp_path: Path) -> None:
    hard = link("demo-1.0/copy.py", "demo-1.0/setup.py", tarfile.LNKTYPE)
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", SETUP, hard)

    unpack_sdist(archive, tmp_path / "out")

    assert (tmp_path / "out/copy.py").read_bytes() == b"setup()\n"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("/etc/passwd", "is an absolute path"),
        ("demo-1.0/../../etc/passwd", "leaves the tree"),
        ("demo-1.0/a\\b", "backslash"),
        ("demo-1.0/a\nb", "control characters"),
        ("other/setup.py", "outside the top-level directory demo-1.0"),
    ],
)
def test_a_member_that_belongs_nowhere_is_named(tmp_path: Path, name: str, problem: str) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", {**SETUP, name: b""})

    assert problem in refusal(archive)


@pytest.mark.parametrize(
    "members",
    [
        [link("demo-1.0/out", "../../outside")],
        [link("demo-1.0/out", "/etc")],
        # y leads out only because x leads to the top, which its own text does not show.
        [link("demo-1.0/a/b/c/x", "../../.."), link("demo-1.0/y", "a/b/c/x/../..")],
    ],
)
def test_a_link_that_leaves_the_tree_is_refused(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", SETUP, *members)

    assert "a link that leaves the tree" in refusal(archive)


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = tmp_path / "demo-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(link("demo-1.0/out", str(outside)))
        member = tarfile.TarInfo("demo-1.0/out/passwd")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))

    assert "goes through a link" in refusal(archive)
    assert list(outside.iterdir()) == []


def test_a_hard_link_to_a_file_of_the_machine_is_refused(tmp_path: Path) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", SETUP, link("demo-1.0/x", "/etc/passwd", tarfile.LNKTYPE))

    assert "not in the archive before it" in refusal(archive)


def test_a_device_is_refused(tmp_path: Path) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", SETUP, link("demo-1.0/null", "", tarfile.CHRTYPE))

    assert "not a file, directory or link" in refusal(archive)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", {**SETUP, "/a": b"", "demo-1.0/../b": b""})

    told = refusal(archive)

    assert "'/a'" in told
    assert "'demo-1.0/../b'" in told


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DISTRIBUTION", replace(limits.DISTRIBUTION, members=2))
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", {f"demo-1.0/{number}": b"" for number in range(3)})

    assert "more than 2 members" in refusal(archive)


def test_a_bomb_is_refused_before_it_is_written(tmp_path: Path) -> None:
    archive = tmp_path / "demo-1.0.tar.gz"
    bomb = tarfile.TarInfo("demo-1.0/zeros")
    bomb.size = 1 << 40
    archive.write_bytes(gzip.compress(bomb.tobuf()))

    assert "GiB" in refusal(archive)


def test_a_bomb_in_a_header_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "demo-1.0.tar.gz"
    header = tarfile.TarInfo("demo-1.0/pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    archive.write_bytes(gzip.compress(header.tobuf()))

    assert "a header of" in refusal(archive)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x1f\x8b no gzip", b"neither" * 200])
def test_a_damaged_archive_is_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "demo-1.0.tar.gz"
    archive.write_bytes(content)

    assert "demo-1.0.tar.gz could not be unpacked" in refusal(archive)


def test_a_truncated_archive_is_an_error_of_ours(tmp_path: Path) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", {"demo-1.0/a": bytes(range(256)) * 500})
    archive.write_bytes(archive.read_bytes()[:-200])

    assert "could not be unpacked" in refusal(archive)


def test_a_file_that_cannot_be_written_is_no_damage_of_the_archive(tmp_path: Path) -> None:
    archive = write_sdist(tmp_path / "demo-1.0.tar.gz", {"demo-1.0/a": bytes(100_000)})

    with file_size_limit(1000), pytest.raises(OSError, match="File too large"):
        unpack_sdist(archive, tmp_path / "src")
