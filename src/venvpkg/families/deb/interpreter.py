"""Claims on the interpreter and on parts of its standard library in other packages, and system distributions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.depends.derive import Claim
from venvpkg.depends.stdlib import find_uses, module_claims
from venvpkg.errors import PackageDatabaseError
from venvpkg.families.common.system import Spelling, find_system
from venvpkg.families.deb.collisions import newest_in_index, search_apt_file
from venvpkg.families.deb.host import INSTALL
from venvpkg.families.deb.owners import list_files, native_package, read_owners
from venvpkg.families.deb.relations import MINVER
from venvpkg.families.deb.versions import is_higher, to_release_spelling, version_key, without_revision
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.depends import Evidence, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from venvpkg.console import Reporter
    from venvpkg.families.base import TargetContext
    from venvpkg.families.deb.owners import Owners
    from venvpkg.host.command import Runner
    from venvpkg.model.depends import Dependency, NativePackage
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Interpreter, Target
    from venvpkg.model.wheels import SystemDistribution


# Suffix of the package with the program, which only has a part of the standard library. The full one depends on it.
_PARTIAL = "-minimal"


def full_package(interpreter: Interpreter) -> str:
    """Return the name in Debian and Ubuntu of the package with the interpreter and its standard library."""
    return "pypy3" if interpreter.is_pypy else f"python{interpreter.minor}"


def is_owned(interpreter: Interpreter, owners: Owners) -> bool:
    """Whether a package ships the interpreter; ``owners`` must have been read for its path."""
    return bool(owners.of(interpreter.path))


def interpreter_claims(
    interpreter: Interpreter, owners: Owners, floor: str, needed_by: PurePosixPath
) -> tuple[Claim, ...]:
    """Return the claim ``python3.X (>= floor)``; for PyPy, ``pypy3 (>= 7.3.11)`` and ``pypy3 (<< 7.3.12~)``.

    The package's name acts as the upper bound: with ``python3 (<< 3.12)``, a release upgrade would remove the
    application or be held back by it. A package without the minor version in its name, such as pypy3, can become
    another Python with its next version, which breaks the application. So it gets an upper bound if its version says
    which Python it is.

    Args:
        interpreter: the target's interpreter.
        owners: owners that were read for the interpreter's path and for ``full_package``.
        floor: lowest patch release that the distributions accept, ``3.11.0``.
        needed_by: ``bin/python`` of the virtual environment.

    Raises:
        PackageDatabaseError: no package owns the interpreter, or the package with its standard library is not installed
            or older than the floor.
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
            details=f"  {interpreter.path} comes from {', '.join(shipped_by)}, without the full standard library.",
            resolution=f"Run: {INSTALL} {package}",
        )
    upstream = without_revision(installed)
    evidence = Evidence(
        source=Source.INTERPRETER, needed_by=needed_by, floor=floor, library=interpreter.path, owner=shipped_by[0]
    )
    if interpreter.minor not in package:
        return _claims_with_bounds(interpreter, package, upstream, evidence)
    if is_higher(floor, upstream):
        raise PackageDatabaseError(
            f"{package} {installed} is older than {floor}, which the application requires.",
            resolution="Lock versions of its distributions that accept the release's interpreter.",
        )
    return (Claim(f"{package} #MINVER#", evidence),)


def _claims_with_bounds(interpreter: Interpreter, package: str, upstream: str, evidence: Evidence) -> tuple[Claim, ...]:
    """Return the claims on a package without the minor version in its name."""
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

SPELLING: Final = Spelling(to_release_spelling, version_key, without_revision, MINVER)


def system_distributions(names: Sequence[str], context: TargetContext) -> tuple[SystemDistribution, ...]:
    """Return the distributions with these normalised names, and those that they require, sorted.

    Raises:
        PackageDatabaseError: some are not installed or belong to no package, or the release's packages are for another
            interpreter.
    """
    if not names:
        return ()
    target = context.target
    root = LayeredRoot(target.root)
    default = root.find(str(_DEFAULT))
    if default is None or default.path != str(target.interpreter.path):
        raise PackageDatabaseError(
            f"the release's packages python3-* are not for {target.interpreter.path}.",
            details=f"  They are for {_DEFAULT}, which {f'is {default.path}' if default else 'does not exist'}.",
            resolution="Build for the release's default interpreter, or remove wheels.system from the configuration.",
        )
    return find_system(names, target, _SystemPackages(root, context))


class _SystemPackages:
    """Finds the packages of system distributions in dpkg's database."""

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
        guesses = {name: _guess_packages(name) for name in names}
        known = {
            name: next((each for each in several if newest_in_index(each, self._context)), "")
            for name, several in guesses.items()
        }
        install = " ".join(each for each in known.values() if each)
        lines = [f"Run: {INSTALL} {install}"] if install else []
        unknown = [name for name, package in known.items() if not package]
        if unknown:
            lines.append(f"Install the packages of {', '.join(unknown)}, or remove them from wheels.system.")
        return "\n".join(lines)


def _guess_packages(name: str) -> tuple[str, ...]:
    """Return the packages that may have a distribution, most likely first.

    Source:
        Debian Python Policy 4.3: ``python3-`` and the name of the module.
    """
    shorter = (name.removeprefix("python-"), name.removeprefix("py"), name.removesuffix("-python"))
    return tuple(dict.fromkeys(f"python3-{each}" for each in (name, *shorter, name.replace("-", ".")) if each))


