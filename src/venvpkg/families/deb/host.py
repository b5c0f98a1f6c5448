"""Read facts about a target with dpkg: compiler flags, architecture, programs, installed packages."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.base import Identity, Program, Purpose
from venvpkg.families.deb.deb822 import parse_stanzas
from venvpkg.host.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from venvpkg.families.base import Packages
    from venvpkg.host.command import Runner
    from venvpkg.model.target import Interpreter, Release, Target


INSTALL: Final = "apt-get install --no-install-recommends"
# dpkg's own path features are disabled: they would put the directory of this process into the flags.
_OPTIONS = "hardening=+all reproducible=-fixfilepath,-fixdebugpath"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def read_flags(runner: Runner) -> dict[str, str]:
    """Return the compiler flags from dpkg-buildflags; see ``BuildHost``.

    Source:
        dpkg-buildflags(1).
    """
    done = runner.run(
        Command(
            ("/usr/bin/dpkg-buildflags", "--export=cmdline"),
            env={"DEB_BUILD_MAINT_OPTIONS": _OPTIONS, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            clean=True,
            timeout_s=60,
        )
    )
    if not done.ok:
        raise MissingToolError(
            [f"dpkg-buildflags, for compiling wheels: {done.outcome()} {done.errors.strip()[-300:]}".rstrip()],
            install=["dpkg-dev"],
            installer=INSTALL,
        )
    return _parse_flags(done.text)


def _parse_flags(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = [""]
    pairs = [word.partition("=") for word in words]
    if not pairs or not all(_VARIABLE.fullmatch(name) and equals for name, equals, _ in pairs):
        raise MissingToolError(
            [f"a dpkg-buildflags that prints flags; this one printed {text.strip()[:200]!r}"],
            install=["dpkg-dev"],
            installer=INSTALL,
        )
    return {name: flags for name, _, flags in pairs}


def read_identity(release: Release, multiarch: str, runner: Runner, kernel: str = "") -> Identity:
    """Return the target's architecture; see ``BuildHost``.

    Source:
        dpkg(1), --print-architecture.
    """
    del kernel  # dpkg's architecture cannot be configured
    done = runner.run(Command(("dpkg", "--print-architecture"), timeout_s=60))
    if not done.ok:
        raise MissingToolError(
            [f"dpkg: {done.outcome()} {done.errors.strip()[-300:]}".rstrip()],
            resolution=f"{release.id} {release.version} is not a release whose packages are .deb files.",
        )
    return Identity(done.text.strip(), multiarch)


def programs() -> tuple[Program, ...]:
    """Return the programs that a build runs; see ``BuildHost``."""
    return (
        Program("dpkg-deb", "dpkg", Purpose.ALWAYS),
        Program("dpkg-query", "dpkg", Purpose.ALWAYS),
        Program("gcc", "gcc", Purpose.COMPILE),
        Program("g++", "g++", Purpose.COMPILE),
        Program("make", "make", Purpose.COMPILE),
        Program("strip", "binutils", Purpose.COMPILE),
        Program("dpkg-buildflags", "dpkg-dev", Purpose.COMPILE),
    )


def headers_package(interpreter: Interpreter, release: Release) -> str | None:
    """Return the package of the C headers, ``python3.11-dev`` or ``pypy3-dev``; see ``BuildHost``."""
    del release
    if not interpreter.path.is_relative_to("/usr/bin"):
        return None
    return "pypy3-dev" if interpreter.is_pypy else f"python{interpreter.minor}-dev"


def interpreter_packages(wanted: str, release: Release) -> tuple[str, ...]:
    """Return the packages ``python3.12`` and ``python3.12-dev``, or ``pypy3`` and ``pypy3-dev``; see ``BuildHost``.

    Each release has one pypy3, whatever version of Python it implements.
    """
    del release
    if wanted.startswith("/"):
        return ()
    name = "pypy3" if wanted.startswith("pypy") else f"python{wanted.removeprefix('python')}"
    return (name, f"{name}-dev")


def install_command(release: Release) -> str:
    """Return the beginning of apt-get's command line."""
    del release
    return INSTALL


