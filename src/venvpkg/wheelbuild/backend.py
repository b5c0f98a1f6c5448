"""Talk with a build backend inside its sandbox: make its environment, call its hooks (PEP 517)."""

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
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath

    from venvpkg.host.command import Completed
    from venvpkg.model.lock import RemoteFile
    from venvpkg.sources.build_sandbox import BuildSandbox
    from venvpkg.sources.build_system import BuildSystem
    from venvpkg.wheelhouse.key import Toolchain


# uv as we want it everywhere: no settings, caches, indexes or interpreters but those we name.
_UV = ("--quiet", "--no-config", "--offline", "--no-cache", "--no-python-downloads", "--no-progress")
# Where a sandbox has what uv is loaded with, if the target has none of it.
_LOADED_WITH = "tool/host"
_LARGEST_ANSWER_BYTES = 4 << 20


class HookFailedError(Exception):
    """A step inside the sandbox failed, and how; the log tells why."""


def tools(uv: Path) -> tuple[tuple[Path, str], ...]:
    """Return what venvpkg itself runs in a sandbox, and where: uv, the hook script and pyproject_hooks."""
    spec = find_spec("pyproject_hooks")
    if spec is None or spec.origin is None:
        raise CompileError("pyproject_hooks is not installed beside venvpkg.", resolution="Install venvpkg again.")
    return (
        (uv, "tool/uv"),
        (Path(run_hook.__file__), "tool/run_hook.py"),
        (Path(spec.origin).parent, "tool/pyproject_hooks"),
    )


def prepare_directories(sandbox: BuildSandbox, loaded_with: Iterable[Path] = ()) -> None:
    """Make the directories that programs in the sandbox find there.

    Args:
        sandbox: of the job.
        loaded_with: loader and libraries of uv, for a target of another processor, which has no such ones.
    """
    for name in ("home", "tmp", "build", "tool"):
        sandbox.recreate(name)
    for number, file in enumerate(loaded_with):
        if number == 0:
            sandbox.recreate(_LOADED_WITH)
        shutil.copy(file, sandbox / _LOADED_WITH)


def make_environment(
    sandbox: BuildSandbox,
    interpreter: PurePosixPath,
    requirements: Iterable[RemoteFile],
    paths: Mapping[RemoteFile, Path],
) -> None:
    """Make the virtual environment of the build, with exactly these wheels in it.

    Raises:
        HookFailedError: uv could not; the log tells why.
        CompileError: a requirement is pinned to something else than a wheel.
    """
    shutil.rmtree(sandbox / "env", ignore_errors=True)
    wheels = sandbox.recreate("wheels")
    pins = []
    for file in requirements:
        pins.append(f"{_exact(file)} --hash=sha256:{file.sha256}\n")
        shutil.copyfile(paths[file], wheels / file.filename)
    (sandbox / "pins.txt").write_text("".join(sorted(pins)), "utf-8")
    uv = (*_uv(sandbox), *_UV)
    _must(sandbox.run((*uv, "venv", "--no-project", "--python", str(interpreter), "env")))
    if pins:
        _must(sandbox.run(
            (*uv, "pip", "install", "--python", "env/bin/python", "--no-index", "--find-links", "wheels", "--no-deps",
             "--require-hashes", "--link-mode", "copy", "--requirement", "pins.txt")
        ))  # fmt: skip


def ask_requires(sandbox: BuildSandbox, interpreter: PurePosixPath, system: BuildSystem) -> tuple[str, ...]:
    """Return what the backend wants in addition to build wheels; nothing for a backend without that hook.

    Raises:
        HookFailedError: the hook failed, or its answer is no list of text.
    """
    answer = _call(sandbox, interpreter, system, "get_requires_for_build_wheel", {})
    if not isinstance(answer, list) or not all(isinstance(each, str) for each in answer):
        raise HookFailedError("the backend's answer is no list of requirements")
    return tuple(sorted(set(answer)))


