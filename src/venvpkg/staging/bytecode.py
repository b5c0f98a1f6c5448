"""Compile modules to bytecode with the target's interpreter."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import StagingError
from venvpkg.host.command import Bind, Command
from venvpkg.host.oserrors import environment_error_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from venvpkg.host.command import Runner
    from venvpkg.model.target import Target


_TIMEOUT_S = 1800.0
# The last line of a traceback. Lines quoted from a module are indented.
_SYSTEM_ERROR = re.compile(r"^[A-Za-z]+Error: \[Errno .*", re.MULTILINE)

# ``compileall -j`` for a list of files: the command line of compileall takes whole directories, or compiles one file
# after the other. Runs on Python 3.9 and later with the standard library alone. It is a partial because from Python
# 3.14 on, workers cannot import a function defined here.
_COMPILE = """
import compileall, functools, importlib.util, json, marshal, os, py_compile, sys
from concurrent.futures import ProcessPoolExecutor
root, modules = json.load(sys.stdin)
files = [root + module for module in modules]
compile_file = functools.partial(
    compileall.compile_file, quiet=2, stripdir=root, prependdir="/",
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
def is_whole(bytecode):
    with open(bytecode, "rb") as file:
        content = file.read()
    try:
        marshal.loads(content[16:])
    except (EOFError, TypeError, ValueError):
        return False
    return True
workers = max(1, min(os.cpu_count() or 1, 61, len(files) // 8))
with ProcessPoolExecutor(workers) as pool:
    compiled = list(pool.map(compile_file, files, chunksize=max(1, min(32, len(files) // (4 * workers)))))
for number, file in enumerate(files):
    if compiled[number]:
        continue
    try:
        with open(file, "rb") as module:
            compile(module.read(), file, "exec", dont_inherit=True)
    except Exception:
        continue
    # It does compile. compile_file takes a file that it cannot write for one that does not: let it say why.
    py_compile.compile(file, dfile=file[len(root):], doraise=True,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    compiled[number] = True
paths = [importlib.util.cache_from_source(file) for file in files]
for path, ok in zip(paths, compiled):
    if ok and not is_whole(path):
        # importlib ignores short writes. Writing more makes the kernel report the reason.
        with open(path, "ab") as file:
            file.write(bytes(1 << 20))
        sys.exit("OSError: [Errno 5] Input/output error: " + repr(path))
print(json.dumps([path[len(root):] if ok else None for path, ok in zip(paths, compiled)]))
"""


def compile_bytecode(
    destdir: Path, modules: Sequence[PurePosixPath], target: Target, runner: Runner
) -> Mapping[PurePosixPath, PurePosixPath]:
    """Write a ``.pyc`` next to every module that compiles.

    The bytecode is shipped, so that the target never writes below the prefix and a purge leaves nothing behind. It is
    never compared with its source there (``unchecked-hash``): the package owns both files, but not their times. Code
    objects name the path on the target.

    Args:
        destdir: staging root on this machine.
        modules: staged source files, as paths on the target.
        target: its interpreter compiles.
        runner: runs the interpreter.

    Returns:
        Module → its bytecode, both as paths on the target. Modules that do not compile, such as templates or tests for
        another Python, are left out.

    Raises:
        StagingError: the interpreter itself failed.
        MachineError: the bytecode could not be written completely, for lack of space or permission.

    Source:
        PEP 552; Python documentation, compileall.
    """
    if not modules:
        return {}
    done = runner.run(
        Command(
            (str(target.interpreter.path), "-s", "-c", _COMPILE),
            cwd=PurePosixPath("/"),
            # Not -I, which would ignore the seed: before Python 3.11 the order of a constant set follows the hashes.
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"},
            clean=True,
            binds=(Bind.in_place(destdir),),
            stdin=json.dumps([str(destdir), [str(module) for module in modules]]).encode(),
            timeout_s=_TIMEOUT_S,
        )
    )
    paths = _parse_answer(done.text) if done.ok else None
    if paths is None or len(paths) != len(modules):
        system_error = environment_error_in("\n".join(_SYSTEM_ERROR.findall(done.errors)))
        if system_error is not None:
            raise system_error
        raise StagingError(
            f"{target.interpreter.path} failed to compile bytecode: {done.outcome()}.",
            details="\n".join(f"  {line}" for line in done.errors.splitlines()[-20:]),
        )
    return {module: PurePosixPath(path) for module, path in zip(modules, paths, strict=True) if path is not None}


def _parse_answer(text: str) -> list[str | None] | None:
    """Return the list that the script prints: one path or None for each module; None when there is no such list."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, list) else None
