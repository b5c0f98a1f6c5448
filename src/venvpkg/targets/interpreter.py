"""Ask the target's interpreter what it is."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError
from venvpkg.host.runner import Command
from venvpkg.model.target import Interpreter

if TYPE_CHECKING:
    from venvpkg.host.runner import Runner

# The release's interpreter: never the first one on PATH, nor venvpkg's own.
RELEASE_PYTHON = PurePosixPath("/usr/bin/python3")
OLDEST = (3, 9)

# Runs on Python 3.9 and later, with nothing but the standard library. PEP 508 names the markers.
_PROBE = """
import json, os, platform, sys, sysconfig
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
except (ValueError, OSError):
    libc = ""
info = sys.implementation.version
release = "{0.major}.{0.minor}.{0.micro}".format(info)
if info.releaselevel != "final":
    release += info.releaselevel[0] + str(info.serial)
print(json.dumps({
    "path": os.path.realpath(sys.executable),
    "version": list(sys.version_info[:3]),
    "ext_suffix": sysconfig.get_config_var("EXT_SUFFIX") or "",
    "include": sysconfig.get_path("platinclude"),
    "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
    "libc": libc,
    "environment": {
        "implementation_name": sys.implementation.name,
        "implementation_version": release,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": "",
        "platform_system": platform.system(),
        "platform_version": "",
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    },
}))
"""


def read_interpreter(runner: Runner, installer: str) -> tuple[Interpreter, str]:
    """Return the target's interpreter and its multiarch tuple (empty when it has none).

    Args:
        runner: runs programs on the target.
        installer: the beginning of a command that installs packages there.

    The kernel's release and version are left out of the markers: they say where venvpkg runs, not what the target is.

    Raises:
        MissingToolError: no interpreter is there, or it is older than Python 3.9.
    """
    done = runner.run(Command((str(RELEASE_PYTHON), "-I", "-c", _PROBE), timeout_s=60))
    if not done.ok:
        raise MissingToolError(
            [f"{RELEASE_PYTHON}, the release's interpreter: {done.outcome()} {done.errors.strip()[-300:]}"],
            install=["python3"],
            installer=installer,
        )
    facts = json.loads(done.text)
    major, minor, patch = facts["version"]
    if (major, minor) < OLDEST:
        raise MissingToolError([f"Python 3.9 or later; {RELEASE_PYTHON} is {major}.{minor}.{patch}"])
    interpreter = Interpreter(
        path=PurePosixPath(facts["path"]),
        version=(major, minor, patch),
        ext_suffix=facts["ext_suffix"],
        include=PurePosixPath(facts["include"]),
        environment=facts["environment"],
        glibc=_glibc(facts["libc"]),
    )
    return interpreter, facts["multiarch"]


def _glibc(text: str) -> tuple[int, int] | None:
    """Parse confstr's ``glibc 2.36``."""
    name, _, version = text.partition(" ")
    parts = version.split(".")
    if name != "glibc" or len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):  # noqa: PLR2004
        return None
    return int(parts[0]), int(parts[1])
