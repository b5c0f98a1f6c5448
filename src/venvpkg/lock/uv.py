"""Run ``uv pip compile``: requirements in, uv's own pylock out, its failures in words that a user can act on."""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.console import Work
from venvpkg.errors import LockError
from venvpkg.host.oserrors import environment_error_in
from venvpkg.host.runner import Command
from venvpkg.index.urls import redact
from venvpkg.lock.lockfile import LockfileStore
from venvpkg.text import printable

if TYPE_CHECKING:
    from venvpkg.console import Reporter
    from venvpkg.errors import MachineError
    from venvpkg.host.runner import Completed, Runner
    from venvpkg.index.pip_settings import UvSettings
    from venvpkg.model.target import Target


# uv explains a conflict in a few lines, but prints a failing build backend's whole output.
_LONGEST: Final = 6000
# Of glibc 2, what uv 0.8 and later know on these machines without a gap.
_MANYLINUX_MINORS: Final = (31, 40)
_MANYLINUX_MACHINES: Final = frozenset({"x86_64", "aarch64"})
# The kernel's word → uv's name, of the machines that uv knows.
_PLATFORMS: Final = {
    "aarch64": "aarch64-unknown-linux-gnu",
    "loongarch64": "loongarch64-unknown-linux-gnu",
    "ppc64le": "powerpc64le-unknown-linux-gnu",
    "riscv64": "riscv64-unknown-linux",
    "s390x": "s390x-unknown-linux-gnu",
    "x86_64": "x86_64-unknown-linux-gnu",
}
# An index that answers slowly and a build backend that computes metadata both take minutes at most.
_TIMEOUT_S: Final = 1800.0

# What stops a build backend before its first line runs. uv's own --no-build is no help: it also refuses every sdist
# whose metadata is static, that is, each distribution without a wheel for the target. uv asks interpreters with -I,
# which ignores PYTHONPATH, but starts backends without it, so that only these import our sitecustomize.
_NO_BACKEND_MARK: Final = "venvpkg: no build backend runs here"
_NO_BACKEND: Final = f"""\
import os
os.write(2, b"{_NO_BACKEND_MARK}\\n")
os._exit(1)
"""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Everything that running uv takes.

    Attributes:
        uv: the program.
        settings: its environment.
        runner: the door to other programs.
        reporter: hears what happens.
        work: private directory of this run, on this machine; it exists.
        directory: where uv looks for ``[tool.uv]``: the application's directory, or ``/`` for none.
        offline: use nothing from the network, only uv's cache.
        lockfiles: held while the application's locks are read and written.
    """

    uv: Path
    settings: UvSettings
    runner: Runner
    reporter: Reporter
    work: Path
    directory: Path = Path("/")
    offline: bool = False
    lockfiles: LockfileStore = field(default_factory=LockfileStore)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to resolve.

    Attributes:
        requirements: PEP 508; or
        pyproject: a file whose [project] lists them, with these
        extras, and these
        groups of its [dependency-groups] (PEP 735).
        what: for people, ``guestbook``; begins a sentence.
        advice: what to do when there is no solution.
    """

    what: str
    advice: str = "Change the requirements, or the indexes (UV_*, PIP_*, pip.conf)."
    requirements: tuple[str, ...] = ()
    pyproject: Path | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def compile_lock(  # noqa: PLR0913  the last three are how, each with the usual answer as default
    wanted: Wanted,
    target: Target,
    resolver: Resolver,
    *,
    options: tuple[str, ...] = (),
    previous: str | None = None,
    backends: bool = True,
) -> Path:
    """Return uv's lock of ``wanted`` for the target's interpreter, in a directory of its own below ``resolver.work``.

    Args:
        wanted: what to resolve.
        target: for which interpreter.
        resolver: how.
        options: more options for uv.
        previous: text of an earlier lock, whose versions are kept where they still fit.
        backends: whether build backends of sdists without static metadata may run, on this machine, with network.

    Raises:
        LockError: uv found no solution, or could not look for one.
        MachineError: it had no space, or no permission to write.
    """
    directory = Path(tempfile.mkdtemp(prefix="resolve-", dir=resolver.work))
    output = directory / "pylock.toml"
    if previous is not None:
        output.write_text(previous, encoding="utf-8")
    environ = uv_environ(resolver, directory)
    if not backends:
        environ |= block_build_backends(directory)
    extras = (word for extra in wanted.extras for word in ("--extra", extra))
    groups = (word for group in wanted.groups for word in ("--group", f"{wanted.pyproject}:{group}"))
    source = "-" if wanted.pyproject is None else str(wanted.pyproject)
    command = Command(
        (
            str(resolver.uv), "pip", "compile", "--quiet", "--no-header", "--format", "pylock.toml",
            "--generate-hashes", *interpreter_options(target), *resolver.settings.arguments,
            *(("--offline",) if resolver.offline else ()), *_excludes(target, resolver, directory), *options,
            *extras, *groups,
            "--output-file", str(output), source,
        ),
        cwd=resolver.directory,
        env=environ,
        clean=True,
        stdin="".join(f"{line}\n" for line in wanted.requirements).encode() if wanted.pyproject is None else None,
        timeout_s=_TIMEOUT_S,
    )  # fmt: skip
    with resolver.reporter.task(Work.LOCK, f"resolving {wanted.what}"):
        done = resolver.runner.run(command)
    if not done.ok:
        raise _failure(done, wanted, target, resolver)
    if not output.is_file():
        raise LockError(f"uv wrote no lock of {wanted.what}.", details=explanation(done))
    return output


