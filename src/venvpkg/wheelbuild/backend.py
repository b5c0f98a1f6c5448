"""Create the build environment of a backend in its sandbox, and call the backend's hooks (PEP 517)."""

from __future__ import annotations

import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from venvpkg.errors import CompileError
from venvpkg.sources.build_sandbox import MOUNTPOINT
from venvpkg.wheelbuild import run_hook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from venvpkg.host.command import Completed
    from venvpkg.model.lock import RemoteFile
    from venvpkg.sources.build_sandbox import BuildSandbox
    from venvpkg.sources.build_system import BuildSystem
    from venvpkg.wheelhouse.key import Toolchain


# Options against all settings, caches, indexes and interpreters that are not given explicitly.
_UV_OPTIONS = ("--quiet", "--no-config", "--offline", "--no-cache", "--no-python-downloads", "--no-progress")
# Directory in the sandbox for uv's loader and libraries, if the target cannot have them.
_UV_LIBRARIES = "tool/host"
# The same for git, and the directory in which it is found.
_GIT = "tool/git"
_GIT_BIN = "tool/bin"
_PATH = "/usr/bin:/bin"
_LARGEST_ANSWER_BYTES = 4 << 20


class HookFailedError(Exception):
    """A step in the sandbox failed; the message says how, the log says why."""


def tools(uv: Path) -> tuple[tuple[Path, str], ...]:
    """Return the tools that venvpkg runs in a sandbox, and their paths there: uv, the hook script, pyproject_hooks."""
    spec = find_spec("pyproject_hooks")
    if spec is None or spec.origin is None:
        raise CompileError("pyproject_hooks is not installed next to venvpkg.", resolution="Reinstall venvpkg.")
    return (
        (uv, "tool/uv"),
        (Path(run_hook.__file__), "tool/run_hook.py"),
        (Path(spec.origin).parent, "tool/pyproject_hooks"),
    )


def prepare_directories(sandbox: BuildSandbox, uv_libraries: Iterable[Path] = (), git: Sequence[Path] = ()) -> None:
    """Create the directories that programs expect in the sandbox.

    Args:
        sandbox: the job's sandbox.
        uv_libraries: uv's loader and libraries, for a target with another processor.
        git: this machine's git with its loader and libraries; empty to use the target's own.
    """
    for name in ("home", "tmp", "build", "tool"):
        sandbox.recreate(name)
    for number, file in enumerate(uv_libraries):
        if number == 0:
            sandbox.recreate(_UV_LIBRARIES)
        shutil.copy(file, sandbox / _UV_LIBRARIES)
    if git:
        _lay_git(sandbox, git)


def _lay_git(sandbox: BuildSandbox, files: Sequence[Path]) -> None:
    """Copy git into the sandbox, with a script that starts it through its own loader."""
    place = sandbox.recreate(_GIT)
    for file in files:
        shutil.copy(file, place)
    here = MOUNTPOINT / _GIT
    loader = next((f"{here / file.name} --library-path {here} " for file in files if file.name.startswith("ld")), "")
    script = sandbox.recreate(_GIT_BIN) / "git"
    script.write_text(f'#!/bin/sh\nexec {loader}{here / files[0].name} "$@"\n', "ascii")
    script.chmod(0o755)


