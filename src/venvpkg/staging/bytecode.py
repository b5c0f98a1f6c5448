"""Compile the environment's modules to bytecode with the target's interpreter."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.host.refusals import refusal_told
from venvpkg.host.runner import Command
from venvpkg.staging.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.console import Report
    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Target

_TIMEOUT_S = 1800.0
# How compileall tells of a file; what it quotes from a module is indented.
_SYSTEM_ERROR = re.compile(r"^[A-Za-z]+Error: \[Errno .*", re.MULTILINE)


def compile_bytecode(destdir: Path, prefix: PurePosixPath, target: Target, runner: Runner, report: Report) -> None:
    """Write a ``.pyc`` beside every module of the environment that compiles.

    The bytecode is shipped, so that nothing is written below the prefix on the target and a purge leaves nothing. It
    is never checked against its source there (``unchecked-hash``): the files are the package's, and their times are
    not. Code objects name the path on the target. Modules that do not compile, such as templates or tests for another
    Python, are told and shipped as they are.

    Raises:
        StagingError: the interpreter failed, rather than a module.
        MachineError: there was no space, or no permission, to write the bytecode.

    Source:
        PEP 552; Python documentation, compileall.
    """
    done = runner.run(
        Command(
            (
                str(target.interpreter.path), "-s", "-m", "compileall", "-q", "-j0",
                "--invalidation-mode", "unchecked-hash",
                "-s", str(destdir), "-p", "/",
                str(destdir / (prefix / "lib").relative_to("/")),
            ),
            cwd=PurePosixPath("/"),
            # Not -I, which would ignore the seed: before Python 3.11 the order of a constant set follows the hashes.
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"},
            clean=True,
            timeout_s=_TIMEOUT_S,
        )
    )  # fmt: skip
    # compileall takes a file that it cannot write for a module that does not compile, and goes on.
    lacking = refusal_told("\n".join(_SYSTEM_ERROR.findall(done.text)))
    if lacking is not None:
        raise lacking
    refused = [line.removeprefix("*** ") for line in done.text.splitlines() if line.startswith("*** Error compiling")]
    # compileall's exit status for modules that do not compile is that of a traceback too.
    if not done.ok and not (done.returncode == 1 and refused):
        raise StagingError(
            f"{target.interpreter.path} cannot compile bytecode: {done.outcome()}.",
            details="\n".join(f"  {line}" for line in done.errors.splitlines()[-20:]),
        )
    for line in refused:
        report.detail(f"not compiled: {one_line(line)}")
