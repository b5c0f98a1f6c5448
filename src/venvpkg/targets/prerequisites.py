"""What a build needs of the target and of this machine, and what is lacking."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.base import Purpose
from venvpkg.families.registry import FAMILIES, installer
from venvpkg.host.command import Bind, Command
from venvpkg.host.layers import LayeredRoot
from venvpkg.host.sandbox import NAMESPACES_RESOLUTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.host.command import Runner
    from venvpkg.model.target import Target


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not there.

    Attributes:
        what: for people.
        purpose: what needs it.
        package: the target's package that brings it; None when none does.
        resolution: what to do when no package of the target brings it.
    """

    what: str
    purpose: Purpose
    package: str | None = None
    resolution: str = ""


_DIRECTORIES = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
# Of this machine, wherever the compile is: what makes namespaces. All of util-linux or next to it, in every family.
_HOST_PROGRAMS = ("unshare", "setpriv", "mount", "chroot", "env")


def missing_prerequisites(target: Target, runner: Runner, build_depends: Iterable[str]) -> tuple[Missing, ...]:
    """Return everything that a build would miss; empty when it can begin.

    Args:
        target: where wheels are compiled.
        runner: runs programs there.
        build_depends: packages that the project names.
    """
    unreadable = tuple(_database(target, runner))
    return (
        *_programs(target),
        *_headers(target),
        *_host_programs(),
        *_namespaces(runner),
        *(unreadable or _packages(target, runner, tuple(build_depends))),
    )


def always_missing(target: Target) -> tuple[Missing, ...]:
    """Return what a build that compiles nothing would miss; found without starting a program."""
    return tuple(lack for lack in _programs(target) if lack.purpose is Purpose.ALWAYS)


def require(lacking: Iterable[Missing], target: Target) -> None:
    """Raise one error that names everything in ``lacking``; nothing when it is empty.

    Raises:
        MissingToolError: something lacks.
    """
    lacking = tuple(lacking)
    if lacking:
        raise MissingToolError(
            [f"{lack.what}, for {lack.purpose}" for lack in lacking],
            install=sorted({lack.package for lack in lacking if lack.package}),
            installer=installer(target),
            resolution="\n".join(sorted({lack.resolution for lack in lacking if lack.resolution})),
        )


def _programs(target: Target) -> Iterator[Missing]:
    view = LayeredRoot(target.root)
    for program in FAMILIES[target.family].host.programs():
        places = [view.find(f"{directory}/{program.name}") for directory in _DIRECTORIES]
        if not any(place and place.is_file for place in places):
            yield Missing(f"the program {program.name}", program.purpose, program.package)


def _headers(target: Target) -> Iterator[Missing]:
    if LayeredRoot(target.root).find(str(target.interpreter.include / "Python.h")) is None:
        package = FAMILIES[target.family].host.headers_package(target.interpreter, target.release)
        missing = f"the header Python.h of {target.interpreter.path}"
        place = f"Install the headers of {target.interpreter.path} at {target.interpreter.include}."
        yield Missing(missing, Purpose.COMPILE, package, resolution="" if package else place)


def _host_programs() -> Iterator[Missing]:
    for program in _HOST_PROGRAMS:
        if shutil.which(program, path=":".join(_DIRECTORIES)) is None:
            yield Missing(
                f"the program {program} of this machine",
                Purpose.COMPILE,
                resolution="Install util-linux, mount and coreutils on this machine.",
            )


def _namespaces(runner: Runner) -> Iterator[Missing]:
    with tempfile.TemporaryDirectory(prefix="venvpkg-") as directory:
        shown = Bind(Path(directory), PurePosixPath("/usr/src/venvpkg"))
        done = runner.run(Command(("true",), binds=(shown,), network=False, timeout_s=30))
    if not done.ok:
        yield Missing(
            f"own namespaces for compile jobs ({done.outcome()}: {done.errors.strip()[-200:]})",
            Purpose.COMPILE,
            resolution=NAMESPACES_RESOLUTION,
        )


def _database(target: Target, runner: Runner) -> Iterator[Missing]:
    try:
        FAMILIES[target.family].host.all_packages(target, runner)
    except PackageDatabaseError as error:
        told = " ".join((error.brief, *error.details.split())) if error.details else error.brief
        yield Missing(f"a package database that can be read ({told})", Purpose.ALWAYS, resolution=error.resolution)


def _packages(target: Target, runner: Runner, wanted: tuple[str, ...]) -> Iterator[Missing]:
    for package in FAMILIES[target.family].host.not_installed(wanted, runner):
        yield Missing(f"the package {package}, named in build-depends", Purpose.PROJECT, package)
