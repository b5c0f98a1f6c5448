"""Query dpkg's database for the installed packages that ship files of the target, and their versions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.deb.host import INSTALL
from venvpkg.host.command import Command
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.depends import NativePackage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.target import Target


DATABASE = PurePosixPath("/var/lib/dpkg")

# Directories that merged /usr turns into links; a package may list its files under either path.
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32")
_NOT_ALL_FOUND = 1


@dataclass(frozen=True, slots=True)
class Owners:
    """Owners of files, and versions of packages.

    Attributes:
        packages: path → the packages that ship it, in dpkg's spelling (``libc6:amd64``).
        spellings: requested path → every path it may be listed under, most likely first.
        versions: package, with and without architecture → installed version.
    """

    packages: Mapping[str, tuple[str, ...]]
    spellings: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, str]

    def of(self, path: PurePosixPath) -> tuple[str, ...]:
        """Return the packages that ship a requested path, under any of its spellings; empty for none."""
        found = (each for spelling in self.spellings.get(str(path), ()) for each in self.packages.get(spelling, ()))
        return tuple(dict.fromkeys(found))

    def package(self, owner: str, target: Target) -> NativePackage | None:
        """Return the installed package of an owner, or None; dpkg omits architectures that are not ambiguous."""
        name, _, architecture = owner.partition(":")
        version = self.versions.get(owner)
        return NativePackage(name, version, architecture or target.architecture) if version else None


def packages_shipping(
    paths: Sequence[PurePosixPath], target: Target, runner: Runner
) -> Mapping[PurePosixPath, NativePackage]:
    """Return path → the first package that ships it; a path that none ships is left out.

    Raises:
        PackageDatabaseError, MissingToolError: as ``read_owners``.
    """
    owners = read_owners(target, LayeredRoot(target.root), paths, (), runner)
    found = ((path, [owners.package(owner, target) for owner in owners.of(path)]) for path in paths)
    return {path: packages[0] for path, packages in found if packages and packages[0]}


def read_owners(
    target: Target, root: LayeredRoot, paths: Iterable[PurePosixPath], packages: Sequence[str], runner: Runner
) -> Owners:
    """Return the owners of all ``paths``, from one search, and their versions, from another query.

    Args:
        target: the target, whose database is queried.
        root: the target's filesystem, without a payload.
        paths: paths on the target; those with control characters have no owner.
        packages: further packages to get the versions of; they need not be installed.
        runner: runs dpkg-query on the target.

    Raises:
        PackageDatabaseError: there is no database, or dpkg-query cannot read it.
        MissingToolError: dpkg-query is not installed.
    """
    if not target.on_host(DATABASE / "status").is_file():
        raise PackageDatabaseError(
            f"{target.name} has no package database.", details=f"  {DATABASE / 'status'} does not exist."
        )
    spellings = {str(path): _spellings(str(path), root) for path in paths if str(path).isprintable()}
    asked = {each: None for several in spellings.values() for each in several}
    shipped, diverted = _search(asked, runner)
    # A diverted file is listed under its original name, which has not been searched yet.
    moved = [origin for origin in diverted if origin not in asked]
    if moved:
        shipped |= _search(moved, runner)[0]
    found = {path: _owners_of(path, shipped, diverted) for path in [*asked]}
    names = sorted({name for several in found.values() for name in several} | set(packages))
    return Owners(found, spellings, installed_versions(names, runner) if names else {})


def _spellings(path: str, root: LayeredRoot) -> tuple[str, ...]:
    """Return a path and the target of its links, both with and without ``/usr``.

    dpkg does not know that ``/lib`` and ``/usr/lib`` are the same: it only finds the spelling in the package. Links
    come from a package, or from update-alternatives (``libblas.so.3``) and then belong to none.
    """
    place = root.find(path)
    found: list[str] = []
    for each in dict.fromkeys((path, place.path if place else path)):
        found.append(each)
        first, _, rest = each.lstrip("/").partition("/")
        if first in _MERGED and rest:
            found.append(f"/usr/{first}/{rest}")
        second, _, rest = rest.partition("/")
        if first == "usr" and second in _MERGED and rest:
            found.append(f"/{second}/{rest}")
    return tuple(dict.fromkeys(each for each in found if _leads_to_same(root, each, path)))


def _leads_to_same(root: LayeredRoot, one: str, other: str) -> bool:
    first, second = root.find(one), root.find(other)
    return first is not None and second is not None and first.path == second.path


# Path → packages that list it; path → package that diverted it (empty: the administrator), and the new path.
_Shipped = dict[str, tuple[str, ...]]
_Diverted = dict[str, tuple[str, str]]


def _search(paths: Iterable[str], runner: Runner) -> tuple[_Shipped, _Diverted]:
    patterns = [_escape_pattern(path) for path in paths]
    if not patterns:
        return {}, {}
    done = _query(("--search", "--", *patterns), runner)
    return parse_search(os.fsdecode(done.stdout))


def parse_search(text: str) -> tuple[_Shipped, _Diverted]:
    """Parse the output of ``dpkg-query --search``: owners by path, and diversions by the original path.

    Source:
        dpkg-query(1), --search.
    """
    shipped: _Shipped = {}
    diverted: _Diverted = {}
    origin, by = "", ""
    for line in text.splitlines():
        names, _, path = line.partition(": ")
        if names.startswith(("diversion by ", "local diversion ")):
            package = names.removeprefix("diversion by ").rpartition(" ")[0] if names[0] == "d" else ""
            if names.endswith(" from"):
                origin, by = path, package
            elif names.endswith(" to") and origin:
                diverted[origin] = (by, path)
        elif path:
            shipped[path] = tuple(names.split(", "))
    return shipped, diverted


def _owners_of(path: str, shipped: _Shipped, diverted: _Diverted) -> tuple[str, ...]:
    """Return the packages that installed the file that is now at ``path``.

    dpkg prints all packages that list a diverted path, but only the diverting package's file is there; those of the
    others are at the new path.
    """
    if path in diverted:
        by, _ = diverted[path]
        return tuple(name for name in shipped.get(path, ()) if by and _bare(name) == by)
    direct = shipped.get(path, ())
    for origin, (by, to) in diverted.items():
        if to == path:
            direct += tuple(name for name in shipped.get(origin, ()) if not by or _bare(name) != by)
    return direct


def installed_versions(packages: Sequence[str], runner: Runner) -> dict[str, str]:
    """Return package, with and without architecture → version, for installed packages."""
    done = _query(("--show", "-f", "${binary:Package} ${Version} ${db:Status-Status}\n", "--", *packages), runner)
    versions: dict[str, str] = {}
    for line in os.fsdecode(done.stdout).splitlines():
        match line.split(" "):
            case [name, version, status] if version and status not in {"not-installed", "config-files"}:
                versions[name] = version
                versions.setdefault(_bare(name), version)
            case _:  # known, but not installed
                continue
    return versions


def native_package(name: str, runner: Runner) -> NativePackage | None:
    """Return an installed package by its name, or None."""
    done = _query(("--show", "-f", "${Package} ${Version} ${Architecture} ${db:Status-Status}\n", "--", name), runner)
    for line in os.fsdecode(done.stdout).splitlines():
        match line.split(" "):
            case [package, version, architecture, "installed"]:
                return NativePackage(package, version, architecture)
            case _:
                continue
    return None


def list_files(package: str, runner: Runner) -> tuple[PurePosixPath, ...]:
    """Return the files and directories that an installed package ships, in its order."""
    done = _query(("--listfiles", "--", package), runner)
    # dpkg prints sentences about diversions between them.
    return tuple(PurePosixPath(line) for line in os.fsdecode(done.stdout).splitlines() if line.startswith("/"))


def _query(arguments: tuple[str, ...], runner: Runner) -> Completed:
    command = Command(("dpkg-query", *arguments), timeout_s=120)
    done = runner.run(command)
    if done.not_found:
        raise MissingToolError(
            ["dpkg-query, which finds the packages of libraries"], install=["dpkg"], installer=INSTALL
        )
    if done.returncode not in {0, _NOT_ALL_FOUND}:
        raise PackageDatabaseError(
            "dpkg-query could not read the target's package database.",
            details=f"  {done.outcome()}: {done.errors.strip()[-2000:]}",
            resolution="Repair it: dpkg --audit, dpkg --configure --pending, or /var/backups/dpkg.status.*.",
        )
    return done


def _bare(package: str) -> str:
    """Return the name without architecture."""
    return package.partition(":")[0]


def _escape_pattern(path: str) -> str:
    """Return a search pattern that only matches this path."""
    return "".join(f"\\{char}" if char in "*?[\\" else char for char in path)


# dpkg-deb runs tar, and is linked with the compressors.
_PACKERS = ("dpkg", "liblzma5", "libzstd1", "tar", "zlib1g")


def packaging_tool_versions(target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
    """Return names and versions of the installed packages that pack, and that compile bytecode; sorted by name."""
    minor = target.interpreter.minor
    compiler = [f"{each}{minor}-minimal" for each in ("python", "libpython")]
    names = [*_PACKERS, *(("pypy3", "pypy3-lib") if target.interpreter.is_pypy else compiler)]
    versions = installed_versions(names, runner)
    return tuple(sorted((name, versions[name]) for name in names if name in versions))
