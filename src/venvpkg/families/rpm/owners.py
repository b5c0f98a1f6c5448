"""Find the installed packages that provide a capability or ship a file, in the rpm database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import MissingToolError, PackageDatabaseError
from venvpkg.families.rpm.database import errors_of
from venvpkg.host.command import Command
from venvpkg.model.depends import NativePackage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvpkg.host.command import Completed, Runner
    from venvpkg.model.target import Target


_PACKAGE: Final = r"%{=NAME}\t%{=EPOCHNUM}\t%{=VERSION}-%{=RELEASE}\t%{=ARCH}"
_PROVIDES: Final = f"[{_PACKAGE}\\t%{{PROVIDENAME}}\\t%{{PROVIDEFLAGS:depflags}}\\t%{{PROVIDEVERSION}}\\n]"
_SHIPS: Final = _PACKAGE.replace("=", "") + "\\n"
# rpm waits for as long as another program has locked the database.
_TIMEOUT_S: Final = 120.0
_OUT_OF_TIME: Final = 124
_DATABASE: Final = re.compile(r"rpmdb|database|cannot open Packages", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Owners:
    """Index of the provides of all installed packages.

    Attributes:
        provides: capability, with and without its version (``python(abi)``, ``python(abi) = 3.11``) → the installed
            packages that provide it, sorted.
    """

    provides: Mapping[str, tuple[NativePackage, ...]]

    def of(self, capability: str) -> NativePackage | None:
        """Return the installed package that provides a capability, the first by name; None when there is none."""
        return next(iter(self.provides.get(capability, ())), None)

    def packages(self) -> frozenset[NativePackage]:
        """Return every installed package; each provides at least its own name."""
        return frozenset(each for packages in self.provides.values() for each in packages)

    def has_versions(self, soname: str) -> bool:
        """Whether the owner of a library provides its symbol versions."""
        return any(each.startswith(f"{soname}(") and not each.startswith(f"{soname}()") for each in self.provides)


def read_owners(runner: Runner) -> Owners:
    """Return the index of everything that the installed packages provide.

    Listing the whole database prints some ten thousand lines and takes less than a second. A query for several
    capabilities would not show which answer belongs to which of them.

    Args:
        runner: runs rpm on the target.

    Raises:
        PackageDatabaseError: there is no database, it is damaged, or nothing is installed.
        MissingToolError: no rpm.
    """
    done = _query_rpm(("--all", "--queryformat", _PROVIDES), runner)
    found: dict[str, set[NativePackage]] = {}
    for line in done.text.splitlines():
        match line.split("\t"):
            case [name, epoch, version, architecture, capability, flags, bound]:
                package = _native_package(name, epoch, version, architecture)
                found.setdefault(capability, set()).add(package)
                if bound:
                    found.setdefault(f"{capability} {flags.strip()} {bound}", set()).add(package)
            case _:  # a key that was imported is listed as a package without architecture
                continue
    if not found or not done.ok:
        raise _database_error(done)
    return Owners({capability: tuple(sorted(packages)) for capability, packages in found.items()})


def owners_of(path: PurePosixPath, runner: Runner) -> tuple[NativePackage, ...]:
    """Return the installed packages that ship ``path``, sorted.

    Raises:
        PackageDatabaseError: the database cannot be read.
        MissingToolError: no rpm.
    """
    done = _query_rpm(("--queryformat", _SHIPS, "--file", str(path)), runner)
    lines = [line.split("\t") for line in done.text.splitlines()] if done.ok else []
    return tuple(sorted({_native_package(*line) for line in lines if len(line) == 4}))  # noqa: PLR2004 - as _SHIPS has them


def list_files(package: NativePackage, runner: Runner) -> tuple[PurePosixPath, ...]:
    """Return the paths that an installed package ships, including directories, in the package's order.

    Raises:
        PackageDatabaseError: the database cannot be read.
        MissingToolError: no rpm.
    """
    done = _query_rpm(("--queryformat", r"[%{FILENAMES}\n]", "--", f"{package.name}.{package.architecture}"), runner)
    return tuple(PurePosixPath(line) for line in done.text.splitlines() if line.startswith("/")) if done.ok else ()


def packages_shipping(
    paths: Sequence[PurePosixPath], target: Target, runner: Runner
) -> Mapping[PurePosixPath, NativePackage]:
    """Return path → the package that ships it, the first by name; paths that no package ships are left out.

    Raises:
        PackageDatabaseError, MissingToolError: as ``owners_of``.
    """
    del target
    found = ((path, owners_of(path, runner)) for path in paths)
    return {path: owners[0] for path, owners in found if owners}


def versions_providing(capabilities: Sequence[str], runner: Runner) -> dict[str, str]:
    """Return package → version of the installed packages that provide any of the capabilities (names or paths).

    Raises:
        PackageDatabaseError: the database cannot be read.
        MissingToolError: no rpm.
    """
    done = _query_rpm(("--queryformat", _SHIPS, "--whatprovides", *capabilities), runner)
    lines = [line.split("\t") for line in done.text.splitlines()]
    found = [_native_package(*line) for line in lines if len(line) == 4]  # noqa: PLR2004 - as _SHIPS has them
    return {each.name: each.version for each in found}


def _native_package(name: str, epoch: str, version: str, architecture: str) -> NativePackage:
    return NativePackage(name, version if epoch == "0" else f"{epoch}:{version}", architecture)


def _query_rpm(arguments: tuple[str, ...], runner: Runner) -> Completed:
    done = runner.run(Command(("rpm", "--query", *arguments), timeout_s=_TIMEOUT_S))
    if done.not_found:
        raise MissingToolError(["rpm, which finds the packages that provide libraries"], install=["rpm"])
    # The exit status is the number of packages that were not found.
    if done.returncode < 0 or done.returncode == _OUT_OF_TIME or _DATABASE.search(errors_of(done)):
        raise _database_error(done)
    return done


def _database_error(done: Completed) -> PackageDatabaseError:
    return PackageDatabaseError(
        "rpm could not read the target's package database.",
        details=f"  {done.outcome()}: {done.errors.strip()[-2000:] or 'no package is installed'}",
        resolution="Repair it: rpm --rebuilddb. If another program has locked it, try again when that has finished.",
    )


# Names of Fedora and its relatives, and of SUSE; those not installed are left out. libmagic is among them because
# rpmbuild writes the type that it reports for each file into the header.
_PACKAGING_TOOLS: Final = (
    "rpm", "rpm-build", "rpm-libs", "file-libs", "file-magic", "libmagic1", "xz-libs", "liblzma5", "libzstd",
    "libzstd1", "python3-libs",
)  # fmt: skip


def packaging_tool_versions(target: Target, runner: Runner) -> tuple[tuple[str, str], ...]:
    """Return name and version of the installed packages that pack and compile bytecode; sorted by name."""
    found = versions_providing((*_PACKAGING_TOOLS, str(target.interpreter.path)), runner)
    return tuple(sorted(found.items()))