def git_variables(*, has_own: bool) -> dict[str, str]:
    """Return the variables of a build that sees a repository: git reads only the repository's own settings.

    Args:
        has_own: whether ``prepare_directories`` copied git into the sandbox.
    """
    own = {"GIT_EXEC_PATH": f"{MOUNTPOINT}/{_GIT_BIN}", "PATH": f"{MOUNTPOINT}/env/bin:{MOUNTPOINT}/{_GIT_BIN}:{_PATH}"}
    return (own if has_own else {}) | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def create_build_environment(
    sandbox: BuildSandbox,
    interpreter: PurePosixPath,
    requirements: Iterable[RemoteFile],
    paths: Mapping[RemoteFile, Path],
) -> None:
    """Create the build environment, with exactly these wheels in it.

    Raises:
        HookFailedError: uv failed; the log says why.
        CompileError: the pin of a requirement is not a wheel.
    """
    shutil.rmtree(sandbox / "env", ignore_errors=True)
    wheels = sandbox.recreate("wheels")
    pins = []
    for file in requirements:
        pins.append(f"{_exact_requirement(file)} --hash=sha256:{file.sha256}\n")
        shutil.copyfile(paths[file], wheels / file.filename)
    (sandbox / "pins.txt").write_text("".join(sorted(pins)), "utf-8")
    uv = (*_uv_command(sandbox), *_UV_OPTIONS)
    _require_success(sandbox.run((*uv, "venv", "--no-project", "--python", str(interpreter), "env")))
    if pins:
        _require_success(sandbox.run(
            (*uv, "pip", "install", "--python", "env/bin/python", "--no-index", "--find-links", "wheels", "--no-deps",
             "--require-hashes", "--link-mode", "copy", "--requirement", "pins.txt")
        ))  # fmt: skip


def get_build_requires(sandbox: BuildSandbox, interpreter: PurePosixPath, system: BuildSystem) -> tuple[str, ...]:
    """Return the backend's additional requirements to build wheels, sorted; empty for a backend without that hook.

    Raises:
        HookFailedError: the hook failed, or did not return a list of strings.
    """
    answer = _call_hook(sandbox, interpreter, system, "get_requires_for_build_wheel", {})
    if not isinstance(answer, list) or not all(isinstance(each, str) for each in answer):
        raise HookFailedError("the backend did not return a list of requirements")
    return tuple(sorted(set(answer)))


def build_raw_wheel(sandbox: BuildSandbox, interpreter: PurePosixPath, system: BuildSystem) -> Path:
    """Build a wheel with the backend, and return its path.

    Raises:
        HookFailedError: the hook failed, or returned the name of a wheel that does not exist.
    """
    out = sandbox.recreate("out")
    answer = _call_hook(sandbox, interpreter, system, "build_wheel", {"wheel_directory": f"{MOUNTPOINT}/out"})
    if not isinstance(answer, str) or "/" in answer or "\0" in answer:
        raise HookFailedError("the backend did not return a file name")
    wheel = out / answer
    if wheel.is_symlink() or not wheel.is_file():
        raise HookFailedError("the backend returned the name of a wheel that does not exist")
    return wheel


def _uv_command(sandbox: BuildSandbox) -> tuple[str, ...]:
    """Return the beginning of uv's command line, with uv's own loader for a target with another processor.

    The kernel runs this machine's programs in every root.

    Source:
        ld.so(8), --library-path.
    """
    loaders = sorted((sandbox / _UV_LIBRARIES).glob("ld*"))
    if not loaders:
        return ("tool/uv",)
    return (f"{_UV_LIBRARIES}/{loaders[0].name}", "--library-path", str(MOUNTPOINT / _UV_LIBRARIES), "tool/uv")


