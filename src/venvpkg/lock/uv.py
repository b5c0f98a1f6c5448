"""Run ``uv pip compile`` to resolve requirements into a pylock.toml, and explain its failures."""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.console import Work
from venvpkg.errors import LockError
from venvpkg.host.command import Command
from venvpkg.host.oserrors import environment_error_in
from venvpkg.lock.lockfile import LockfileStore
from venvpkg.sources.diagnose import diagnose
from venvpkg.text import one_line, printable, redact

if TYPE_CHECKING:
    from venvpkg.console import Reporter
    from venvpkg.errors import MachineError
    from venvpkg.host.command import Completed, Runner
    from venvpkg.index.pip_settings import UvSettings
    from venvpkg.model.target import Target


# uv explains a conflict in a few lines, but prints the whole output of a failing build backend.
_LONGEST: Final = 6000
# Range of glibc 2 minor versions that uv 0.8 and later support on these machines.
_MANYLINUX_MINORS: Final = (31, 40)
_MANYLINUX_MACHINES: Final = frozenset({"x86_64", "aarch64"})
# The kernel's name of a machine → uv's platform.
_PLATFORMS: Final = {
    "aarch64": "aarch64-unknown-linux-gnu",
    "loongarch64": "loongarch64-unknown-linux-gnu",
    "ppc64le": "powerpc64le-unknown-linux-gnu",
    "riscv64": "riscv64-unknown-linux",
    "s390x": "s390x-unknown-linux-gnu",
    "x86_64": "x86_64-unknown-linux-gnu",
}
# A slow index, or a build backend that computes metadata, takes minutes at most.
_TIMEOUT_S: Final = 1800.0

_FAILED_BACKEND: Final = re.compile(
    r"Failed to (?:download and )?build `([^`]+)`(?:.|\n)*?build backend returned an error"
)
_YANKED: Final = re.compile(r"^warning: `([^`=]+)==([^`]+)` is yanked(?: \(reason: \"(.*)\"\))?", re.MULTILINE)
_NAME_AND_VERSION: Final = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+_-]+)")
# Matches the advice of ``diagnose``, which is written for compiles on the target.
_MISSING: Final = re.compile(r"Install (the package that ships .*), and add it to build-depends")

