"""What comes out of the cache of staged distributions is what went in, or nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest

from limits import file_size_limit
from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE, debian_12
from venvpkg.errors import StagingError
from venvpkg.host.tree import entries_below
from venvpkg.staging.cache import Index, StagedCache, StoredFile, record_hash, staged_key
from venvpkg.staging.copy import copy_cached
from venvpkg.staging.installed_paths import Content, Overlap, VenvTree

KEY = "ab" + "0" * 62
MODULE, PROGRAM, BYTECODE = SITE / "app.py", PREFIX / "bin/app", SITE / "__pycache__/app.cpython-311.pyc"
CONTENTS = {MODULE: b"print()\n", PROGRAM: b"#!/bin/sh\n" * 30_000, BYTECODE: b"\0bytecode"}


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()


@pytest.fixture
def cache(tmp_path: Path, reporter: RecordingReporter) -> StagedCache:
    return StagedCache(tmp_path / "staged", reporter)


def file(path: PurePosixPath, content: bytes) -> StoredFile:
    digest = record_hash(hashlib.sha256(content).digest())
    return StoredFile(path, 0o755 if path == PROGRAM else 0o644, len(content), digest, path != BYTECODE)


def store(cache: StagedCache, tmp_path: Path, contents: dict[PurePosixPath, bytes], key: str = KEY) -> Index:
    """Keep files as one distribution."""
    index = Index(
        key,
        tuple(file(path, content) for path, content in contents.items()),
        ((PREFIX / "bin/python", "/usr/bin/python3.11"),),
        SITE / "app-1.0.dist-info",
        ("a note",),
    )
    places = []
    for number, content in enumerate(contents.values()):
        place = tmp_path / f"content-{number}"
        place.write_bytes(content)
        places.append(place)
    assert cache.store(index, places)
    return index


def venv_tree(tmp_path: Path) -> VenvTree:
    return VenvTree(tmp_path / "destdir", PREFIX, "python3.11")


def staged_below(root: Path) -> list[str]:
    if not root.exists():
        return []
    return [str(path) for path, entry in entries_below(root) if not entry.is_dir(follow_symlinks=False)]


def test_a_kept_distribution_comes_back_with_contents_modes_and_links(cache: StagedCache, tmp_path: Path) -> None:
    index = store(cache, tmp_path, CONTENTS)
    place = venv_tree(tmp_path)

    before = os.umask(0o077)
    try:
        found = copy_cached(KEY, "app", place, cache)
    finally:
        os.umask(before)

    assert found == index
    assert {path: place.on_host(path).read_bytes() for path in CONTENTS} == CONTENTS
    assert place.on_host(PROGRAM).stat().st_mode & 0o7777 == 0o755
    assert place.on_host(MODULE).stat().st_mode & 0o7777 == 0o644
    assert place.on_host(PREFIX / "bin/python").readlink() == Path("/usr/bin/python3.11")


def test_what_is_staged_shares_nothing_with_the_cache(cache: StagedCache, tmp_path: Path) -> None:
    store(cache, tmp_path, CONTENTS)
    first = venv_tree(tmp_path / "first")
    copy_cached(KEY, "app", first, cache)

    first.on_host(MODULE).write_bytes(b"changed")
    os.utime(first.on_host(PROGRAM), (5, 5))
    second = venv_tree(tmp_path / "second")
    copy_cached(KEY, "app", second, cache)

    assert second.on_host(MODULE).read_bytes() == CONTENTS[MODULE]
    assert second.on_host(PROGRAM).stat().st_mtime != 5


def test_every_damaged_byte_is_noticed_and_nothing_of_the_distribution_stays(
    cache: StagedCache, reporter: RecordingReporter, tmp_path: Path
) -> None:
    small = {MODULE: b"print()\n", BYTECODE: b"\0bytecode"}
    store(cache, tmp_path, small)
    (stored,) = (tmp_path / "staged").glob("*/*")
    content = stored.read_bytes()

    for position in range(len(content)):
        stored.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        place = venv_tree(tmp_path / str(position))
        assert copy_cached(KEY, "app", place, cache) is None, position
        assert staged_below(place.destdir) == []
        assert place.contents == {}
        assert not stored.exists()

    assert len(reporter.warnings) == len(content)


def test_one_that_is_cut_off_anywhere_is_dropped(cache: StagedCache, tmp_path: Path) -> None:
    store(cache, tmp_path, {MODULE: b"print()\n"})
    (stored,) = (tmp_path / "staged").glob("*/*")
    content = stored.read_bytes()

    for length in range(len(content)):
        stored.write_bytes(content[:length])
        assert copy_cached(KEY, "app", venv_tree(tmp_path / str(length)), cache) is None, length


def test_one_under_the_key_of_another_is_dropped(cache: StagedCache, tmp_path: Path) -> None:
    store(cache, tmp_path, {MODULE: b""}, key="ab" + "1" * 62)
    (stored,) = (tmp_path / "staged").glob("*/*")
    stored.rename(stored.with_name(KEY))

    assert copy_cached(KEY, "app", venv_tree(tmp_path), cache) is None


def test_a_path_that_leaves_the_destdir_is_never_written(cache: StagedCache, tmp_path: Path) -> None:
    store(cache, tmp_path, {PREFIX / "../../../../evil": b""})

    assert copy_cached(KEY, "app", venv_tree(tmp_path / "a/b/c"), cache) is None
    assert not list(tmp_path.rglob("evil"))


def test_a_file_that_changed_since_its_index_was_made_is_not_kept(
    cache: StagedCache, reporter: RecordingReporter, tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    changed.write_bytes(b"print(1)")
    index = Index(KEY, (file(MODULE, b"print(0)"),), (), SITE, ())

    assert not cache.store(index, [changed])
    assert reporter.details
    assert not list((tmp_path / "staged").rglob("*b*/*"))


def test_a_cache_that_cannot_be_written_is_no_failure(reporter: RecordingReporter, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    unwritable = StagedCache(tmp_path / "file/staged", reporter)

    assert not unwritable.store(Index(KEY, (), (), SITE, ()), [])
    with unwritable.open_entry(KEY) as found:
        assert found is None


def test_equal_files_of_two_distributions_are_written_once_and_others_conflict(
    cache: StagedCache, tmp_path: Path
) -> None:
    store(cache, tmp_path, {MODULE: b"same", PROGRAM: b"one", BYTECODE: b"of same"})
    place = venv_tree(tmp_path)
    equal, other = file(MODULE, b"same"), file(PROGRAM, b"two")
    for each in (equal, other):
        place.contents[each.path] = Content("first", each.sha256, each.size_bytes)

    copy_cached(KEY, "second", place, cache)

    assert place.overlaps == [Overlap(PROGRAM, "first", "second")]
    assert staged_below(place.destdir) == [f"{PREFIX}/bin/python", str(BYTECODE)]


def test_a_file_where_there_is_a_directory_or_a_link_is_a_conflict(cache: StagedCache, tmp_path: Path) -> None:
    store(cache, tmp_path, {MODULE: b"", PROGRAM: b"evil"})
    place = venv_tree(tmp_path)
    place.on_host(MODULE).mkdir(parents=True)
    place.on_host(PROGRAM).parent.mkdir(parents=True)
    place.on_host(PROGRAM).symlink_to(tmp_path / "outside")

    copy_cached(KEY, "app", place, cache)

    assert len(place.conflicts) == 2
    assert not (tmp_path / "outside").exists()


def test_a_destdir_that_cannot_be_written_is_an_error_and_the_cache_keeps_what_it_has(
    cache: StagedCache, tmp_path: Path
) -> None:
    store(cache, tmp_path, {SITE / ("n" * 300): b""})

    with pytest.raises(StagingError, match="could not be staged"):
        copy_cached(KEY, "app", venv_tree(tmp_path), cache)

    assert list((tmp_path / "staged").glob("*/*"))


@pytest.mark.parametrize("limit", range(0, 300_000, 15_001))
def test_a_write_that_the_kernel_cuts_short_is_an_error(cache: StagedCache, tmp_path: Path, limit: int) -> None:
    store(cache, tmp_path, CONTENTS)
    place = venv_tree(tmp_path)

    with file_size_limit(limit), pytest.raises(OSError, match="File too large") as caught:
        copy_cached(KEY, "app", place, cache)

    assert caught.value.filename in {str(place.on_host(path)) for path in (PROGRAM, MODULE)}


def test_the_key_follows_wheel_prefix_target_and_the_interpreters_file(tmp_path: Path) -> None:
    target = dataclasses.replace(debian_12(), root=tmp_path)
    interpreter = target.on_host(target.interpreter.path)
    interpreter.parent.mkdir(parents=True)
    interpreter.write_bytes(b"old")
    keys = [
        staged_key("wheel", PREFIX, target),
        staged_key("other wheel", PREFIX, target),
        staged_key("wheel", PREFIX / "x", target),
        staged_key(
            "wheel",
            PREFIX,
            dataclasses.replace(target, interpreter=dataclasses.replace(target.interpreter, version=(3, 11, 3))),
        ),
    ]
    interpreter.write_bytes(b"newer")
    keys.append(staged_key("wheel", PREFIX, target))

    assert len(set(keys)) == 5


def test_one_that_is_removed_while_it_is_read_stays_whole_for_its_reader(cache: StagedCache, tmp_path: Path) -> None:
    index = store(cache, tmp_path, {MODULE: b"print()\n"})

    with cache.open_entry(KEY) as found:
        cache.drop(KEY, ValueError("by another build"))
        assert found is not None
        assert (found[1], found[0].read()) == (index, b"print()\n")


def test_builds_that_store_read_and_drop_at_once_see_a_whole_one_or_none(cache: StagedCache, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    index = store(cache, tmp_path / "made", CONTENTS)
    made = sorted((tmp_path / "made").iterdir())

    def build(number: int) -> bool:
        if number % 3 == 0:
            return cache.store(index, made)
        if number % 10 == 1:
            cache.drop(KEY, ValueError("by another build"))
        place = venv_tree(tmp_path / str(number))
        found = copy_cached(KEY, "app", place, cache)
        return found is None or {path: place.on_host(path).read_bytes() for path in CONTENTS} == CONTENTS

    with ThreadPoolExecutor(4) as executor:
        assert all(executor.map(build, range(60)))
