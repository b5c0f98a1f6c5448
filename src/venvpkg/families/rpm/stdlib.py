"""Claim those parts of the standard library that rpm releases ship in packages of their own."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.depends.stdlib import find_uses, module_claims
from venvpkg.families.rpm.owners import owners_of
from venvpkg.families.rpm.repositories import shippers_in_repositories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.console import Reporter
    from venvpkg.depends.derive import Claim
    from venvpkg.host.runner import Runner
    from venvpkg.model.depends import Dependency
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Interpreter


# Module → the suffix of its package's name, which is used when neither the rpm database nor the repositories list the
# file. Source: Fedora's python3.X.spec, also used by EL; openSUSE's python3X.spec, with the interpreter in
# python3X-base, and with modules that need further libraries in python3X.
_FEDORA: Final = {
    "_tkinter": "-tkinter",
    "idlelib": "-idle",
    "test": "-test",
    "tkinter": "-tkinter",
    "turtle": "-tkinter",
    "turtledemo": "-tkinter",
}
_SUSE: Final = {
    "_curses": "-curses",
    "_dbm": "-dbm",
    "_gdbm": "-dbm",
    "_sqlite3": "",
    "_tkinter": "-tk",
    "curses": "-curses",
    "dbm": "-dbm",
    "idlelib": "-idle",
    "readline": "",
    "sqlite3": "",
    "test": "-testsuite",
    "tkinter": "-tk",
    "turtle": "-tk",
}
_BASE: Final = "-base"


def split_library_claims(
    staged: StagedVenv, interpreter: Interpreter, package: str, runner: Runner, reporter: Reporter
) -> tuple[tuple[Claim, ...], tuple[Dependency, ...]]:
    """Return the dependencies that the payload's imports cause, and the recommendations; see ``depends.stdlib``.

    Args:
        staged: the payload.
        interpreter: of the target.
        package: that ships it.
        runner: runs rpm and the package manager on the target.
        reporter: receives notes on imports without effect, and warnings on modules that no known package ships.

    Raises:
        PackageDatabaseError, MissingToolError: as ``owners_of`` does.
    """
    parts = _SUSE if package.endswith(_BASE) else _FEDORA
    uses = find_uses(staged, list(parts))
    # The interpreter's own packages are required anyway.
    base = {package, f"{package}-libs"}
    shippers: dict[str, str | None] = {}
    for module in sorted({_top_level_module(use.imported) for use in uses}):
        known = _find_shippers(module, interpreter, runner)
        usual = f"{package.removesuffix(_BASE)}{parts[module]}"
        if not known:
            reporter.warn(
                f"no installed package, and none known from the repositories, has the module {module}: it is assumed to"
                f" be in {usual}"
            )
        shippers[module] = None if base & set(known) else (known or (usual,))[0]
    return module_claims(uses, {use.imported: shippers[_top_level_module(use.imported)] for use in uses}, reporter)


def _top_level_module(imported: str) -> str:
    """Return the top-level module of an import, by which packages are searched."""
    return imported.partition(".")[0]


def _find_shippers(module: str, interpreter: Interpreter, runner: Runner) -> tuple[str, ...]:
    """Return the packages with a module, sorted: the installed ones, else those in the repositories."""
    paths = tuple(_candidate_paths(module, interpreter))
    installed = {each.name for path in paths for each in owners_of(path, runner)}
    return tuple(sorted(installed or {name for path in paths for name in shippers_in_repositories(path, runner)}))


def _candidate_paths(module: str, interpreter: Interpreter) -> Iterator[PurePosixPath]:
    """Yield the possible paths of a module; releases differ in the directory of the standard library."""
    for directory in ("/usr/lib64", "/usr/lib"):
        library = PurePosixPath(directory, interpreter.name)
        yield library / module / "__init__.py"
        yield library / f"{module}.py"
        yield library / "lib-dynload" / f"{module}{interpreter.ext_suffix}"