# A sitecustomize that stops a build backend before its first line runs. uv's own --no-build does not help: it also
# rejects sdists with static metadata, and so every distribution without a wheel for the target. uv queries interpreters
# with -I, which ignores PYTHONPATH, but runs backends without it, so that only backends import this sitecustomize.
_NO_BACKEND_MARK: Final = "venvpkg: no build backend runs here"
_NO_BACKEND: Final = f"""\
import os
os.write(2, b"{_NO_BACKEND_MARK}\\n")
os._exit(1)
"""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Everything needed to run uv.

    Attributes:
        uv: path of the program.
        settings: its variables and arguments.
        runner: runs it.
        reporter: receives progress.
        work: existing private directory of this run, on this machine.
        directory: working directory, where uv looks for ``[tool.uv]``: the application's directory, or ``/`` for none.
        offline: use only uv's cache, not the network.
        lockfiles: to be held while the application's lockfiles are read and written.
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
class LockRequest:
    """Requirements to resolve, either listed or from a pyproject.toml.

    Attributes:
        what: name for messages, ``guestbook``; begins a sentence.
        advice: what to do if there is no solution.
        requirements: requirements (PEP 508), if there is no ``pyproject``.
        pyproject: pyproject.toml whose [project] lists the requirements, or else a setup.py.
        extras: extras of that project.
        groups: groups in its [dependency-groups] (PEP 735).
        options: additional options for uv.
        constraints: constraints on the versions.
        previous: text of an earlier lock, whose versions are kept if they still fit.
        build_depends: native packages needed to compile the application, for advice.
        sources: names of distributions in directories, whose backends are run again: uv caches their metadata, and
            cannot know which files it depends on.
    """

    what: str
    advice: str = "Change the requirements, or the indexes (UV_*, PIP_*, pip.conf)."
    requirements: tuple[str, ...] = ()
    pyproject: Path | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    previous: str | None = None
    build_depends: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def compile_lock(request: LockRequest, target: Target, resolver: Resolver, *, backends: bool = True) -> Path:
    """Resolve for the target's interpreter and return the path of uv's lock, in a new directory of the resolver.

    Args:
        request: the requirements.
        target: has the interpreter.
        resolver: how to run uv.
        backends: whether build backends of sdists without static metadata may run, on this machine, with network.

    Raises:
        LockError: uv found no solution, or failed otherwise.
        MachineError: uv had no space or no permission to write.
    """
    directory = Path(tempfile.mkdtemp(prefix="resolve-", dir=resolver.work))
    output = directory / "pylock.toml"
    if request.previous is not None:
        output.write_text(request.previous, encoding="utf-8")
    options = request.options
    if request.constraints:
        constraints = directory / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in request.constraints), encoding="utf-8")
        options = (*options, "--constraint", str(constraints))
    environ = uv_environ(resolver, directory)
    if not backends:
        environ |= block_build_backends(directory)
    extras = (word for extra in request.extras for word in ("--extra", extra))
    groups = (word for group in request.groups for word in ("--group", f"{request.pyproject}:{group}"))
    source = "-" if request.pyproject is None else str(request.pyproject)
    command = Command(
        (
            str(resolver.uv), "pip", "compile", "--no-header", "--format", "pylock.toml",
            "--generate-hashes", *interpreter_options(target), *resolver.settings.arguments,
            *(("--offline",) if resolver.offline else ()), *_exclude_options(target, resolver, directory), *options,
            *extras, *groups, *(word for name in request.sources for word in ("--refresh-package", name)),
            "--output-file", str(output), source,
        ),
        cwd=resolver.directory,
        env=environ,
        clean=True,
        stdin="".join(f"{line}\n" for line in request.requirements).encode() if request.pyproject is None else None,
        timeout_s=_TIMEOUT_S,
    )  # fmt: skip
    with resolver.reporter.task(Work.LOCK, f"resolving {request.what}"):
        done = resolver.runner.run(command)
    if not done.ok:
        raise _to_error(done, request, target, resolver)
    if not output.is_file():
        raise LockError(f"uv did not write a lock of {request.what}.", details=error_output(done))
    # uv accepts a pin to a yanked release with a warning, which --quiet would suppress.
    for name, version, reason in _YANKED.findall(done.errors):
        why = f": {one_line(reason)}" if reason else ""
        resolver.reporter.warn(f"{name} {version} was yanked from its index{why}; pin another version if you can")
    return output


def interpreter_options(target: Target) -> tuple[str, ...]:
    """Return the options that make uv resolve for the target's interpreter.

    The interpreter of another root cannot run here, so it is described to uv. Build backends of sdists without static
    metadata then run with venvpkg's own interpreter; the wheels' requirements are checked again during staging. Other
    implementations and some machines cannot be described to uv. For PyPy, and for i686 or armv7l, it therefore resolves
    for all environments, and the markers in the lock select the packages.
    """
    interpreter = target.interpreter
    if target.is_host:
        return ("--python", str(interpreter.path))
    version = ".".join(map(str, interpreter.version))
    platform = None if interpreter.is_pypy else _platform(target)
    where = ("--python-platform", platform) if platform is not None else ("--universal",)
    return ("--python", sys.executable, "--python-version", version, *where)


def _exclude_options(target: Target, resolver: Resolver, directory: Path) -> tuple[str, ...]:
    """Return the options that exclude distributions bundled with the interpreter, such as PyPy's own cffi.

    The options include the user's own list, because uv ignores its variable if the option is used.
    """
    names = [name for name, _ in target.interpreter.distributions]
    if not names:
        return ()
    file = directory / "excludes.txt"
    file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    files = [*resolver.settings.environ.get("UV_EXCLUDE", "").split(), str(file)]
    return tuple(word for each in files for word in ("--excludes", each))


def _platform(target: Target) -> str | None:
    """Return the newest of uv's platforms that the target supports; None if there is none."""
    oldest, newest = _MANYLINUX_MINORS
    glibc = target.interpreter.glibc
    if target.machine not in _MANYLINUX_MACHINES or glibc is None or glibc < (2, oldest):
        return _PLATFORMS.get(target.machine)
    return f"{target.machine}-manylinux_2_{min(glibc[1], newest)}"


def block_build_backends(directory: Path) -> dict[str, str]:
    """Write a sitecustomize that blocks build backends to ``directory``, and return the variables that activate it."""
    (directory / "sitecustomize.py").write_text(_NO_BACKEND, encoding="utf-8")
    return {"PYTHONPATH": str(directory)}


