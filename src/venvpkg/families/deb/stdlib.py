"""The parts of the standard library that Debian ships in packages of their own, and which a payload needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.depends.stdlib import find_uses, module_claims
from venvpkg.families.deb.collisions import indexed
from venvpkg.families.deb.interpreter import full_package
from venvpkg.families.deb.owners import read_owners
from venvpkg.host.layers import LayeredRoot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.depends.derive import Claim
    from venvpkg.host.runner import Runner
    from venvpkg.model.depends import Dependency
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Interpreter, Target


@dataclass(frozen=True, slots=True)
class Part:
    """A module that is not in the package of the interpreter.

    Attributes:
        module: dotted; everything below it goes with it.
        package: that has it, where the release's own data cannot tell; ``X`` stands for the interpreter's minor.
        before: the first minor release of Python 3 that has it no more; None while there is none.
    """

    module: str
    package: str
    before: int | None = None


# Which modules to look for; the packages only where neither dpkg's database nor apt-file's index has the file.
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
# Of PyPy. Source: debian/control of pypy3.
PYPY_PARTS = (
    Part("_tkinter", "pypy3-tk"),
    Part("idlelib", "pypy3-tk"),
    Part("tkinter", "pypy3-tk"),
    Part("turtle", "pypy3-tk"),
    Part("turtledemo", "pypy3-tk"),
)
# These modules are with the interpreter and useless without another one that is not.
_NEEDS = {"dbm.gnu": "_gdbm", "turtle": "tkinter"}
_PYPY_NEEDS = dict.fromkeys(("idlelib", "tkinter", "turtle", "turtledemo"), "_tkinter")


def split_library_claims(
    staged: StagedVenv, target: Target, runner: Runner, reporter: Reporter
) -> tuple[tuple[Claim, ...], tuple[Dependency, ...]]:
    """Return what the payload's imports make it depend on, and what they make it recommend; see ``depends.stdlib``.

    Args:
        staged: the payload.
        target: its database, and apt-file where it is there, know which package has a module.
        runner: runs dpkg-query and apt-file.
        reporter: hears of each recommendation, and of imports that cause nothing.

    Raises:
        PackageDatabaseError, MissingToolError: as ``read_owners`` does.
    """
    minor, is_pypy = target.interpreter.version[1], target.interpreter.is_pypy
    parts = [each for each in (PYPY_PARTS if is_pypy else PARTS) if each.before is None or minor < each.before]
    uses = find_uses(staged, [each.module for each in parts])
    packages = _packages({each.imported for each in uses}, parts, target, runner, reporter)
    return module_claims(uses, packages, reporter)


def _packages(
    imported: Iterable[str], parts: Iterable[Part], target: Target, runner: Runner, reporter: Reporter
) -> Mapping[str, str | None]:
    """Return import → the package that has it; None for what comes with the interpreter."""
    interpreter = target.interpreter
    real = {name: _real(name, interpreter) for name in sorted(imported)}
    asked = {name: tuple(_files(module, interpreter)) for name, module in real.items()}
    paths = [path for several in asked.values() for path in several]
    if not paths:
        return {}
    owners = read_owners(target, LayeredRoot(target.root), paths, [], runner)
    known = {path: {each.partition(":")[0] for each in owners.of(path)} for path in paths}
    unknown = [path for name, several in asked.items() if not any(known[path] for path in several) for path in several]
    for path, package in indexed(unknown, runner, reporter) if unknown else ():
        known[path].add(package)
    base = _with_interpreter(interpreter)
    found: dict[str, str | None] = {}
    for name, several in asked.items():
        candidates = sorted({package for path in several for package in known[path]})
        if set(candidates) & base:
            found[name] = None
        else:
            found[name] = candidates[0] if candidates else _by_table(real[name], parts, interpreter)
    return found


def _real(name: str, interpreter: Interpreter) -> str:
    """Return the module whose package matters."""
    needs = _PYPY_NEEDS if interpreter.is_pypy else _NEEDS
    return next((needed for each, needed in needs.items() if f"{name}.".startswith(f"{each}.")), name)


def _files(module: str, interpreter: Interpreter) -> Iterator[PurePosixPath]:
    """Yield where a module may be, on Debian and what descends from it."""
    library = interpreter.path.parent.parent / "lib" / interpreter.name
    path = library.joinpath(*module.split("."))
    yield path.with_suffix(".py")
    yield path / "__init__.py"
    yield library / "lib-dynload" / f"{module}{interpreter.ext_suffix}"


def _by_table(module: str, parts: Iterable[Part], interpreter: Interpreter) -> str | None:
    """Return the package of the part that a module is in; a name below one may be a class or a function."""
    for part in parts:
        if f"{module}.".startswith(f"{part.module}."):
            return part.package.replace("python3.X", f"python{interpreter.minor}")
    return None


def _with_interpreter(interpreter: Interpreter) -> frozenset[str]:
    full = full_package(interpreter)
    return frozenset({full, f"{full}-lib", f"{full}-minimal", f"lib{full}-stdlib", f"lib{full}-minimal"})