_STATUS = "var/lib/dpkg/status"
# Archive sections of headers, compilers and build tools, without the area (`contrib/`).
_SECTIONS = frozenset({"devel", "libdevel", "rust", "golang", "fortran"})
# PyPy, if wheels are compiled for it.
_PYPY = re.compile(r"pypy3(-lib)?")
# Names of packages in other sections: the interpreter, and the C and C++ runtimes that everything is linked with.
_NAMES = re.compile(
    r".*-dev|(lib)?python3(\.\d+)?(-minimal|-stdlib)?|libc6|libgcc-s1|libstdc\+\+6"
    r"|(g\+\+|gcc|cpp|clang|gfortran|llvm|lld|binutils|pkg-config|pkgconf|swig|patchelf)(-.*)?\d*"
)


def build_packages(target: Target, runner: Runner) -> Packages:
    """Return names (``libpq-dev:amd64``) and versions of packages that can affect a compile; see ``BuildHost``.

    Packages of other minor versions of Python are left out.

    Source:
        deb822(5); dpkg-query(1) for the status words; Debian Policy 2.4 for sections.
    """
    del runner
    return _names_and_versions(
        fields
        for fields in _read_installed(target.root)
        if _affects_compile(fields["package"], fields.get("section", ""), target.interpreter)
    )


def all_packages(target: Target, runner: Runner) -> Packages:
    """Return the name and version of every installed package; see ``BuildHost``."""
    del runner
    return _names_and_versions(_read_installed(target.root))


def not_installed(wanted: Iterable[str], runner: Runner) -> tuple[str, ...]:
    """Return the packages that are neither installed nor provided by an installed one; see ``BuildHost``."""
    wanted = tuple(wanted)
    if not wanted:
        return ()
    done = runner.run(
        Command(("dpkg-query", "--show", "--showformat", "${db:Status-Status}\t${Package}\t${Provides}\n"))
    )
    if not done.ok:
        raise PackageDatabaseError(
            f"dpkg-query could not list the installed packages: {done.outcome()}.",
            details=done.errors.strip()[-1000:],
            resolution="Repair dpkg's database, then build again.",
        )
    installed: set[str] = set()
    for line in done.text.splitlines():
        status, _, names = line.partition("\t")
        if status == "installed":
            package, _, provides = names.partition("\t")
            installed.add(package)
            installed.update(each.split()[0].partition(":")[0] for each in provides.split(",") if each.strip())
    return tuple(package for package in wanted if package.partition(":")[0] not in installed)


def _names_and_versions(stanzas: Iterable[dict[str, str]]) -> Packages:
    return tuple(sorted({f"{each['package']}:{each['architecture']}": each["version"] for each in stanzas}.items()))


def _read_installed(root: Path) -> Iterator[dict[str, str]]:
    path = root / _STATUS
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise PackageDatabaseError(
            f"{path} cannot be read: {error.strerror}.", resolution="Is the target a Debian system?"
        ) from error
    if not text.endswith("\n") or "\0" in text:
        raise _damaged(path, "it ends in the middle of a line, or contains null bytes")
    stanzas, problems = parse_stanzas(text)
    if problems:
        raise _damaged(path, problems[0])
    for fields in stanzas:
        if not fields.get("status", "").endswith(" installed"):
            continue
        missing = [name for name in ("package", "version", "architecture") if not fields.get(name)]
        if missing:
            raise _damaged(path, f"{fields.get('package', 'a stanza')} has no {missing[0].title()}")
        yield fields


def _affects_compile(package: str, section: str, interpreter: Interpreter) -> bool:
    minor = re.search(r"python(\d\.\d+)", package)
    if minor is not None and (minor[1] != interpreter.minor or interpreter.is_pypy):
        return False
    if interpreter.is_pypy and _PYPY.fullmatch(package):
        return True
    return section.rpartition("/")[2] in _SECTIONS or _NAMES.fullmatch(package) is not None


def _damaged(path: Path, what: str) -> PackageDatabaseError:
    return PackageDatabaseError(
        f"{path} is damaged: {what}.",
        resolution=f"Repair it; dpkg keeps the previous file as {path}-old and older ones in /var/backups.",
    )
