"""The cache of staged distributions after kill -9, for real: what is there is whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from unit.fakes import RecordingReporter
from unit.samples import PREFIX
from venvpkg.staging.cache import StagedCache
from venvpkg.staging.copy import copy_cached
from venvpkg.staging.installed_paths import VenvTree

if TYPE_CHECKING:
    from pathlib import Path

# Stores the same distributions again and again, of 2 MB each.
WRITER = """
import hashlib, sys
from pathlib import Path, PurePosixPath
from unit.fakes import RecordingReporter
from venvpkg.staging.cache import StagedCache
from venvpkg.staging.cache import Index, StoredFile, record_hash
work = Path(sys.argv[1])
content = b"x" * 2_000_000
(work / "content").write_bytes(content)
file = StoredFile(PurePosixPath("/opt/a"), 0o644, len(content), record_hash(hashlib.sha256(content).digest()))
cache = StagedCache(work / "staged", RecordingReporter())
print("ready", flush=True)
while True:
    for number in range(8):
        cache.store(Index(f"{number:064}", (file,), (), PurePosixPath("/"), ()), [work / "content"])
"""


def test_whatever_moment_a_build_is_killed_at_its_cache_is_whole(tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - a fixed sequence is wanted
    for _ in range(25):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            env={"PYTHONPATH": ":".join(sys.path)},
            stdout=subprocess.PIPE,
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0, 0.05))
            writer.kill()

    reporter = RecordingReporter()
    cache = StagedCache(tmp_path / "staged", reporter)
    # Between being complete and getting its name, a file has a hidden one.
    stored = sorted((tmp_path / "staged").glob("*/[!.]*"))
    for path in stored:
        place = VenvTree(tmp_path / f"destdir-{path.name}", PREFIX, "python3.11")
        assert copy_cached(path.name, "app", place, cache) is not None
    assert stored
    assert reporter.warnings == []
