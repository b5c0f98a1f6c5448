"""Source that comes from no index: a directory that is there, or a commit that can mean only one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.pylock import PackageDirectory, PackageVcs

from venvpkg.lock.pylock import OriginError, locked_commit, locked_directory
from venvpkg.model.lock import LockedCommit, LockedDirectory

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_directory_is_found_from_where_the_lock_is(tmp_path: Path) -> None:
    (tmp_path / "lib" / "python").mkdir(parents=True)
    (tmp_path / "lib" / "python" / "setup.py").touch()
    entry = PackageDirectory(path="../lib", editable=True, subdirectory="python")

    assert locked_directory(entry, tmp_path / "app") == LockedDirectory(tmp_path / "lib" / "python")


def test_the_directory_of_the_lock_is_the_application(tmp_path: Path) -> None:
    assert locked_directory(PackageDirectory(path="."), tmp_path) is None


@pytest.mark.parametrize("path", ["nowhere", "a\0b", "empty"])
def test_a_directory_without_source_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(OriginError):
        locked_directory(PackageDirectory(path=path), tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example/x.git",
        "ssh://git@h.example/x.git",
        "git://h.example/x",
        "file:///srv/x",
        "git+https://h.example/x.git",
    ],
)
def test_a_full_commit_of_a_plain_address_is_taken(tmp_path: Path, url: str) -> None:
    found = locked_commit(PackageVcs(type="git", url=url, commit_id=COMMIT, subdirectory="py"), tmp_path)

    assert found == LockedCommit(url.removeprefix("git+"), COMMIT, "py")


def test_a_repository_may_be_a_path(tmp_path: Path) -> None:
    found = locked_commit(PackageVcs(type="git", path="../x", commit_id=COMMIT), tmp_path)

    assert found.url == str(tmp_path / "../x")


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (PackageVcs(type="hg", url="https://h.example/x", commit_id=COMMIT), "'hg'"),
        (PackageVcs(type="git", url="https://h.example/x", commit_id="main"), "not a full commit id"),
        (PackageVcs(type="git", url="https://h.example/x", commit_id=COMMIT[:12]), "not a full commit id"),
        (PackageVcs(type="git", url="https://h.example/x", commit_id=f"{COMMIT}\n"), "not a full commit id"),
        (PackageVcs(type="git", url="ext::sh -c id", commit_id=COMMIT), "has an unsupported scheme"),
        (PackageVcs(type="git", url="--upload-pack=id", commit_id=COMMIT), "has an unsupported scheme"),
        (PackageVcs(type="git", url="https://[h.example/x", commit_id=COMMIT), "is not a valid URL"),
        (PackageVcs(type="git", url="https://h.example/\x1b[31m", commit_id=COMMIT), "character"),
        (PackageVcs(type="git", url="https://token@h.example/x", commit_id=COMMIT), "contains a user or password"),
        (PackageVcs(type="git", url="ssh://git:s3cret@h.example/x", commit_id=COMMIT), "contains a user or password"),
        (PackageVcs(type="git", url="https://h.example/x", commit_id=COMMIT, subdirectory="../up"), "subdirectory"),
        (PackageVcs(type="git", url="https://h.example/x", commit_id=COMMIT, subdirectory="/etc"), "subdirectory"),
    ],
)
def test_what_is_no_such_commit_is_refused_without_its_secret(tmp_path: Path, entry: PackageVcs, told: str) -> None:
    with pytest.raises(OriginError, match=told) as caught:
        locked_commit(entry, tmp_path)

    assert "s3cret" not in str(caught.value)
    assert "token" not in str(caught.value)