def build_raw_wheel(sandbox: BuildSandbox, interpreter: PurePosixPath, system: BuildSystem) -> Path:
    """Return the wheel that the backend built, as it left it.

    Raises:
        HookFailedError: the hook failed, or names a wheel that is not there.
    """
    out = sandbox.recreate("out")
    answer = _call(sandbox, interpreter, system, "build_wheel", {"wheel_directory": f"{MOUNTPOINT}/out"})
    if not isinstance(answer, str) or "/" in answer or "\0" in answer:
        raise HookFailedError("the backend's answer is no file name")
    wheel = out / answer
    if wheel.is_symlink() or not wheel.is_file():
        raise HookFailedError("the backend names a wheel that is not there")
    return wheel


def _uv(sandbox: BuildSandbox) -> tuple[str, ...]:
    """Return what starts uv: uv itself, or its own loader; the kernel runs this machine's programs in every root.

    Source:
        ld.so(8), --library-path.
    """
    loaders = sorted((sandbox / _LOADED_WITH).glob("ld*"))
    if not loaders:
        return ("tool/uv",)
    return (f"{_LOADED_WITH}/{loaders[0].name}", "--library-path", str(MOUNTPOINT / _LOADED_WITH), "tool/uv")


def _call(
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
    _must(sandbox.run((str(interpreter), "-I", "tool/run_hook.py", "request.json", "answer.json")))
    try:
        if answer.is_symlink() or answer.stat().st_size > _LARGEST_ANSWER_BYTES:
            raise HookFailedError("the backend's answer is too long")
        document = json.loads(answer.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise HookFailedError("the backend gave no answer") from error
    return document.get("value") if isinstance(document, dict) else None


def _must(done: Completed) -> None:
    if not done.ok:
        raise HookFailedError(done.outcome())


def _exact(file: RemoteFile) -> str:
    try:
        name, version, _, _ = parse_wheel_filename(file.filename)
    except InvalidWheelFilename as error:
        raise CompileError(
            f"The build requirement {file.filename} is no wheel.",
            resolution="Remove the lock of build requirements and build again; it is made anew.",
        ) from error
    return f"{name}=={version}"


# These backends otherwise build in a directory with a random name, which then is in what they build.
_BUILD_DIR_BACKENDS = frozenset({"mesonpy", "scikit_build_core.build"})
_COMPILER_FLAGS = ("CFLAGS", "CXXFLAGS", "FFLAGS", "FCFLAGS", "OBJCFLAGS", "OBJCXXFLAGS")
_UNPLAIN = re.compile(r"[^A-Za-z0-9.+_-]")


def build_variables(label: str, epoch: int, toolchain: Toolchain, cores: int) -> dict[str, str]:
    """Return the whole environment of a build.

    Compilers call the source ``/usr/src/NAME-VERSION``, as debug packages do, wherever its directory shows up.
    Extension modules of one setuptools project are not compiled in parallel (build_ext's ``parallel``): two of them
    that share a C file would write the same object file at the same time.

    Args:
        label: ``lxml-6.1.3``.
        epoch: SOURCE_DATE_EPOCH, seconds since 1970 UTC.
        toolchain: of the target.
        cores: that this build may use.
    """
    known_as = f"/usr/src/{_UNPLAIN.sub('_', label)}"
    maps = ((f"{MOUNTPOINT}/src", known_as), (f"{MOUNTPOINT}/build", f"{known_as}/build"),
            (f"{MOUNTPOINT}/env", "/usr/src/env"))  # fmt: skip
    flags = dict(toolchain.flags)
    for name in _COMPILER_FLAGS:
        if name in flags:
            flags[name] = " ".join((flags[name], *(f"-ffile-prefix-map={old}={new}" for old, new in maps))).strip()
    rust = (*maps, (f"{MOUNTPOINT}/home/.cargo", "/usr/src/cargo"))
    return flags | {
        "PATH": f"{MOUNTPOINT}/env/bin:/usr/bin:/bin",
        "HOME": f"{MOUNTPOINT}/home",
        "TMPDIR": str(MOUNTPOINT / "tmp"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        # Else importing setup.py's helpers would leave bytecode among the sources.
        "PYTHONPYCACHEPREFIX": str(MOUNTPOINT / "tmp" / "pycache"),
        "RUSTFLAGS": " ".join(f"--remap-path-prefix={old}={new}" for old, new in rust),
        "CARGO_HOME": f"{MOUNTPOINT}/home/.cargo",
        "CARGO_NET_OFFLINE": "true",
        # Else maturin, where it finds no cargo, asks for a build requirement that downloads one.
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
