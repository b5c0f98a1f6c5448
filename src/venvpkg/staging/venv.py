"""Create the virtual environment in the destdir, as it will be at its prefix, without seed packages."""

from __future__ import annotations

import importlib.metadata
import os
import re
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from virtualenv.activation import (  # noqa: TID251
    BashActivator,
    CShellActivator,
    FishActivator,
    NushellActivator,
    PowerShellActivator,
    PythonActivator,
    XonshActivator,
)

from venvpkg.errors import StagingError
from venvpkg.host.oserrors import is_environment_error

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from venvpkg.model.target import Interpreter, Target


# virtualenv quotes any other path, for each shell in its own way, and a plain replacement would miss it.
_UNQUOTED: Final = re.compile(r"[A-Za-z0-9/._+-]+")
_ACTIVATORS: Final = (
    BashActivator,
    CShellActivator,
    FishActivator,
    NushellActivator,
    PowerShellActivator,
    PythonActivator,
    XonshActivator,
)


@dataclass(frozen=True, slots=True)
class _ActivatedInterpreter:
    """The attributes of an interpreter that an activator reads. Tcl belongs to the target, so its path stays empty."""

    os: str = "posix"
    tcl_lib: str = ""
    tk_lib: str = ""


@dataclass(frozen=True, slots=True)
class _ActivatedVenv:
    """The attributes of a virtual environment that an activator reads; see virtualenv's ``Creator``."""

    dest: Path
    bin_dir: Path
    libs: tuple[Path, ...]
    env_name: str
    interpreter: _ActivatedInterpreter = _ActivatedInterpreter()
    pyenv_cfg: dict[str, str] = field(default_factory=dict)


def create_venv(destdir: Path, prefix: PurePosixPath, target: Target) -> Path:
    """Create an empty virtual environment for the target's interpreter below ``destdir``.

    virtualenv would run the interpreter first, and an interpreter of another root may not run here. Everything that
    virtualenv would find out is known already, so only its activators are used. The interpreter is a symbolic link to
    the target's, so that security updates reach it.

    Args:
        destdir: staging root on this machine.
        prefix: place of the virtual environment on the target.
        target: its interpreter will run the virtual environment.

    Returns:
        The directory of the virtual environment on this machine.

    Raises:
        StagingError: virtualenv failed, or a shell would have to quote a path.

    Source:
        PEP 405; CPython's Modules/getpath.py for the keys of pyvenv.cfg.
    """
    venv = destdir / prefix.relative_to("/")
    interpreter = target.interpreter
    if not _UNQUOTED.fullmatch(str(prefix)):
        raise StagingError(
            f"could not create a virtual environment for {str(prefix)!r}.",
            details="  Its activation scripts would have to quote the path.",
            resolution="Use only letters, digits and . _ + - in the prefix.",
        )
    (venv / "lib" / interpreter.name / "site-packages").mkdir(parents=True, exist_ok=True)
    (venv / "bin").mkdir(exist_ok=True)
    try:
        _write_activators(venv, prefix, interpreter)
    except (OSError, RuntimeError, ValueError, AttributeError) as error:
        if is_environment_error(error):
            raise
        raise StagingError(
            f"virtualenv failed to write activation scripts for {interpreter.path}.", details=f"  {error}"
        ) from error
    (venv / "pyvenv.cfg").write_text(_pyvenv_cfg(interpreter, prefix), "utf-8")
    _link_interpreter(venv, interpreter)
    return venv


def _pyvenv_cfg(interpreter: Interpreter, prefix: PurePosixPath) -> str:
    base = interpreter.path.parent.parent
    values = {
        "home": interpreter.path.parent,
        "implementation": interpreter.marker_environment["platform_python_implementation"],
        "version": ".".join(map(str, interpreter.version)),
        "executable": interpreter.path,
        "command": f"virtualenv {prefix}",
        "virtualenv": importlib.metadata.version("virtualenv"),
        "include-system-site-packages": "false",
        "base-prefix": base,
        "base-exec-prefix": base,
        "base-executable": interpreter.path,
    }
    return "".join(f"{key} = {value}\n" for key, value in values.items())


def _write_activators(venv: Path, prefix: PurePosixPath, interpreter: Interpreter) -> None:
    """Write the activation scripts for the prefix.

    They contain the path of creation in each shell's quoting, which a plain replacement would miss. So they are created
    through a path that no shell needs to quote, whatever the destdir's name: a descriptor of the directory.
    """
    descriptor = os.open(venv, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        place = Path(f"/proc/self/fd/{descriptor}")
        libraries = (place / "lib" / interpreter.name / "site-packages",)
        created = _ActivatedVenv(place, place / "bin", libraries, prefix.name)
        for activator in _ACTIVATORS:
            # Typed for virtualenv's own Creator; ours has every attribute that the scripts are filled from.
            activator(Namespace(prompt=None)).generate(created)  # type: ignore[arg-type]
    finally:
        os.close(descriptor)
    _replace_path(venv, str(place).encode(), str(prefix).encode())


def _replace_path(venv: Path, old: bytes, new: bytes) -> None:
    """Replace the path of creation with the prefix."""
    for pattern in ("activate*", "deactivate*"):
        for script in (venv / "bin").glob(pattern):
            content = script.read_bytes()
            if old in content:
                script.write_bytes(content.replace(old, new))


def _link_interpreter(venv: Path, interpreter: Interpreter) -> None:
    """Link ``python`` to the interpreter on the target, and its other names to ``python``."""
    (venv / "bin" / "python").symlink_to(interpreter.path)
    for name in dict.fromkeys(("python3", f"python{interpreter.minor}", interpreter.name)):
        (venv / "bin" / name).symlink_to("python")
