"""The one door of the rpm world to other programs."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess  # independent of what it tests
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHOWN_CHARACTERS = 4000


class RpmWorldError(Exception):
    """No world can be made or used; the text says why."""


def output(
    *command: str | Path, given: str = "", at: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """Return what a program wrote.

    Args:
        command: the program and its arguments.
        given: its standard input.
        at: its current directory.
        environment: added to ours.

    Raises:
        RpmWorldError: it failed; the text holds the end of what it said.
    """
    argv = [str(part) for part in command]
    completed = subprocess.run(
        argv,
        input=given,
        cwd=at,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode != 0:
        said = (completed.stdout + completed.stderr)[-SHOWN_CHARACTERS:]
        raise RpmWorldError(f"exit code {completed.returncode} of {shlex.join(argv)[:SHOWN_CHARACTERS]}\n{said}")
    return completed.stdout


def digest(*parts: object) -> str:
    """Return a short name for values that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
