"""Peak memory and CPU time of staging a large application: many small files and one large, cold and from the cache.

    tests/bench/memory.py [FILES] [MEGABYTES]

Makes a wheel with FILES modules (50,000) and one data file of MEGABYTES (1,000) that does not compress, and stages it
twice, in a process of its own each time. Figures, never pass or fail: the peak is that of venvpkg's own process; the
target's interpreter, which compiles the modules, is not in it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import IO

from unit.samples import on_target
from venvpkg.staging.stage import StageInputs

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cost import measured, plain_environment
from unit.fakes import RecordingReporter
from unit.samples import a_project, record_line
from venvpkg.host.runner import SubprocessRunner
from venvpkg.linking.tree import scan
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.staging.cache import record_hash
from venvpkg.staging.stage import stage
from venvpkg.store.dirs import Dirs
from venvpkg.targets.host import resolve_host

_MEGABYTE = 1 << 20
_NAME = "app-1.0-py3-none-any.whl"


def write_large_wheel(path: Path, files: int, megabytes: int) -> None:
    """Write the wheel; in pieces, so that it needs no memory."""
    dist_info = "app-1.0.dist-info"
    record = []

    def add(name: str, content: bytes) -> None:
        archive.writestr(name, content)
        record.append(record_line(name, content))

    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(files):
            add(f"app/part{number // 500}/module{number}.py", f"def number() -> int:\n    return {number}\n".encode())
        add(f"{dist_info}/METADATA", b"Metadata-Version: 2.1\nName: app\nVersion: 1.0\n")
        add(f"{dist_info}/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        with archive.open("app/large.bin", "w", force_zip64=True) as large:
            digest = write_noise(large, megabytes)
        record.append(f"app/large.bin,sha256={digest},{megabytes * _MEGABYTE}\n")
        archive.writestr(f"{dist_info}/RECORD", "".join(record) + f"{dist_info}/RECORD,,\n")


def write_noise(stream: IO[bytes], megabytes: int) -> str:
    """Write bytes that do not compress; return their sha256 as RECORD spells it."""
    digest, chance = hashlib.sha256(), random.Random(1)  # noqa: S311 - a fixed sequence is wanted
    for _ in range(megabytes):
        chunk = chance.randbytes(_MEGABYTE)
        digest.update(chunk)
        stream.write(chunk)
    return record_hash(digest.digest())


def stage_once(work: Path, number: int) -> None:
    """Stage and scan; print what it took."""
    path = work / _NAME
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    runner, reporter = SubprocessRunner(os.environ), RecordingReporter()
    target = resolve_host(runner)
    dirs = Dirs(work / "wheelhouse", work / "cache")
    start = time.process_time()
    staged = stage(
        a_project(),
        StageInputs((ReadyWheel("app", "1.0", path, digest, Action.PURE),)),
        work / f"job-{number}",
        dirs,
        on_target(target, runner, reporter),
    )
    scan(staged.destdir, target, reporter)
    cpu = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    how, count = "cold" if number == 1 else "from the cache", len(staged.payload.paths)
    print(f"{how:16}{count:8} paths{cpu:8.2f} CPU s{peak:6.0f} MiB")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=int, nargs="?", default=50_000)
    parser.add_argument("megabytes", type=int, nargs="?", default=1_000)
    parser.add_argument("--stage", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        stage_once(Path(options.stage[0]), int(options.stage[1]))
        return
    with tempfile.TemporaryDirectory(prefix="venvpkg-bench-") as directory:
        write_large_wheel(Path(directory) / _NAME, options.files, options.megabytes)
        env = plain_environment() | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        for number in ("1", "2"):
            print(measured([sys.executable, __file__, "--stage", directory, number], Path("/"), env).output, end="")


if __name__ == "__main__":
    main()
