"""Find the target's interpreter, the release's own or the user's choice, and read its properties."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from packaging.utils import canonicalize_name

from venvpkg.errors import MissingToolError
from venvpkg.host.command import Command
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.target import Interpreter
from venvpkg.targets.processor import PROGRAM, abi_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from venvpkg.host.command import Runner
    from venvpkg.model.elf import Abi
    from venvpkg.model.target import Release

    Choice = Callable[[str, Release], str | None]

# The release's interpreter, which need not be the first one on PATH, or venvpkg's own.
RELEASE_PYTHON: Final = PurePosixPath("/usr/bin/python3")
OLDEST: Final = (3, 9)

# Directories of programs: those of packages, and those installed locally (FHS 3.0, 4.9).
_DIRECTORIES: Final = (PurePosixPath("/usr/bin"), PurePosixPath("/usr/local/bin"))
_IMPLEMENTATIONS: Final = frozenset({"cpython", "pypy"})
_FACTS: Final = frozenset({"path", "version", "ext_suffix", "include", "multiarch", "libc", "environment"})

# Runs on Python 3.9 and later, with only the standard library. PEP 508 names the markers. The variables of sysconfig
# say how the interpreter was built and how its extension modules are compiled; userbase depends on the user instead.
_PROBE: Final = """
import hashlib, importlib.metadata, json, os, platform, sys, sysconfig
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
except (ValueError, OSError):
    libc = ""
info = sys.implementation.version
release = "{0.major}.{0.minor}.{0.micro}".format(info)
if info.releaselevel != "final":
    release += info.releaselevel[0] + str(info.serial)
