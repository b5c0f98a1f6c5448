"""The interpreter as a dependency: itself, its standard library in other packages, and system distributions."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.depends.derive import Claim
from venvpkg.depends.stdlib import find_uses, module_claims
from venvpkg.errors import PackageDatabaseError
from venvpkg.families.common.system import Spelling, find_system
from venvpkg.families.rpm.owners import list_files, owners_of
from venvpkg.families.rpm.relations import MINVER
from venvpkg.families.rpm.repositories import shippers_in_repositories
from venvpkg.families.rpm.versions import is_higher, to_release_spelling, version_key, without_release
from venvpkg.model.depends import Evidence, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from venvpkg.console import Reporter
    from venvpkg.families.base import TargetContext
    from venvpkg.families.rpm.owners import Owners
    from venvpkg.host.command import Runner
    from venvpkg.model.depends import Dependency, NativePackage
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Interpreter, Target
    from venvpkg.model.wheels import SystemDistribution


def interpreter_claims(
    interpreter: Interpreter, shipped_by: Sequence[NativePackage], owners: Owners, floor: str, needed_by: PurePosixPath
) -> tuple[Claim, ...]:
    """Return claims on ``/usr/bin/python3.X``, ``python(abi) = 3.X`` and, if distributions need it, a patch release.

    rpm's own generator only covers modules below ``/usr/lib*/pythonX.Y``; a package with modules elsewhere would be
    installed, and broken, on a release with another Python. An ABI that no package provides, such as PyPy's, is implied
    by the path, which includes the minor version.

    Args:
        interpreter: of the target.
        shipped_by: packages that ship its path.
        owners: of the target.
        floor: lowest patch release that the distributions accept, ``3.11.0``.
        needed_by: ``bin/python`` of the virtual environment.

    Raises:
        PackageDatabaseError: no package ships the interpreter or provides its ABI, or it is older than the floor.

    Source:
        Fedora Python Packaging Guidelines, "Automatically generated dependencies"; the free-threaded build has
        python(abi) = 3.13t.
    """
    abi = f"python(abi) = {interpreter.series}"
    with_abi = None if interpreter.is_pypy else owners.of(abi)
    is_told = interpreter.path.name == interpreter.name and not interpreter.is_default
    if not shipped_by or (with_abi is None and not is_told):
        raise PackageDatabaseError(
            f"{interpreter.path} does not belong to a package of the release.",
            details="  No package ships it." if not shipped_by else f"  No installed package provides {abi}.",
            resolution="A package can only depend on an interpreter that comes from a package of the release.",
        )
    owner = shipped_by[0]
    if not interpreter.is_pypy and is_higher(floor, without_release(owner.version)):
        raise PackageDatabaseError(
            f"{owner.name} {owner.version} is older than {floor}, which the application requires.",
            resolution="Choose versions of its distributions that accept the release's interpreter.",
        )

    def evidence(package: str, lowest: str | None = None) -> Evidence:
        return Evidence(
            source=Source.INTERPRETER, needed_by=needed_by, floor=lowest, library=interpreter.path, owner=package
        )

    claims = [Claim(str(interpreter.path), evidence(owner.name))]
    if with_abi is not None:
        claims.append(Claim(abi, evidence(with_abi.name)))
    if not interpreter.is_pypy and not floor.endswith(".0"):
        claims.append(Claim(f"{owner.name} {MINVER}", evidence(owner.name, floor)))
    return tuple(claims)


SPELLING: Final = Spelling(to_release_spelling, version_key, without_release, MINVER)


def system_distributions(names: Sequence[str], context: TargetContext) -> tuple[SystemDistribution, ...]:
    """Return the distributions of those normalised names, and all that they require and packages have; sorted.

    Raises:
        PackageDatabaseError: some are not installed, or belong to no package.
    """
    return find_system(names, context.target, _Packages(context.target, context.runner)) if names else ()


class _Packages:
    """SystemPackages from the rpm database."""

    def __init__(self, target: Target, runner: Runner) -> None:
        self._interpreter = target.interpreter
        self._runner = runner

    @property
    def directories(self) -> tuple[PurePosixPath, ...]:
        # Fedora Python Packaging Guidelines, %python3_sitearch and %python3_sitelib; where both are one, once.
        return tuple(PurePosixPath(f"/usr/{each}/{self._interpreter.name}/site-packages") for each in ("lib64", "lib"))

    def owner(self, path: PurePosixPath) -> NativePackage | None:
        return next(iter(owners_of(path, self._runner)), None)

    def files(self, package: NativePackage) -> tuple[PurePosixPath, ...]:
        return list_files(package, self._runner)

    def advice(self, names: Sequence[str]) -> str:
        # Fedora Python Packaging Guidelines, machine-readable provides.
        wanted = " ".join(f"'python{self._interpreter.minor}dist({name})'" for name in names)
        return f"Run: dnf install {wanted}"


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
