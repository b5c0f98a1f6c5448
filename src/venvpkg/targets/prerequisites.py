"""Find the missing prerequisites of a build, on the target and on this machine."""

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
    """A missing prerequisite.

    Attributes:
        what: description, for error messages.
        purpose: purpose that needs it.
        package: the target's package that contains it; None if there is none.
        resolution: what the user can do if no package of the target contains it.
    """

    what: str
    purpose: Purpose
    package: str | None = None
    resolution: str = ""


_DIRECTORIES = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
# Programs of this machine that create namespaces, wherever the compile runs; from util-linux, mount and coreutils.
_HOST_PROGRAMS = ("unshare", "setpriv", "mount", "chroot", "env")


def missing_prerequisites(target: Target, runner: Runner, build_depends: Iterable[str]) -> tuple[Missing, ...]:
    """Return the prerequisites that a build lacks; empty if it can start.

    Args:
        target: target on which wheels are compiled.
        runner: runs programs on the target.
        build_depends: packages that the project names.
    """
    unreadable = tuple(_unreadable_database(target, runner))
    return (
        *_missing_programs(target),
        *_missing_headers(target),
        *_missing_host_programs(),
        *_missing_namespaces(runner),
        *(unreadable or _missing_packages(target, runner, tuple(build_depends))),
    )


def always_missing(target: Target) -> tuple[Missing, ...]:
    """Return the prerequisites that even a build without compiling lacks, found without running a program."""
    return tuple(each for each in _missing_programs(target) if each.purpose is Purpose.ALWAYS)


def require(missing: Iterable[Missing], target: Target) -> None:
    """Raise one error that names everything in ``missing``, unless it is empty.

    Raises:
        MissingToolError: something is missing.
    """
    missing = tuple(missing)
    if missing:
        raise MissingToolError(
            [f"{each.what}, for {each.purpose}" for each in missing],
            install=sorted({each.package for each in missing if each.package}),
            installer=installer(target),
            resolution="\n".join(sorted({each.resolution for each in missing if each.resolution})),
        )


def _missing_programs(target: Target) -> Iterator[Missing]:
    view = LayeredRoot(target.root)
    for program in FAMILIES[target.family].host.programs():
        found = [view.find(f"{directory}/{program.name}") for directory in _DIRECTORIES]
        if not any(each and each.is_file for each in found):
            yield Missing(f"the program {program.name}", program.purpose, program.package)


def _missing_headers(target: Target) -> Iterator[Missing]:
    if LayeredRoot(target.root).find(str(target.interpreter.include / "Python.h")) is None:
        package = FAMILIES[target.family].host.headers_package(target.interpreter, target.release)
        what = f"the header Python.h of {target.interpreter.path}"
        advice = f"Install the headers of {target.interpreter.path} in {target.interpreter.include}."
        yield Missing(what, Purpose.COMPILE, package, resolution="" if package else advice)


def _missing_host_programs() -> Iterator[Missing]:
    for program in _HOST_PROGRAMS:
        if shutil.which(program, path=":".join(_DIRECTORIES)) is None:
            yield Missing(
                f"the program {program} of this machine",
                Purpose.COMPILE,
                resolution="Install util-linux, mount and coreutils on this machine.",
            )


def _missing_namespaces(runner: Runner) -> Iterator[Missing]:
    with tempfile.TemporaryDirectory(prefix="venvpkg-") as directory:
        bind = Bind(Path(directory), PurePosixPath("/usr/src/venvpkg"))
        done = runner.run(Command(("true",), binds=(bind,), network=False, timeout_s=30))
    if not done.ok:
        yield Missing(
            "permission to create namespaces, which isolate compile jobs"
            f" ({done.outcome()}: {done.errors.strip()[-200:]})",
            Purpose.COMPILE,
            resolution=NAMESPACES_RESOLUTION,
        )


def _unreadable_database(target: Target, runner: Runner) -> Iterator[Missing]:
    try:
        FAMILIES[target.family].host.all_packages(target, runner)
    except PackageDatabaseError as error:
        evidence = " ".join((error.brief, *error.details.split())) if error.details else error.brief
        yield Missing(f"a package database that can be read ({evidence})", Purpose.ALWAYS, resolution=error.resolution)


def _missing_packages(target: Target, runner: Runner, wanted: tuple[str, ...]) -> Iterator[Missing]:
    for package in FAMILIES[target.family].host.not_installed(wanted, runner):
        yield Missing(f"the package {package}, listed in build-depends", Purpose.PROJECT, package)
