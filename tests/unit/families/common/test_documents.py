"""Manual pages of the commands, where man looks."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from unit.samples import PREFIX, a_spec, a_staged
from venvpkg.families.common.documents import manual_pages
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAGE = b".TH APP 1\n.SH NAME\napp \\- keeps things\n"


def pages_of(destdir: Path, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    manual = destdir / (PREFIX / "share/man").relative_to("/")
    for name, content in contents.items():
        path = manual / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    spec = a_spec(a_staged(destdir, payload=read_payload(destdir, ())))
    return {str(path): gzip.decompress(page) for path, page in manual_pages(spec).items()}


def test_pages_of_a_command_and_its_subcommands_are_found(tmp_path: Path) -> None:
    found = pages_of(tmp_path, {"man1/app.1": PAGE, "man1/app-add.1": PAGE, "man5/app.5": PAGE})

    assert found == dict.fromkeys(
        [f"/usr/share/man/{each}.gz" for each in ("man1/app-add.1", "man1/app.1", "man5/app.5")], PAGE
    )


def test_pages_of_others_stay_where_they_are(tmp_path: Path) -> None:
    assert pages_of(tmp_path, {"man1/apple.1": PAGE, "man3/other.3": PAGE, "man1/app.8": PAGE}) == {}
    assert pages_of(tmp_path, {"de/man1/app.1": PAGE}) == {}


def test_a_page_that_is_compressed_already_is_compressed_as_policy_wants_it(tmp_path: Path) -> None:
    assert pages_of(tmp_path, {"man1/app.1.gz": gzip.compress(PAGE, 1)}) == {"/usr/share/man/man1/app.1.gz": PAGE}


@pytest.mark.parametrize(
    "content",
    [b"", gzip.compress(PAGE)[:-9], b"\x1f\x8b no gzip", gzip.compress(bytes(5 * 2**20)), bytes(5 * 2**20)],
    ids=["empty", "cut off", "no gzip", "bomb", "too large"],
)
def test_what_is_no_page_stays_where_it_is(tmp_path: Path, content: bytes) -> None:
    assert pages_of(tmp_path, {"man1/app.1": content}) == {}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    manual = tmp_path / (PREFIX / "share/man/man1").relative_to("/")
    manual.mkdir(parents=True)
    (manual / "app.1").symlink_to("/etc/hostname")

    assert pages_of(tmp_path, {}) == {}