def uv_environ(resolver: Resolver, directory: Path) -> dict[str, str]:
    """Return uv's variables for a run with ``directory`` as its temporary directory.

    Build backends run in the project's own directory. setuptools is configured to write its ``NAME.egg-info``
    elsewhere.

    Source:
        setuptools, ``DIST_EXTRA_CONFIG`` in ``setuptools.dist``, and the option ``egg_base`` of ``egg_info``.
    """
    metadata = directory / "egg-info"
    metadata.mkdir(exist_ok=True)
    configuration = directory / "setup.cfg"
    escaped = str(metadata).replace("%", "%%")
    configuration.write_text(f"[egg_info]\negg_base = {escaped}\n", encoding="utf-8")
    return dict(resolver.settings.environ) | {
        "DIST_EXTRA_CONFIG": str(configuration),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "TMPDIR": str(directory),  # leftovers of a killed uv are removed with this directory
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def _to_error(done: Completed, request: LockRequest, target: Target, resolver: Resolver) -> LockError | MachineError:
    text = error_output(done)
    machine_error = environment_error_in(text)
    if machine_error is not None:
        return machine_error
    if _NO_BACKEND_MARK in done.errors:
        match = re.search(r"Failed to (?:download and )?build `([^`]+)`", done.errors)
        what = redact(match[1]) if match else request.what
        return LockError(
            f"{what} has no static metadata: only its build backend can determine its dependencies.",
            details="  A plan has no side effects, so it does not run build backends.",
            resolution="Run 'venvpkg lock', which may run the backend; then plan again.",
        )
    if resolver.offline and "network was disabled" in done.errors:
        return LockError(
            f"{request.what} could not be locked offline: uv's cache is incomplete.",
            details=text,
            resolution="Run once without --offline.",
        )
    version = ".".join(map(str, target.interpreter.version))
    failed = _FAILED_BACKEND.search(done.errors)
    if failed:
        return LockError(
            f"{request.what} could not be locked for {target.name} (Python {version}): the build backend of"
            f" {redact(failed[1])} failed on this machine.",
            details="  It has no static metadata, so only its backend can determine its dependencies. It runs on this"
            f" machine{'' if target.is_host else ', not on the target'}; build-depends are not installed for it.\n"
            f"{text}",
            resolution=_advise_for_backend(failed[1], done.errors, request),
        )
    return LockError(
        f"{request.what} could not be locked for {target.name} (Python {version}); {_uv_status(done)}.",
        details=text,
        resolution=request.advice,
    )


def _advise_for_backend(what: str, errors: str, request: LockRequest) -> str:
    """Return advice for a failed backend: install its prerequisites on this machine, or declare the metadata."""
    missing = [match[1] for each in diagnose(errors).advice if (match := _MISSING.search(each))]
    packages = f"build-depends: {', '.join(request.build_depends)}" if request.build_depends else ""
    needs = "; ".join((*missing, *filter(None, (packages,))))
    advice = f"Install its prerequisites on this machine{f' ({needs})' if needs else ''}."
    release = _NAME_AND_VERSION.fullmatch(what)
    if release is None:
        return advice
    table, where = "tool.uv.dependency-metadata", "pyproject.toml"
    if request.pyproject is None:
        table, where = "dependency-metadata", "a uv.toml, and set UV_CONFIG_FILE to its absolute path"
    lines = (f"[[{table}]]", f'name = "{release[1]}"', f'version = "{release[2]}"', "requires-dist = []")
    instead = f"Or list its dependencies in {where}, so that no backend runs:"
    return "\n".join((advice, instead, *(f"  {line}" for line in lines)))


def _uv_status(done: Completed) -> str:
    # uv's exit codes: 1 for resolution failures, 2 for errors; it prints the reason for both.
    return "uv's output follows" if done.returncode in {1, 2} else f"uv failed: {done.outcome()}"


def error_output(done: Completed) -> str:
    """Return a program's standard error for an error's details: indented, shortened, without secrets or escapes."""
    text = redact(done.errors).strip()
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}\n[...]\n{text[-_LONGEST // 2 :]}"
    # A build backend's output may contain escape sequences.
    text = printable(text, keep="\n")
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