def interpreter_options(target: Target) -> tuple[str, ...]:
    """Return uv's options that make it resolve for the target's interpreter.

    One of another root cannot run here, so uv is told what it is. Build backends of sdists without static metadata
    then run with venvpkg's own; a wheel's requirements are checked again when all are staged. uv cannot be told of
    another implementation, nor of every machine: for PyPy, and for i686 or armv7l, it resolves for all, and the lock's
    own markers choose.
    """
    interpreter = target.interpreter
    if target.is_host:
        return ("--python", str(interpreter.path))
    version = ".".join(map(str, interpreter.version))
    platform = None if interpreter.is_pypy else _platform(target)
    where = ("--python-platform", platform) if platform is not None else ("--universal",)
    return ("--python", sys.executable, "--python-version", version, *where)


def _excludes(target: Target, resolver: Resolver, directory: Path) -> tuple[str, ...]:
    """Return uv's options that keep out what comes with the interpreter; PyPy's cffi can be of its own version only.

    uv takes the user's own list from its variable as long as there is no option.
    """
    names = [name for name, _ in target.interpreter.distributions]
    if not names:
        return ()
    file = directory / "excludes.txt"
    file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    files = [*resolver.settings.environ.get("UV_EXCLUDE", "").split(), str(file)]
    return tuple(word for each in files for word in ("--excludes", each))


def _platform(target: Target) -> str | None:
    """Return uv's name of the newest platform that it knows and the target is; None when it knows none."""
    oldest, newest = _MANYLINUX_MINORS
    glibc = target.interpreter.glibc
    if target.machine not in _MANYLINUX_MACHINES or glibc is None or glibc < (2, oldest):
        return _PLATFORMS.get(target.machine)
    return f"{target.machine}-manylinux_2_{min(glibc[1], newest)}"


def block_build_backends(directory: Path) -> dict[str, str]:
    """Return the variables under which uv starts no build backend; a file for it is written to ``directory``."""
    (directory / "sitecustomize.py").write_text(_NO_BACKEND, encoding="utf-8")
    return {"PYTHONPATH": str(directory)}


def uv_environ(resolver: Resolver, directory: Path) -> dict[str, str]:
    """Return uv's environment for a run with ``directory`` of its own."""
    return dict(resolver.settings.environ) | {
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "TMPDIR": str(directory),  # so that what a killed uv leaves behind goes with our own directory
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def _failure(done: Completed, wanted: Wanted, target: Target, resolver: Resolver) -> LockError | MachineError:
    text = explanation(done)
    refusal = environment_error_in(text)
    if refusal is not None:
        return refusal
    if _NO_BACKEND_MARK in done.errors:
        named = re.search(r"Failed to (?:download and )?build `([^`]+)`", done.errors)
        what = redact(named[1]) if named else wanted.what
        return LockError(
            f"{what} has no static metadata: what it depends on is known only after its build backend ran.",
            details="  A plan has no side effects, so it runs no backend.",
            resolution="Run 'venvpkg lock', which may run it; then plan again.",
        )
    if resolver.offline and "network was disabled" in done.errors:
        return LockError(
            f"The lock of {wanted.what} cannot be resolved offline: not everything is in uv's cache.",
            details=text,
            resolution="Run once without --offline.",
        )
    version = ".".join(map(str, target.interpreter.version))
    return LockError(
        f"{wanted.what} cannot be locked for {target.name} (Python {version}); uv {_ended(done)}.",
        details=text,
        resolution=wanted.advice,
    )


def _ended(done: Completed) -> str:
    # uv's exit codes: 1 for what it can explain, 2 for errors; both come with their reason.
    return "says why" if done.returncode in {1, 2} else f"ended: {done.outcome()}"


def explanation(done: Completed) -> str:
    """Return what uv said, indented, without secrets and escape sequences, and not too much of it."""
    text = redact(done.errors).strip()
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}\n[...]\n{text[-_LONGEST // 2 :]}"
    # What a build backend printed must not reach a terminal as escape sequences.
    text = printable(text, keep="\n")
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