def _call_hook(
    sandbox: BuildSandbox, interpreter: PurePosixPath, system: BuildSystem, hook: str, arguments: Mapping[str, object]
) -> object:
    request = {
        "hook": hook,
        "kwargs": {"config_settings": dict(backend_settings(system)), **arguments},
        "source": str(MOUNTPOINT / "src" / system.subdirectory),
        "backend": system.backend,
        "backend_path": list(system.backend_path),
        "python": f"{MOUNTPOINT}/env/bin/python",
    }
    (sandbox / "request.json").write_text(json.dumps(request), "utf-8")
    answer = sandbox / "answer.json"
    answer.unlink(missing_ok=True)
    _require_success(sandbox.run((str(interpreter), "-I", "tool/run_hook.py", "request.json", "answer.json")))
    try:
        if answer.is_symlink() or answer.stat().st_size > _LARGEST_ANSWER_BYTES:
            raise HookFailedError("the backend's answer is too long")
        document = json.loads(answer.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise HookFailedError("the backend gave no answer") from error
    return document.get("value") if isinstance(document, dict) else None


def _require_success(done: Completed) -> None:
    if not done.ok:
        raise HookFailedError(done.outcome())


def _exact_requirement(file: RemoteFile) -> str:
    try:
        name, version, _, _ = parse_wheel_filename(file.filename)
    except InvalidWheelFilename as error:
        raise CompileError(
            f"the build requirement {file.filename} is not a wheel.",
            resolution="Remove the lock of build requirements and build again to recreate it.",
        ) from error
    return f"{name}=={version}"


# By default these backends build in a directory with a random name, which then appears in their output.
_BUILD_DIR_BACKENDS = frozenset({"mesonpy", "scikit_build_core.build"})
_COMPILER_FLAGS = ("CFLAGS", "CXXFLAGS", "FFLAGS", "FCFLAGS", "OBJCFLAGS", "OBJCXXFLAGS")
_UNSAFE_CHARACTER = re.compile(r"[^A-Za-z0-9.+_-]")


def build_variables(label: str, epoch: int, toolchain: Toolchain, cores: int) -> dict[str, str]:
    """Return the full environ of a build.

    Compilers record the source's directory as ``/usr/src/NAME-VERSION``, as in debug packages. Extension modules of one
    setuptools project are not compiled in parallel (build_ext's ``parallel``): two modules with a C file in common
    would write the same object file at the same time.

    Args:
        label: ``lxml-6.1.3``.
        epoch: SOURCE_DATE_EPOCH, seconds since 1970 UTC.
        toolchain: the target's toolchain.
        cores: number of cores for this build.
    """
    source = f"/usr/src/{_UNSAFE_CHARACTER.sub('_', label)}"
    maps = ((f"{MOUNTPOINT}/src", source), (f"{MOUNTPOINT}/build", f"{source}/build"),
            (f"{MOUNTPOINT}/env", "/usr/src/env"))  # fmt: skip
    flags = dict(toolchain.flags)
    for name in _COMPILER_FLAGS:
        if name in flags:
            flags[name] = " ".join((flags[name], *(f"-ffile-prefix-map={old}={new}" for old, new in maps))).strip()
    rust = (*maps, (f"{MOUNTPOINT}/home/.cargo", "/usr/src/cargo"))
    return flags | {
        "PATH": f"{MOUNTPOINT}/env/bin:{_PATH}",
        "HOME": f"{MOUNTPOINT}/home",
        "TMPDIR": str(MOUNTPOINT / "tmp"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        # Otherwise importing setup.py's helpers would leave bytecode among the sources.
        "PYTHONPYCACHEPREFIX": str(MOUNTPOINT / "tmp" / "pycache"),
        "RUSTFLAGS": " ".join(f"--remap-path-prefix={old}={new}" for old, new in rust),
        "CARGO_HOME": f"{MOUNTPOINT}/home/.cargo",
        "CARGO_NET_OFFLINE": "true",
        # Otherwise maturin, if it finds no cargo, requests a build requirement that downloads one.
        "MATURIN_NO_INSTALL_RUST": "1",
        "CARGO_BUILD_JOBS": str(cores),
        "MAKEFLAGS": f"-j{cores}",
        "CMAKE_BUILD_PARALLEL_LEVEL": str(cores),
        "NPY_NUM_BUILD_JOBS": str(cores),
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def backend_settings(system: BuildSystem) -> Mapping[str, str]:
    """Return the config settings (PEP 517) for a backend."""
    if system.backend.partition(":")[0] in _BUILD_DIR_BACKENDS:
        return {"build-dir": f"{MOUNTPOINT}/build"}
    return {}
