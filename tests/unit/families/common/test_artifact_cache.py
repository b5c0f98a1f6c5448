"""A package comes from an earlier build when nothing that makes it has changed, and whole; else it is packed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from venvpkg.families.common.artifact_cache import ArtifactCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PACKERS = (("dpkg", "1.21.22"), ("tar", "1.34"))
INPUTS: Mapping[str, str | int] = {"options": "-z10", "source_date_epoch": 5}
CONTENT = b"a package" * 300


class Packer:
    """Writes a package, and counts."""

    def __init__(self, package: Path) -> None:
        self.package = package
        self.packed = 0

    def __call__(self) -> str:
        self.packed += 1
        self.package.write_bytes(CONTENT)
        return "warning: größe"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    for name in ("bin/app", "same", "twin"):
        (tree / name).write_text(name[-3:])
        (tree / name).chmod(0o644)
    (tree / "link").symlink_to("bin/app")
    return tree


def packed_again(
    tmp_path: Path,
    tree: Path,
    inputs: Mapping[str, str | int] = INPUTS,
    packaging_tool_versions: tuple[tuple[str, str], ...] = PACKERS,
) -> bool:
    """Ask once more for the package of a tree; return whether it was packed, and see that it is there."""
    package = tmp_path / "app.deb"
    package.unlink(missing_ok=True)
    packer = Packer(package)
    said = ArtifactCache(tmp_path / "packed", packaging_tool_versions, RecordingReporter()).get_or_build(
        package, tree, inputs, packer
    )
    assert (said, package.read_bytes()) == ("warning: größe", CONTENT)
    return packer.packed == 1


def test_the_same_is_packed_once_and_says_the_same(tmp_path: Path, tree: Path) -> None:
    assert packed_again(tmp_path, tree)
    assert not packed_again(tmp_path, tree)


def test_times_do_not_matter(tmp_path: Path, tree: Path) -> None:
    assert packed_again(tmp_path, tree)
    os.utime(tree / "bin/app", (7, 7))
    assert not packed_again(tmp_path, tree)


def hard_link(tree: Path) -> None:
    (tree / "twin").unlink()
    (tree / "twin").hardlink_to(tree / "same")


def point_elsewhere(tree: Path) -> None:
    (tree / "link").unlink()
    (tree / "link").symlink_to("bin/other")


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "bin/app").write_text("APP"),
        lambda tree: (tree / "bin/app").chmod(0o755),
        lambda tree: (tree / "bin").chmod(0o700),
        lambda tree: (tree / "bin/app").rename(tree / "bin/apq"),
        lambda tree: (tree / "bin/empty").touch(),
        lambda tree: (tree / "empty").mkdir(),
        lambda tree: (tree / os.fsdecode(b"\xff")).touch(),
        hard_link,
        point_elsewhere,
    ],
)
def test_another_tree_is_packed(tmp_path: Path, tree: Path, change: Callable[[Path], object]) -> None:
    (tree / "twin").write_text("same")
    (tree / "same").write_text("same")
    assert packed_again(tmp_path, tree)
    change(tree)
    assert packed_again(tmp_path, tree)


def test_other_inputs_and_other_packers_pack_again(tmp_path: Path, tree: Path) -> None:
    assert packed_again(tmp_path, tree)
    assert packed_again(tmp_path, tree, inputs=dict(INPUTS, source_date_epoch=6))
    assert packed_again(tmp_path, tree, packaging_tool_versions=(("dpkg", "1.21.22"), ("tar", "1.35")))


def test_what_is_refused_is_not_kept(tmp_path: Path, tree: Path) -> None:
    def refuse() -> str:
        (tmp_path / "app.deb").write_bytes(b"wrong")
        raise ValueError

    earlier = ArtifactCache(tmp_path / "packed", PACKERS, RecordingReporter())
    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        earlier.get_or_build(tmp_path / "app.deb", tree, INPUTS, refuse)

    assert packed_again(tmp_path, tree)


def test_every_damaged_byte_and_every_cut_is_noticed_and_packed_again(tmp_path: Path, tree: Path) -> None:
    packed_again(tmp_path, tree)
    (stored,) = (tmp_path / "packed").glob("*/*")
    content = stored.read_bytes()
    damaged = [content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :] for position in range(200)]
    damaged += [content[:length] for length in range(0, len(content), 50)]

    for number, each in enumerate(damaged):
        stored.write_bytes(each)
        assert packed_again(tmp_path, tree), number
        assert stored.read_bytes() == content


def test_one_under_the_key_of_another_is_not_taken(tmp_path: Path, tree: Path) -> None:
    packed_again(tmp_path, tree)
    (other,) = (tmp_path / "packed").glob("*/*")
    (tree / "bin/app").write_text("other")
    packed_again(tmp_path, tree)
    (stored,) = set((tmp_path / "packed").glob("*/*")) - {other}
    stored.write_bytes(other.read_bytes())

    assert packed_again(tmp_path, tree)


def test_a_cache_that_cannot_be_written_costs_no_build(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "packed").write_text("in the way")

    assert packed_again(tmp_path, tree)
    assert packed_again(tmp_path, tree)
