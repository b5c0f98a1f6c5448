"""What a command takes, and how venvpkg is run for it."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
GUESTBOOK = ROOT / "examples/guestbook"


class Cost(NamedTuple):
    """What one run took, in seconds, CPU time as user + system of the whole process tree; and what it printed."""

    wall: float
    cpu: float
    output: str


def measured(argv: list[str], cwd: Path, env: Mapping[str, str]) -> Cost:
    """Run to the end and return what it took, children included; exits when it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        sys.exit(f"{output[-3000:]}\n{argv}: exit {done.returncode}")
    return Cost(wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, output)


def plain_environment() -> dict[str, str]:
    """Return the environment without what changes how any Python runs."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}


def installed_environment(work: Path) -> dict[str, str]:
    """Return the environment in which this source runs as if it were installed: its bytecode is kept."""
    return plain_environment() | {"PYTHONPATH": str(ROOT / "src"), "PYTHONPYCACHEPREFIX": str(work / "bytecode")}


def guestbook_copy(work: Path) -> Path:
    """Return a copy of the guestbook without what building leaves there."""
    source = work / "guestbook"
    shutil.copytree(GUESTBOOK, source, ignore=shutil.ignore_patterns("dist", "*.lock", "pylock*.toml"))
    return source
