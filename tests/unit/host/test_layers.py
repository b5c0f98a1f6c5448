"""Links never lead out of the trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from venvpkg.host.layers import LayeredRoot, ResolvedPath


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    upper, lower = tmp_path / "upper", tmp_path / "lower"
    (upper / "opt").mkdir(parents=True)
    (lower / "usr/lib").mkdir(parents=True)
    (lower / "usr/lib/real").write_text("lower")
    (lower / "lib").symlink_to("/usr/lib")
    return upper, lower


def test_an_absolute_link_starts_again_at_the_root_of_the_trees(trees: tuple[Path, Path]) -> None:
    assert LayeredRoot(*trees).find("/lib/real") == ResolvedPath("/usr/lib/real", 1, is_file=True)


def test_the_upper_tree_hides_the_lower_one(trees: tuple[Path, Path]) -> None:
    (trees[0] / "usr/lib").mkdir(parents=True)
    (trees[0] / "usr/lib/real").write_text("upper")
    root = LayeredRoot(*trees)

    place = root.find("/lib/real")

    assert place is not None
    assert Path(root.on_host(place)).read_text() == "upper"


def test_dots_do_not_climb_out(trees: tuple[Path, Path]) -> None:
    (trees[0].parent / "secret").write_text("outside")
    (trees[0] / "opt/out").symlink_to("../../../secret")
    root = LayeredRoot(*trees)

    assert root.find("/opt/out") is None
    assert root.find("/../../secret") is None
    assert root.find("/opt/../lib/./real") == ResolvedPath("/usr/lib/real", 1, is_file=True)


def test_links_in_circles_lead_nowhere(trees: tuple[Path, Path]) -> None:
    (trees[0] / "opt/a").symlink_to("b")
    (trees[0] / "opt/b").symlink_to("a")

    assert LayeredRoot(*trees).find("/opt/a") is None


@pytest.mark.parametrize("path", ["/usr/lib/real/below", "/usr/lib/absent", "/opt/\0", "/" + "x" * 5000])
def test_what_is_not_there_is_none(trees: tuple[Path, Path], path: str) -> None:
    assert LayeredRoot(*trees).find(path) is None
