"""Extra files lie where they were wanted, and never over something or outside."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath

import pytest

from venvpkg.errors import StagingError
from venvpkg.model.project import ExtraFile
from venvpkg.staging.stage import place_files


def extra(source: Path, target: str, mode: int = 0o644) -> ExtraFile:
    source.write_bytes(b"content")
    return ExtraFile(source, PurePosixPath(target), mode)


def test_a_file_lies_at_its_place_with_its_mode(tmp_path: Path) -> None:
    destdir = tmp_path / "destdir"
    destdir.mkdir()

    place_files((extra(tmp_path / "a", "/etc/app/a.toml", 0o640),), destdir)

    placed = destdir / "etc/app/a.toml"
    assert (placed.read_bytes(), stat.S_IMODE(placed.stat().st_mode)) == (b"content", 0o640)
    assert stat.S_IMODE(placed.parent.stat().st_mode) == 0o755


def test_every_place_that_is_taken_is_told_and_kept(tmp_path: Path) -> None:
    destdir = tmp_path / "destdir"
    (destdir / "opt").mkdir(parents=True)
    (destdir / "opt/there").write_text("mine")
    (destdir / "opt/link").symlink_to(tmp_path)
    files = tuple(extra(tmp_path / "a", f"/opt/{name}") for name in ("there", "there/below", "link/x"))

    with pytest.raises(StagingError) as caught:
        place_files(files, destdir)

    assert caught.value.details.count("path already exists in the virtual environment") == 3
    assert (destdir / "opt/there").read_text() == "mine"
    assert not (tmp_path / "x").exists()