is_pypy = sys.implementation.name == "pypy"
brought = importlib.metadata.distributions(path=[sysconfig.get_path("stdlib")]) if is_pypy else ()
variables = {key: value for key, value in sysconfig.get_config_vars().items() if key != "userbase"}
built = json.dumps([sys.version, variables], sort_keys=True, default=str)
print(json.dumps({
    "path": os.path.realpath(sys.executable),
    "version": list(sys.version_info[:3]),
    "ext_suffix": sysconfig.get_config_var("EXT_SUFFIX") or "",
    "include": sysconfig.get_path("platinclude"),
    "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
    "libc": libc,
    "prefix": sys.base_prefix,
    "in_environment": sys.prefix != sys.base_prefix,
    "identity": hashlib.sha256(built.encode("utf-8", "replace")).hexdigest(),
    "distributions": [[each.metadata["Name"], each.version] for each in brought],
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


def read_interpreter(
    runner: Runner, root: Path, wanted: str | None, packages: Sequence[str], installer: str
) -> tuple[Interpreter, str]:
    """Return the target's interpreter and its multiarch tuple (empty if it has none).

    The kernel's release and version are left out of the markers: they depend on where venvpkg runs, not on the target.

    Args:
        runner: runs programs on the target.
        root: directory of the target's filesystem.
        wanted: ``3.12``, the name of a program, such as ``pypy3``, or its path; None for the release's own.
        packages: packages that contain it; empty if they are not known.
        installer: command that installs packages on the target, without the packages.

    Raises:
        MissingToolError: the interpreter does not exist or cannot be used: it is older than Python 3.9, neither CPython
            nor PyPy, in a virtual environment, or for another machine or C library.
    """
    view = LayeredRoot(root)
    program = _find_program(view, wanted, packages, installer)
    of_release = wanted is None
    facts = _probe_interpreter(runner, program, packages if of_release else (), installer, of_release=of_release)
    path = PurePosixPath(facts["path"])
    if wanted is not None and (problems := tuple(_find_problems(facts, wanted, path, view))):
        raise MissingToolError(
            [f"a usable interpreter: {program} {problem}" for problem in problems],
            resolution="Choose another one with the key 'python', or remove the key to use the release's own.",
        )
    own = None if of_release else view.find(str(RELEASE_PYTHON))
    is_default = of_release or (own is not None and own.path == str(path))
    major, minor, patch = facts["version"]
    interpreter = Interpreter(
        path=path,
        version=(major, minor, patch),
        ext_suffix=facts["ext_suffix"],
        include=PurePosixPath(facts["include"]),
        marker_environment=facts["environment"],
        glibc=_parse_glibc(facts["libc"]),
        prefix=PurePosixPath(facts.get("prefix", "/usr")),
        identity="" if is_default else facts["identity"],
        distributions=tuple(
            sorted((canonicalize_name(str(each)), str(number)) for each, number in facts.get("distributions", ()))
        ),
    )
    return interpreter, facts["multiarch"]


def _find_program(view: LayeredRoot, wanted: str | None, packages: Sequence[str], installer: str) -> PurePosixPath:
    """Return the path of the interpreter.

    Raises:
        MissingToolError: it does not exist.
    """
    if wanted is None:
        return RELEASE_PYTHON
    if wanted.startswith("/"):
        paths: tuple[PurePosixPath, ...] = (PurePosixPath(wanted),)
    else:
        name = wanted if wanted[0].isalpha() else f"python{wanted}"
        paths = tuple(directory / name for directory in _DIRECTORIES)
    for each in paths:
        if view.find(str(each)) is not None:
            return each
    raise MissingToolError(
        [f"the interpreter {' or '.join(map(str, paths))}, set by the key 'python'"],
        install=packages,
        installer=installer,
        resolution="" if packages else "Install it at this path, or choose another one.",
    )


def _probe_interpreter(
    runner: Runner, program: PurePosixPath, install: Sequence[str], installer: str, *, of_release: bool
) -> dict[str, Any]:
    """Run the probe in an interpreter, and return what it prints.

    Raises:
        MissingToolError: the probe fails, or the interpreter is too old.
    """
    done = runner.run(Command((str(program), "-I", "-c", _PROBE), timeout_s=60))
    if not done.ok:
        what = "the release's interpreter" if of_release else "which must be Python 3.9 or later"
        why = f"{done.outcome()} {done.errors.strip()[-300:]}"
        raise MissingToolError([f"{program}, {what}: {why}"], install=install, installer=installer)
    facts = _parse_facts(done.text)
    if facts is None:
        raise MissingToolError([f"an interpreter: {program} is not a Python interpreter"])
    if tuple(facts["version"][:2]) < OLDEST:
        raise MissingToolError([f"Python 3.9 or later; {program} is {'.'.join(map(str, facts['version']))}"])
    return facts


def _parse_facts(text: str) -> dict[str, Any] | None:
    """Return the facts that the probe printed; None for other output, as of a program that is not an interpreter."""
    try:
        facts = json.loads(text)
    except ValueError:
        return None
    return facts if isinstance(facts, dict) and facts.keys() >= _FACTS else None


def _find_problems(facts: Mapping[str, Any], wanted: str, path: PurePosixPath, view: LayeredRoot) -> Iterator[str]:
    """Yield the reasons why an interpreter that the user chose cannot be used."""
    name, version = facts["environment"].get("implementation_name"), facts["version"]
    if name not in _IMPLEMENTATIONS:
        yield f"is {name}, but only CPython and PyPy are supported"
    minor = re.fullmatch(r"(?:[a-z]*3\.)(\d+)t?", wanted)
    if minor and int(minor[1]) != version[1]:
        yield f"is Python {'.'.join(map(str, version))}, not 3.{minor[1]}"
    if facts.get("in_environment"):
        yield "is in a virtual environment, which the package cannot depend on; choose its base interpreter"
    if _parse_glibc(str(facts["libc"])) is None:
        yield "is for another C library than the release's"
    of_release, own = abi_of(view, PROGRAM), abi_of(view, str(path))
    if of_release is not None and (own is None or _architecture(own) != _architecture(of_release)):
        yield "is not a program for the release's architecture"


def _architecture(abi: Abi) -> tuple[int, bool, int]:
    return abi.bits, abi.little_endian, abi.machine


def _parse_glibc(text: str) -> tuple[int, int] | None:
    """Parse confstr's ``glibc 2.36``; return None for another C library."""
    name, _, version = text.partition(" ")
    parts = version.split(".")
    if name != "glibc" or len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):  # noqa: PLR2004
        return None
    return int(parts[0]), int(parts[1])
