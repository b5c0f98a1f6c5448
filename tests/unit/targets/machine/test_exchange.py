"""Files from a machine are written below their directory, or not at all."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from venvpkg.host import archive as limits
from venvpkg.host.command import Completed, Stream
from venvpkg.targets.machine.exchange import unpack

if TYPE_CHECKING:
    from pathlib import Path


def sent(*members: tuple[str, bytes, str]) -> Stream:
    """Return an archive of members: name, type, and a file's content or where a link leads."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.mtime = kind, 0o6750, 1_000_000_000.25
            if kind == tarfile.REGTYPE:
                member.size = len(content)
            else:
                member.linkname = content
            archive.addfile(member, io.BytesIO(content.encode()) if kind == tarfile.REGTYPE else None)
    return Stream(io.BytesIO(packed.getvalue()), lambda: Completed(0))


def test_files_directories_and_links_replace_existing_ones(tmp_path: Path) -> None:
    (tmp_path / "d").symlink_to("/etc")
    (tmp_path / "f").mkdir()
    (tmp_path / "f/old").touch()

    unpack(
        sent(
            ("./d", tarfile.DIRTYPE, ""),
            ("./d/x", tarfile.REGTYPE, "content"),
            ("./f", tarfile.REGTYPE, ""),
            ("./l", tarfile.SYMTYPE, "/nowhere"),
            ("./h", tarfile.LNKTYPE, "./d/x"),
        ),
        tmp_path,
    )

    assert (tmp_path / "d/x").read_text() == "content"
    assert (tmp_path / "f").is_file()
    assert str((tmp_path / "l").readlink()) == "/nowhere"
    assert (tmp_path / "h").samefile(tmp_path / "d/x")
    status = (tmp_path / "d/x").stat()
    assert (status.st_mode & 0o7777, status.st_mtime) == (0o750, 1_000_000_000.25)


@pytest.mark.parametrize(
    "members",
    [
        [("../out", tarfile.REGTYPE, "")],
        [("/out", tarfile.REGTYPE, "")],
        [("./a/../../out", tarfile.REGTYPE, "")],
        [("./a", tarfile.SYMTYPE, ".."), ("./a/out", tarfile.REGTYPE, "")],
        [("./a", tarfile.SYMTYPE, ".."), ("./a/out", tarfile.DIRTYPE, "")],
        [("./a", tarfile.SYMTYPE, "../.."), ("./h", tarfile.LNKTYPE, "./a/etc/passwd")],
        [("./null", tarfile.CHRTYPE, "")],
        [("./pipe", tarfile.FIFOTYPE, "")],
    ],
)
def test_members_outside_of_the_directory_and_devices_are_refused(
    members: list[tuple[str, bytes, str]], tmp_path: Path
) -> None:
    sandbox = tmp_path / "room"
    sandbox.mkdir()

    with pytest.raises(ValueError, match="leads out|neither file"):
        unpack(sent(*members), sandbox)

    assert [path.name for path in tmp_path.iterdir()] == ["room"]


def test_the_mode_of_a_directory_that_became_a_link_is_not_set_on_what_it_leads_to(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    sandbox = tmp_path / "room"
    sandbox.mkdir()

    unpack(sent(("./a", tarfile.DIRTYPE, ""), ("./a", tarfile.SYMTYPE, str(other))), sandbox)

    assert other.stat().st_mode & 0o777 == 0o700


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = sent(("./a", tarfile.REGTYPE, "x" * 5000)).read(1 << 20)

    with pytest.raises((tarfile.TarError, EOFError)):
        unpack(Stream(io.BytesIO(whole[:3000]), lambda: Completed(0)), tmp_path)


def test_an_absurdly_large_archive_is_refused_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TREE", limits.Limits(members=10, total_bytes=100))

    with pytest.raises(tarfile.TarError, match="unpacks to more than"):
        unpack(sent(("./a", tarfile.REGTYPE, "x" * 60), ("./b", tarfile.REGTYPE, "x" * 60)), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_path_of_megabytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(tarfile.TarError, match="a header of"):
        unpack(sent((f"./{'d/' * (1 << 20)}a", tarfile.REGTYPE, "")), tmp_path)
