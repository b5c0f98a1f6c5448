"""Sandboxes whose programs answer beforehand."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from unit.fakes import ScriptedRunner, expect
from venvpkg.host.command import Bind
from venvpkg.sources.build_sandbox import BuildSandbox

if TYPE_CHECKING:
    from unit.fakes import Answer, Expected

HIDDEN = tuple(map(PurePosixPath, ("/usr/local", "/usr/src", "/tmp", "/var/tmp", "/home", "/root")))


def sandbox_of(directory: Path, runner: ScriptedRunner) -> BuildSandbox:
    """Return the sandbox ``directory/room`` whose log is next to it, with an empty environment."""
    return BuildSandbox(directory / "room", directory / "log", runner, {}, lambda: False)


def expect_inside(directory: Path, *argv: str) -> Expected:
    """Return a command that begins so, without network, and shown nothing of this machine but the sandbox."""
    binds = (Bind(directory / "room", PurePosixPath("/usr/src/venvpkg")),)
    return expect(*argv, ..., clean=True, binds=binds, masked=HIDDEN, network=False)


def sandbox_answering(directory: Path, argv: tuple[str, ...], answer: Answer) -> BuildSandbox:
    """Return a sandbox where one program is run."""
    return sandbox_of(directory, ScriptedRunner({expect_inside(directory, *argv): answer}))


def quiet_sandbox(directory: Path) -> BuildSandbox:
    """Return a sandbox where nothing is run."""
    return sandbox_of(directory, ScriptedRunner({}))
