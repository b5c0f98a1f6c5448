"""rpm's own dependency generator."""

from __future__ import annotations

import subprocess
from pathlib import Path

ELFDEPS = Path("/usr/lib/rpm/elfdeps")


def elfdeps(file: Path) -> list[str]:
    done = subprocess.run([ELFDEPS, "--requires"], input=f"{file}\n", capture_output=True, text=True, check=True)
    return sorted(set(done.stdout.splitlines()))
