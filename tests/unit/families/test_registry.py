"""Which family a package file belongs to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import NotAPackageError
from venvpkg.families.deb import format as deb
from venvpkg.families.registry import FAMILIES, family_of_file
from venvpkg.families.rpm import format as rpm

if TYPE_CHECKING:
    from pathlib import Path


def test_every_family_has_a_backend() -> None:
    assert {name: family.format for name, family in FAMILIES.items()} == {"deb": deb, "rpm": rpm}


@pytest.mark.parametrize(("content", "backend"), [(b"!<arch>\ndebian-binary", deb), (b"\xed\xab\xee\xdb\3\0", rpm)])
def test_a_package_is_known_by_its_beginning_whatever_it_is_called(
    tmp_path: Path, content: bytes, backend: object
) -> None:
    (tmp_path / "package.zip").write_bytes(content)

    assert family_of_file(tmp_path / "package.zip").format is backend


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"!<arch>"])
def test_what_is_no_package_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "package.rpm").write_bytes(content)

    with pytest.raises(NotAPackageError, match="not a package of a known format"):
        family_of_file(tmp_path / "package.rpm")


def test_what_is_not_there_or_is_no_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.rpm")

    for name in ("pipe.rpm", "nothing.rpm", "."):
        with pytest.raises(NotAPackageError, match="is not a file"):
            family_of_file(tmp_path / name)
