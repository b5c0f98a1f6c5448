"""Make the virtual environment in the destdir, as it will be at its prefix: without seed packages."""

from __future__ import annotations

import importlib.metadata
import re
from argparse import Namespace
from dataclasses import dataclass, field
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
    from pathlib import Path, PurePosixPath

    from venvpkg.model.target import Interpreter, Target


# virtualenv quotes a path outside of this set for each shell in its own way; a plain replacement would then miss it.
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
class _Interpreter:
    """What an activator asks of an interpreter. Tcl's place is not the application's to know: it is a dependency's."""

    os: str = "posix"
    tcl_lib: str = ""
    tk_lib: str = ""


@dataclass(frozen=True, slots=True)
class _Environment:
    """What an activator asks of an environment; see virtualenv's ``Creator``."""

    dest: Path
    bin_dir: Path
    libs: tuple[Path, ...]
    env_name: str
    interpreter: _Interpreter = _Interpreter()
    pyenv_cfg: dict[str, str] = field(default_factory=dict)


def make_environment(destdir: Path, prefix: PurePosixPath, target: Target) -> Path:
    """Make an empty environment for the target's interpreter below ``destdir``.

    virtualenv's own way begins with running the interpreter, and one of another root cannot run here. What it then
    makes follows from what is known of the interpreter already; its activation scripts are taken as they are. They
    name the path of creation, and afterwards the prefix. The environment's interpreter is a symbolic link to the
    target's, so that it gets its security updates.

    Args:
        destdir: staging root on this machine.
        prefix: place of the environment on the target.
        target: whose interpreter it is for.

    Returns:
        The environment's directory on this machine.

    Raises:
        StagingError: virtualenv failed, or a path is one that a shell would quote.

    Source:
        PEP 405; CPython's Modules/getpath.py for the keys of pyvenv.cfg.
    """
    # Without links and "..", as virtualenv writes it.
    home = destdir.resolve() / prefix.relative_to("/")
    interpreter = target.interpreter
    for path in (str(home), str(prefix)):
        if not _UNQUOTED.fullmatch(path):
            raise StagingError(
                f"An environment cannot be made at {path!r}.",
                details="  Its scripts would hold the path in quotes.",
                resolution="Use a prefix and a cache directory out of letters, digits and . _ + - only (--cache).",
            )
    packages = home / "lib" / interpreter.name / "site-packages"
    packages.mkdir(parents=True, exist_ok=True)
    (home / "bin").mkdir(exist_ok=True)
    try:
        for activator in _ACTIVATORS:
            # Typed for virtualenv's own creator; the duck has all that scripts are filled from.
            activator(Namespace(prompt=None)).generate(_Environment(home, home / "bin", (packages,), prefix.name))  # type: ignore[arg-type]
    except (OSError, RuntimeError, ValueError, AttributeError) as error:
        if is_environment_error(error):
            raise
        raise StagingError(
            f"virtualenv cannot make activation scripts for {interpreter.path}.", details=f"  {error}"
        ) from error
    (home / "pyvenv.cfg").write_text(_configuration(interpreter, prefix), "utf-8")
    _name_the_prefix(home, prefix)
    _link_interpreter(home, interpreter)
    return home


def _configuration(interpreter: Interpreter, prefix: PurePosixPath) -> str:
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


def _name_the_prefix(home: Path, prefix: PurePosixPath) -> None:
    """Write the prefix in place of the path of creation; the leak check at the end proves that no file was missed."""
    old, new = str(home).encode(), str(prefix).encode()
    for pattern in ("activate*", "deactivate*"):
        for script in (home / "bin").glob(pattern):
            content = script.read_bytes()
            if old in content:
                script.write_bytes(content.replace(old, new))


def _link_interpreter(home: Path, interpreter: Interpreter) -> None:
    """Link ``python`` to the interpreter's place on the target, and its other names to ``python``."""
    (home / "bin" / "python").symlink_to(interpreter.path)
    for name in dict.fromkeys(("python3", f"python{interpreter.minor}", interpreter.name)):
        (home / "bin" / name).symlink_to("python")
