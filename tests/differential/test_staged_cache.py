"""The cache of staged distributions after kill -9, for real: what is there is whole."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from chance import Chance
from unit.fakes import RecordingReporter
from unit.samples import PREFIX
from venvpkg.staging.cache import StagedCache
from venvpkg.staging.copy import copy_cached
from venvpkg.staging.installed_paths import VenvTree

if TYPE_CHECKING:
    from pathlib import Path

# Stores distributions of 2 MB each, which are always the same.
STORE = """
import hashlib, os, signal, sys
from pathlib import Path, PurePosixPath
from unit.fakes import RecordingReporter
from venvpkg.staging.cache import StagedCache
from venvpkg.staging.cache import Index, StoredFile, record_hash
work = Path(sys.argv[1])
content = b"x" * 2_000_000
(work / "content").write_bytes(content)
file = StoredFile(PurePosixPath("/opt/a"), 0o644, len(content), record_hash(hashlib.sha256(content).digest()))
cache = StagedCache(work / "staged", RecordingReporter())

def keep(number):
    cache.store(Index(f"{number:064}", (file,), (), PurePosixPath("/"), ()), [work / "content"])
"""
FOR_EVER = f"""{STORE}
print("ready", flush=True)
while True:
    for number in range(8):
        keep(number)
"""
# Python tells its audit hooks of each operation on files before it does it; children die at the first, the second …,
# until one lives through them all.
AT_EACH_OPERATION = f"""{STORE}
def die_at(number):
    left = [number]
    def hook(event, arguments):
        if event == "open" or event.startswith(("os.", "shutil.", "fcntl.")):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for number in range(1000):
    child = os.fork()
    if child == 0:
        die_at(number)
        keep(number)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        print(number)
        break
"""


def test_whatever_moment_a_build_is_killed_at_its_cache_is_whole(tmp_path: Path) -> None:
    with Chance(5) as chance:
        for _ in chance.rounds(25):
            with subprocess.Popen(
                [sys.executable, "-c", FOR_EVER, str(tmp_path)],
                env={"PYTHONPATH": ":".join(sys.path)},
                stdout=subprocess.PIPE,
            ) as writer:
                assert writer.stdout is not None
                assert writer.stdout.readline() == b"ready\n"
                time.sleep(chance.seconds(0.05))
                writer.kill()

        require_whole(tmp_path)


def test_whatever_operation_a_build_is_killed_at_its_cache_is_whole(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EACH_OPERATION, str(tmp_path)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(done.stdout) > 5
    require_whole(tmp_path)


def require_whole(directory: Path) -> None:
    """Require that everything stored is whole, and that something is."""
    reporter = RecordingReporter()
    cache = StagedCache(directory / "staged", reporter)
    # Between being complete and getting its name, a file has a hidden one.
    stored = sorted((directory / "staged").glob("*/[!.]*"))
    for path in stored:
        place = VenvTree(directory / f"destdir-{path.name}", PREFIX, "python3.11")
        assert copy_cached(path.name, "app", place, cache) is not None
    assert stored
    assert reporter.warnings == []
