"""The parts of the standard library that rpm releases have in packages of their own, and which a payload needs."""

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


# Which modules to look for, and what the name of their package ends with, for where neither the rpmdb nor the
# repositories have the file. Source: Fedora's python3.X.spec, which EL has too; openSUSE's python3X.spec, where the
# package of the interpreter is python3X-base, and python3X has what needs libraries that base systems do without.
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
    """Return what the payload's imports make it require, and what they make it recommend; see ``depends.stdlib``.

    Args:
        staged: the payload.
        interpreter: of the target.
        package: that ships it.
        runner: runs rpm and the package manager on the target.
        reporter: hears of imports that cause nothing, and of packages that nobody was found to have.

    Raises:
        PackageDatabaseError, MissingToolError: as ``owners_of`` does.
    """
    parts = _SUSE if package.endswith(_BASE) else _FEDORA
    uses = find_uses(staged, list(parts))
    # What the interpreter cannot be without is there already.
    base = {package, f"{package}-libs"}
    shippers: dict[str, str | None] = {}
    for module in sorted({_part(use.imported) for use in uses}):
        known = _shippers(module, interpreter, runner)
        usual = f"{package.removesuffix(_BASE)}{parts[module]}"
        if not known:
            reporter.warn(
                f"neither an installed package nor one that the repositories tell of has the module {module}: it is"
                f" taken to be in {usual}"
            )
        shippers[module] = None if base & set(known) else (known or (usual,))[0]
    return module_claims(uses, {use.imported: shippers[_part(use.imported)] for use in uses}, reporter)


def _part(imported: str) -> str:
    """Return the module that the package is asked for; all parts are modules at the top."""
    return imported.partition(".")[0]


def _shippers(module: str, interpreter: Interpreter, runner: Runner) -> tuple[str, ...]:
    """Return the packages with a module, sorted: those that are installed, else those of the repositories."""
    paths = tuple(_files(module, interpreter))
    installed = {each.name for path in paths for each in owners_of(path, runner)}
    return tuple(sorted(installed or {name for path in paths for name in shippers_in_repositories(path, runner)}))


def _files(module: str, interpreter: Interpreter) -> Iterator[PurePosixPath]:
    """Yield where a module may be; which of the two directories has the library is the release's choice."""
    for directory in ("/usr/lib64", "/usr/lib"):
        library = PurePosixPath(directory, interpreter.name)
        yield library / module / "__init__.py"
        yield library / f"{module}.py"
        yield library / "lib-dynload" / f"{module}{interpreter.ext_suffix}"
