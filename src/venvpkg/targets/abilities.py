"""What a build needs of the target, and what is lacking."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.host.runner import Bind, Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.host.runner import Runner
    from venvpkg.model.target import Target


class Purpose(StrEnum):
    """What something is needed for."""

    ALWAYS = "every build"
    COMPILE = "compiling wheels"
    PROJECT = "this project's wheels"


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is not there.

    Attributes:
        what: for people.
        purpose: what needs it.
        package: the native package that brings it; None when no package does.
        resolution: what to do when no package brings it.
    """

    what: str
    purpose: Purpose
    package: str | None = None
    resolution: str = ""


# Program, the Debian package that ships it, what it is needed for.
_PROGRAMS = (
    ("dpkg-deb", "dpkg", Purpose.ALWAYS),
    ("dpkg-query", "dpkg", Purpose.ALWAYS),
    ("gcc", "gcc", Purpose.COMPILE),
    ("g++", "g++", Purpose.COMPILE),
    ("make", "make", Purpose.COMPILE),
    ("strip", "binutils", Purpose.COMPILE),
    ("dpkg-buildflags", "dpkg-dev", Purpose.COMPILE),
    ("unshare", "util-linux", Purpose.COMPILE),
    ("setpriv", "util-linux", Purpose.COMPILE),
    ("mount", "mount", Purpose.COMPILE),
)


def lacks(target: Target, runner: Runner, build_depends: Iterable[str]) -> tuple[Lack, ...]:
    """Return everything that a build on this machine would miss; empty when it is ready."""
    return (*_programs(), *_headers(target), *_namespaces(runner), *_packages(runner, tuple(build_depends)))


def lacks_always() -> tuple[Lack, ...]:
    """Return what a build that compiles nothing would miss; found without starting a program."""
    return tuple(lack for lack in _programs() if lack.purpose is Purpose.ALWAYS)


def require(lacking: Iterable[Lack]) -> None:
    """Raise one error that names everything in ``lacking``; nothing when it is empty.

    Raises:
        MissingToolError: something lacks.
    """
    lacking = tuple(lacking)
    if lacking:
        raise MissingToolError(
            [f"{lack.what}, for {lack.purpose}" for lack in lacking],
            install=sorted({lack.package for lack in lacking if lack.package}),
            resolution="\n".join(sorted({lack.resolution for lack in lacking if lack.resolution})),
        )


def _programs() -> Iterator[Lack]:
    for program, package, purpose in _PROGRAMS:
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            yield Lack(f"the program {program}", purpose, package)


def _headers(target: Target) -> Iterator[Lack]:
    if not target.on_host(target.interpreter.include / "Python.h").is_file():
        yield Lack("the header Python.h", Purpose.COMPILE, f"python{target.interpreter.minor}-dev")


def _namespaces(runner: Runner) -> Iterator[Lack]:
    with tempfile.TemporaryDirectory(prefix="venvpkg-") as directory:
        shown = Bind(Path(directory), PurePosixPath("/usr/src/venvpkg"))
        done = runner.run(Command(("true",), binds=(shown,), network=False, timeout_s=30))
    if not done.ok:
        yield Lack(
            f"own namespaces for compile jobs ({done.outcome()}: {done.errors.strip()[-200:]})",
            Purpose.COMPILE,
            resolution="Run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1;"
            " in a container: the capability SYS_ADMIN).",
        )


def _packages(runner: Runner, wanted: tuple[str, ...]) -> Iterator[Lack]:
    if not wanted:
        return
    done = runner.run(
        Command(("dpkg-query", "--show", "--showformat", "${db:Status-Status}\t${Package}\t${Provides}\n"))
    )
    if not done.ok:
        raise PackageDatabaseError(
            f"dpkg-query cannot list the installed packages: {done.outcome()}.",
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
    for package in wanted:
        if package.partition(":")[0] not in installed:
            yield Lack(f"the package {package}, named in build-depends", Purpose.PROJECT, package)
