"""A package appears with all that belongs to it, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import MachineError
from venvpkg.record.file import remove_outputs, write_outputs

if TYPE_CHECKING:
    from pathlib import Path

NAME = "app_1.0-1_amd64"


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    directory = tmp_path / "finished"
    directory.mkdir()
    (directory / f"{NAME}.deb").write_bytes(b"package")
    (directory / "app-dbgsym_1.0-1_amd64.deb").write_bytes(b"symbols")
    return directory


def test_package_companions_and_record_come_together(finished: Path, tmp_path: Path) -> None:
    debug_package = finished / "app-dbgsym_1.0-1_amd64.deb"

    path = write_outputs(finished / f"{NAME}.deb", (debug_package,), b"{}", tmp_path / "dist")

    found = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    assert found == {path.name: b"package", debug_package.name: b"symbols", f"{NAME}.build.json": b"{}"}


def test_what_is_removed_leaves_nothing_behind_and_no_others(finished: Path, tmp_path: Path) -> None:
    debug_package = finished / "app-dbgsym_1.0-1_amd64.deb"
    path = write_outputs(finished / f"{NAME}.deb", (debug_package,), b"{}", tmp_path / "dist")
    (path.parent / "other.deb").touch()

    remove_outputs(path, (path.with_name(debug_package.name),))

    assert [each.name for each in path.parent.iterdir()] == ["other.deb"]


@pytest.mark.parametrize("blocked", [f"{NAME}.build.json", "app-dbgsym_1.0-1_amd64.deb"])
def test_a_package_does_not_appear_before_what_belongs_to_it(finished: Path, tmp_path: Path, blocked: str) -> None:
    dist = tmp_path / "dist"
    (dist / blocked).mkdir(parents=True)

    with pytest.raises(MachineError, match="--out"):
        write_outputs(finished / f"{NAME}.deb", (finished / "app-dbgsym_1.0-1_amd64.deb",), b"{}", dist)

    assert not (dist / f"{NAME}.deb").exists()
