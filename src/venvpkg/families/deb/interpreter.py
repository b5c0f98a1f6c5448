"""The interpreter as a dependency, and the distributions that the release's packages install for it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.depends.derive import Claim
from venvpkg.errors import PackageDatabaseError
from venvpkg.families.common.system import Spelling, find_system
from venvpkg.families.deb.collisions import in_index
from venvpkg.families.deb.host import INSTALL
from venvpkg.families.deb.owners import list_files, native_package, read_owners
from venvpkg.families.deb.relations import MINVER
from venvpkg.families.deb.versions import is_higher, to_debian, version_key, without_revision
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.depends import Evidence, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvpkg.families.base import TargetContext
    from venvpkg.families.deb.owners import Owners
    from venvpkg.model.depends import NativePackage
    from venvpkg.model.target import Interpreter
    from venvpkg.model.wheels import SystemDistribution


# The package that has the program has a part of the standard library only; the full one depends on it.
_PARTIAL = "-minimal"


def full_package(interpreter: Interpreter) -> str:
    """Return the package that has the interpreter with its standard library, as Debian and Ubuntu name it."""
    return "pypy3" if interpreter.is_pypy else f"python{interpreter.minor}"


def is_owned(interpreter: Interpreter, owners: Owners) -> bool:
    """Whether a package ships it; ``owners`` has been asked for its path."""
    return bool(owners.of(interpreter.path))


def interpreter_claims(
    interpreter: Interpreter, owners: Owners, floor: str, needed_by: PurePosixPath
) -> tuple[Claim, ...]:
    """Return the claim ``python3.X (>= floor)``; of PyPy, ``pypy3 (>= 7.3.11)`` and ``pypy3 (<< 7.3.12~)``.

    The package's name is the upper bound: ``python3 (<< 3.12)`` would make a release upgrade remove the application or
    be held back by it. A package whose name does not tell the minor, such as pypy3, is another Python after its next
    version, where the application would be broken: there the bound is a version, and none where versions do not tell.

    Args:
        interpreter: of the target.
        owners: has been asked for the interpreter's path and for ``full_package``.
        floor: lowest patch release that the distributions accept, ``3.11.0``.
        needed_by: the environment's own ``bin/python``.

    Raises:
        PackageDatabaseError: no package owns the interpreter, the package with its standard library is not installed,
            or is older than the floor.
    """
    full = full_package(interpreter)
    shipped_by = [name.partition(":")[0] for name in owners.of(interpreter.path)]
    is_usual = bool({full, full + _PARTIAL} & set(shipped_by))
    if not is_usual and (interpreter.is_default or not shipped_by):
        raise PackageDatabaseError(
            f"{interpreter.path} does not belong to the package {full}.",
            details=f"  It belongs to {', '.join(shipped_by)}." if shipped_by else "  No package ships it.",
            resolution="A package can only depend on an interpreter that comes from a package of the release.",
        )
    package = full if is_usual else shipped_by[0]
    installed = owners.versions.get(package if is_usual else owners.of(interpreter.path)[0])
    if installed is None:
        raise PackageDatabaseError(
            f"{package} is not installed.",
            details=f"  {interpreter.path} comes from {', '.join(shipped_by)}, without the whole standard library.",
            resolution=f"Run: {INSTALL} {package}",
        )
    upstream = without_revision(installed)
    evidence = Evidence(
        source=Source.INTERPRETER, needed_by=needed_by, floor=floor, library=interpreter.path, owner=shipped_by[0]
    )
    if interpreter.minor not in package:
        return _bounded_by_version(interpreter, package, upstream, evidence)
    if is_higher(floor, upstream):
        raise PackageDatabaseError(
            f"{package} {installed} is older than {floor}, which the application asks for.",
            resolution="Choose versions of its distributions that accept the release's interpreter.",
        )
    return (Claim(f"{package} #MINVER#", evidence),)


def _bounded_by_version(interpreter: Interpreter, package: str, upstream: str, evidence: Evidence) -> tuple[Claim, ...]:
    """Return claims on a package whose name says nothing of the minor."""
    if interpreter.is_pypy:
        lowest = interpreter.marker_environment["implementation_version"]
        *series, last = lowest.split(".")
    else:
        lowest = evidence.floor or interpreter.minor
        *series, last = interpreter.minor.split(".")
    if not last.isdecimal() or not re.match(rf"{re.escape('.'.join((*series, last)))}(?!\d)", upstream):
        return (Claim(package, replace(evidence, floor=None)),)
    above = ".".join((*series, str(int(last) + 1)))
    unbound = replace(evidence, floor=None)
    return Claim(f"{package} #MINVER#", replace(evidence, floor=lowest)), Claim(f"{package} (<< {above}~)", unbound)


# Debian Python Policy 1.1, 2.5: public modules, for the default version and those built with it.
_DIRECTORY: Final = PurePosixPath("/usr/lib/python3/dist-packages")
_DEFAULT: Final = PurePosixPath("/usr/bin/python3")

SPELLING: Final = Spelling(to_debian, version_key, without_revision, MINVER)


def system_distributions(names: Sequence[str], context: TargetContext) -> tuple[SystemDistribution, ...]:
    """Return the distributions of those normalised names, and all that they require and packages have; sorted.

    Raises:
        PackageDatabaseError: some are not installed, or belong to no package; or the interpreter is not the one that
            the release's packages are for.
    """
    if not names:
        return ()
    target = context.target
    root = LayeredRoot(target.root)
    default = root.find(str(_DEFAULT))
    if default is None or default.path != str(target.interpreter.path):
        raise PackageDatabaseError(
            f"The release's packages python3-* do not serve {target.interpreter.path}.",
            details=f"  They are for {_DEFAULT}, which is {default.path if default else 'not there'}.",
            resolution="Build for the release's default interpreter, or take wheels.system out of the configuration.",
        )
    return find_system(names, target, _Packages(root, context))


class _Packages:
    """dpkg's database."""

    directories = (_DIRECTORY,)

    def __init__(self, root: LayeredRoot, context: TargetContext) -> None:
        self._root = root
        self._context = context
        self._target = context.target
        self._runner = context.runner

    def owner(self, path: PurePosixPath) -> NativePackage | None:
        owners = read_owners(self._target, self._root, [path], [], self._runner)
        several = (native_package(name, self._runner) for name in owners.of(path))
        return next((each for each in several if each is not None), None)

    def files(self, package: NativePackage) -> tuple[PurePosixPath, ...]:
        return list_files(package.name, self._runner)

    def advice(self, names: Sequence[str]) -> str:
        guesses = {name: _guesses(name) for name in names}
        known = {
            name: next((each for each in several if in_index(each, self._context)), "")
            for name, several in guesses.items()
        }
        install = " ".join(each for each in known.values() if each)
        lines = [f"Run: {INSTALL} {install}"] if install else []
        unknown = [name for name, package in known.items() if not package]
        if unknown:
            lines.append(f"Install the packages of {', '.join(unknown)}, or take them out of wheels.system.")
        return "\n".join(lines)


def _guesses(name: str) -> tuple[str, ...]:
    """Return the packages that a distribution can be expected in, likeliest first.

    Source:
        Debian Python Policy 4.3: ``python3-`` and the name of the module.
    """
    shorter = (name.removeprefix("python-"), name.removeprefix("py"), name.removesuffix("-python"))
    return tuple(dict.fromkeys(f"python3-{each}" for each in (name, *shorter, name.replace("-", ".")) if each))