@dataclass(frozen=True, slots=True)
class Part:
    """A module of the standard library that is not in the interpreter's package.

    Attributes:
        module: dotted name of the module; its submodules are included.
        package: package with the module if the release's own data has none; ``X`` is the interpreter's minor version.
        before: first minor release of Python 3 without the module; None if there is none.
    """

    module: str
    package: str
    before: int | None = None


# Modules to look for. Their packages only count if neither dpkg's database nor apt-file's index has the file.
# Source: debian/control of python3-stdlib-extensions and of python3.11 to python3.13; PEP 632, and PEP 594 for lib2to3.
PARTS = (
    Part("_gdbm", "python3-gdbm"),
    Part("_tkinter", "python3-tk"),
    Part("dbm.gnu", "python3-gdbm"),
    Part("distutils", "python3-distutils", before=12),
    Part("ensurepip", "python3.X-venv"),
    Part("idlelib", "idle-python3.X"),
    Part("lib2to3", "python3-lib2to3", before=13),
    Part("tkinter", "python3-tk"),
    Part("turtle", "python3-tk"),
    Part("turtledemo", "python3.X-examples"),
)
# The same for PyPy. Source: debian/control of pypy3.
PYPY_PARTS = (
    Part("_tkinter", "pypy3-tk"),
    Part("idlelib", "pypy3-tk"),
    Part("tkinter", "pypy3-tk"),
    Part("turtle", "pypy3-tk"),
    Part("turtledemo", "pypy3-tk"),
)
# Modules that come with the interpreter but do not work without another one, which does not.
_NEEDS = {"dbm.gnu": "_gdbm", "turtle": "tkinter"}
_PYPY_NEEDS = dict.fromkeys(("idlelib", "tkinter", "turtle", "turtledemo"), "_tkinter")


def split_library_claims(
    staged: StagedVenv, target: Target, runner: Runner, reporter: Reporter
) -> tuple[tuple[Claim, ...], tuple[Dependency, ...]]:
    """Return the claims and the recommendations that follow from the payload's imports; see ``depends.stdlib``.

    Args:
        staged: the payload.
        target: the target; its database, and apt-file if installed, give the package of a module.
        runner: runs dpkg-query and apt-file.
        reporter: receives each recommendation, and the imports without effect.

    Raises:
        PackageDatabaseError, MissingToolError: as ``read_owners`` does.
    """
    minor, is_pypy = target.interpreter.version[1], target.interpreter.is_pypy
    parts = [each for each in (PYPY_PARTS if is_pypy else PARTS) if each.before is None or minor < each.before]
    uses = find_uses(staged, [each.module for each in parts])
    packages = _find_packages({each.imported for each in uses}, parts, target, runner, reporter)
    return module_claims(uses, packages, reporter)


def _find_packages(
    imported: Iterable[str], parts: Iterable[Part], target: Target, runner: Runner, reporter: Reporter
) -> Mapping[str, str | None]:
    """Return import → its package; None if it comes with the interpreter."""
    interpreter = target.interpreter
    real = {name: _needed_module(name, interpreter) for name in sorted(imported)}
    candidate_paths = {name: tuple(_module_paths(module, interpreter)) for name, module in real.items()}
    paths = [path for several in candidate_paths.values() for path in several]
    if not paths:
        return {}
    owners = read_owners(target, LayeredRoot(target.root), paths, [], runner)
    known = {path: {each.partition(":")[0] for each in owners.of(path)} for path in paths}
    unknown = [
        path for several in candidate_paths.values() if not any(known[path] for path in several) for path in several
    ]
    for path, package in search_apt_file(unknown, runner, reporter) if unknown else ():
        known[path].add(package)
    base = _base_packages(interpreter)
    found: dict[str, str | None] = {}
    for name, several in candidate_paths.items():
        candidates = sorted({package for path in several for package in known[path]})
        if set(candidates) & base:
            found[name] = None
        else:
            found[name] = candidates[0] if candidates else _package_of_part(real[name], parts, interpreter)
    return found


def _needed_module(name: str, interpreter: Interpreter) -> str:
    """Return the module whose package an import needs."""
    needs = _PYPY_NEEDS if interpreter.is_pypy else _NEEDS
    return next((needed for each, needed in needs.items() if f"{name}.".startswith(f"{each}.")), name)


def _module_paths(module: str, interpreter: Interpreter) -> Iterator[PurePosixPath]:
    """Yield the possible paths of a module, on Debian and its derivatives."""
    library = interpreter.path.parent.parent / "lib" / interpreter.name
    path = library.joinpath(*module.split("."))
    yield path.with_suffix(".py")
    yield path / "__init__.py"
    yield library / "lib-dynload" / f"{module}{interpreter.ext_suffix}"


def _package_of_part(module: str, parts: Iterable[Part], interpreter: Interpreter) -> str | None:
    """Return the package of the part that contains a module; a name below a part may be a class or a function."""
    for part in parts:
        if f"{module}.".startswith(f"{part.module}."):
            return part.package.replace("python3.X", f"python{interpreter.minor}")
    return None


def _base_packages(interpreter: Interpreter) -> frozenset[str]:
    full = full_package(interpreter)
    return frozenset({full, f"{full}-lib", f"{full}-minimal", f"lib{full}-stdlib", f"lib{full}-minimal"})
