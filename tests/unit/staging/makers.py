"""The target's interpreter, as staging runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unit.fakes import ScriptedRunner, expect
from venvpkg.host.command import Bind

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.host.command import Completed


def interpreter(answer: Completed, destdir: Path) -> ScriptedRunner:
    """Return one that compiles modules below ``destdir``, where nothing of the user's environment reaches it."""
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}
    command = expect("/usr/bin/python3.11", "-s", "-c", ..., env=env, clean=True, binds=(Bind.in_place(destdir),))
    return ScriptedRunner({command: answer})
