"""Make the virtual environment in the destdir, as it will be at its prefix: without seed packages."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from virtualenv import session_via_cli  # noqa: TID251

from venvpkg.errors import StagingError
from venvpkg.host.refusals import is_refusal

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from venvpkg.model.target import Target

# virtualenv quotes a path outside of this set for each shell in its own way; a plain replacement would then miss it.
_UNQUOTED = re.compile(r"[A-Za-z0-9/._+-]+")

# Read only on the machine where the environment is made. CACHEDIR.TAG would make backup tools skip the application.
_LEFT_OUT = ("CACHEDIR.TAG", ".gitignore")


def make_environment(destdir: Path, prefix: PurePosixPath, target: Target, cache: Path) -> Path:
    """Make an empty environment for the target's interpreter below ``destdir``.

    virtualenv writes the path of creation into ``pyvenv.cfg`` and the activate scripts; afterwards both name the
    prefix. The environment's interpreter is a symbolic link to the target's, so that it gets its security updates.

    Args:
        destdir: staging root on this machine.
        prefix: place of the environment on the target.
        target: whose interpreter it is for.
        cache: venvpkg's cache; virtualenv keeps what it learned about interpreters in it.

    Returns:
        The environment's directory on this machine.

    Raises:
        StagingError: virtualenv failed, or a path is one that a shell would quote.
    """
    home = destdir / prefix.relative_to("/")
    interpreter = target.interpreter
    for path in (str(home), str(prefix)):
        if not _UNQUOTED.fullmatch(path):
            raise StagingError(
                f"An environment cannot be made at {path!r}.",
                details="  Its scripts would hold the path in quotes.",
                resolution="Use a prefix and a cache directory out of letters, digits and . _ + - only (--cache).",
            )
    # An environment of its own: VIRTUALENV_* and the user's virtualenv.ini would change what is in the package.
    env = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(cache),
        "LC_ALL": "C.UTF-8",
        "VIRTUALENV_CONFIG_FILE": os.devnull,
    }
    arguments = [
        str(home),
        "--python", str(target.on_host(interpreter.path)),
        "--app-data", str(cache / "virtualenv"),
        "--no-seed", "--no-periodic-update", "--no-vcs-ignore", "--symlinks",
    ]  # fmt: skip
    try:
        session = session_via_cli(arguments, setup_logging=False, env=env)
        session.run()
        config = session.creator.pyenv_cfg
        # It would name the driver's interpreter and the path of creation.
        config["command"] = f"virtualenv {prefix}"
        config.write()
    except (OSError, RuntimeError, ValueError, SystemExit) as error:
        if is_refusal(error):
            raise
        raise StagingError(
            f"virtualenv cannot make an environment for {interpreter.path}.", details=f"  {error}"
        ) from error
    _name_the_prefix(home, prefix)
    _link_interpreter(home, interpreter.path, interpreter.minor)
    for name in _LEFT_OUT:
        (home / name).unlink(missing_ok=True)
    return home


def _name_the_prefix(home: Path, prefix: PurePosixPath) -> None:
    """Write the prefix in place of the path of creation; the leak check at the end proves that no file was missed."""
    old, new = str(home).encode(), str(prefix).encode()
    for pattern in ("activate*", "deactivate*"):
        for script in (home / "bin").glob(pattern):
            content = script.read_bytes()
            if old in content:
                script.write_bytes(content.replace(old, new))


def _link_interpreter(home: Path, interpreter: PurePosixPath, minor: str) -> None:
    """Link ``python`` to the interpreter's place on the target, and its other names to ``python``.

    virtualenv links to the file that it examined, which has another path when the target is a root below ``/``.
    """
    bin_directory = home / "bin"
    for link in bin_directory.glob("python*"):
        link.unlink()
    (bin_directory / "python").symlink_to(interpreter)
    for name in ("python3", f"python{minor}"):
        (bin_directory / name).symlink_to("python")
