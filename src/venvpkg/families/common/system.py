"""Distributions among the release's own packages: found with all that they require, and claimed as dependencies.

A family says how it stores them and how it spells versions.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from typing import TYPE_CHECKING, NamedTuple, Protocol

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from venvpkg.depends.derive import Claim
from venvpkg.errors import PackageDatabaseError
from venvpkg.model.depends import Evidence, Source
from venvpkg.model.wheels import SystemDistribution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from packaging.specifiers import Specifier

    from venvpkg.model.depends import NativePackage
    from venvpkg.model.staged import StagedSystem
    from venvpkg.model.target import Target


# Where two packages of a distribution's metadata are there, the newer form counts.
_SUFFIXES = (".dist-info", ".egg-info")
_EXTENSIONS = (".py", ".so")


class SystemPackages(Protocol):
    """What a family's package database knows of Python distributions."""

    @property
    def directories(self) -> tuple[PurePosixPath, ...]:
        """Where packages of the release put modules for its interpreter, in the order of search."""

    def owner(self, path: PurePosixPath) -> NativePackage | None:
        """Return the installed package that ships a path of the target."""

    def files(self, package: NativePackage) -> tuple[PurePosixPath, ...]:
        """Return what an installed package ships."""

    def advice(self, names: Sequence[str]) -> str:
        """Return what to install for distributions that are not there, given by their normalised names."""


class Spelling(NamedTuple):
    """How a family spells versions.

    Attributes:
        native: spelling of a PEP 440 version, without epoch where that has none.
        key: sorts as the family does.
        without_revision: epoch and upstream version of a whole version.
        minver: place of the lowest version in a template.
    """

    native: Callable[[str], str]
    key: Callable[[str], object]
    without_revision: Callable[[str], str]
    minver: str


@dataclass(frozen=True, slots=True)
class _Metadata:
    version: str
    requires: tuple[Requirement, ...]
    path: PurePosixPath


def find_system(names: Iterable[str], target: Target, packages: SystemPackages) -> tuple[SystemDistribution, ...]:
    """Return the distributions of those normalised names, and all that they require and the system has; sorted.

    Nothing is run: the files are read. What a distribution of the system requires and the system does not have is left
    to the environment.

    Raises:
        PackageDatabaseError: some are not installed, belong to no package, or cannot be read; all are named.
    """
    there = _listed(target, packages.directories)
    wanted = tuple(names)
    missing = [name for name in wanted if name not in there]
    if missing:
        raise PackageDatabaseError(
            f"{len(missing)} distribution{'s are' if len(missing) != 1 else ' is'} not among the installed packages of"
            f" {target.name}.",
            details="\n".join(f"  {name}: no metadata in {_list(packages.directories)}" for name in missing),
            resolution=packages.advice(missing),
        )
    problems: list[str] = []
    read, needed_by = _closure(wanted, there, target, problems)
    found = [
        SystemDistribution(
            name=name,
            version=metadata.version,
            requires=tuple(map(str, metadata.requires)),
            metadata=metadata.path,
            directories=packages.directories,
            modules=exposed_modules(_below(packages.files(package), packages.directories)),
            package=package,
            needed_by=needed_by[name],
        )
        for name, metadata in sorted(read.items())
        if (package := _owner(metadata.path, packages, problems)) is not None
    ]
    if problems:
        raise PackageDatabaseError(
            f"{len(problems)} distribution{'s' * (len(problems) != 1)} of {target.name} cannot be used.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Take them out of wheels.system, or install the release's own packages of them.",
        )
    return tuple(found)


def _closure(
    names: Iterable[str], there: Mapping[str, PurePosixPath], target: Target, problems: list[str]
) -> tuple[Mapping[str, _Metadata], Mapping[str, str]]:
    """Return the metadata of ``names`` and of all they require that is there, and for what each one is; empty: itself.

    What cannot be read is noted in ``problems``.
    """
    needed_by = dict.fromkeys(names, "")
    extras = {name: {""} for name in needed_by}
    read: dict[str, _Metadata] = {}
    pending = [*needed_by]
    while pending:
        name = pending.pop(0)
        if name not in read:
            try:
                read[name] = _read(target.on_host(there[name]), there[name])
            except (ValueError, OSError) as error:
                problems.append(f"{there[name]}: {error}")
                continue
        for requirement in _active(read[name].requires, target.interpreter.marker_environment, extras[name]):
            needed = canonicalize_name(requirement.name)
            asked = {"", *map(canonicalize_name, requirement.extras)}
            if needed in there and not asked <= extras.get(needed, set()):
                needed_by.setdefault(needed, name)
                extras[needed] = extras.get(needed, set()) | asked
                pending.append(needed)
    return read, needed_by


def _owner(path: PurePosixPath, packages: SystemPackages, problems: list[str]) -> NativePackage | None:
    package = packages.owner(path)
    if package is None:
        problems.append(f"{path}: no package ships it")
    return package


def system_claims(system: Iterable[StagedSystem], spelling: Spelling) -> Iterator[Claim]:
    """Yield the claims on the packages of the distributions that the environment exposes.

    There is no upper bound, as for the interpreter: it would make a release's own update hold the application back, or
    remove it.
    """
    for each in system:
        distribution = each.distribution
        for requirer, requirement, specifier in each.required_by or (("", distribution.name, ""),):
            yield Claim(
                f"{distribution.package.name} {spelling.minver}",
                Evidence(
                    source=Source.SYSTEM,
                    distribution=requirer or None,
                    floor=package_floor(distribution, specifier, spelling),
                    symbol=requirement,
                    library=distribution.metadata,
                    owner=distribution.package.name,
                ),
            )


def package_floor(distribution: SystemDistribution, specifier: str, spelling: Spelling) -> str | None:
    """Return the lowest version of the package that satisfies a specifier set (PEP 440); None when all do.

    Only versions that the specifiers name, and the installed one, are considered: which others there are is unknown.
    Where the package is not versioned as its distribution is, nothing but the installed version is known to be one.
    """
    specifiers = SpecifierSet(specifier)
    if specifiers.contains("0", prereleases=True):
        return None
    installed = spelling.without_revision(distribution.package.version)
    epoch, colon, upstream = installed.rpartition(":")
    if not _versioned_alike(upstream, distribution.version, spelling):
        return installed
    named = sorted(version for each in specifiers if (version := _named(each)) is not None)
    lowest = next((each for each in named if specifiers.contains(each, prereleases=True)), None)
    if lowest is None or lowest >= Version(distribution.version):
        return installed
    return f"{epoch}{colon}{spelling.native(str(lowest)).rpartition(':')[2]}"


def exposed_modules(files: Iterable[PurePosixPath]) -> tuple[str, ...]:
    """Return the dotted names of the modules in ``files``, which are relative to where modules are; sorted.

    A package stands for all that it holds. A directory without a file ``__init__`` is one that distributions share:
    what is in it is given one by one.
    """
    modules = [file for file in files if file.suffix in _EXTENSIONS and all(map(_is_name, file.parts[:-1]))]
    packages = {file.parent for file in modules if _stem(file) == "__init__"}
    found = set()
    for file in modules:
        above = [each for each in reversed(file.parents) if each in packages]
        parts = above[0].parts if above else (*file.parts[:-1], _stem(file))
        if all(map(_is_name, parts)):
            found.add(".".join(parts))
    return tuple(sorted(found))


def _named(specifier: Specifier) -> Version | None:
    try:
        return Version(specifier.version.removesuffix(".*"))
    except InvalidVersion:  # of ===
        return None


def _versioned_alike(upstream: str, version: str, spelling: Spelling) -> bool:
    """Whether a package's upstream version says the distribution's: ``2.0+dfsg`` that of 2.0."""
    said = {spelling.key(upstream), spelling.key(upstream.partition("+")[0])}
    return spelling.key(spelling.native(version).rpartition(":")[2]) in said


def _listed(target: Target, directories: Sequence[PurePosixPath]) -> Mapping[str, PurePosixPath]:
    """Return name → metadata of every distribution; of several, that which the interpreter finds first."""
    found: dict[str, PurePosixPath] = {}
    for directory in directories:
        here = target.on_host(directory)
        entries = sorted(each.name for each in here.iterdir()) if here.is_dir() else []
        for suffix in _SUFFIXES:
            for entry in entries:
                if entry.endswith(suffix):
                    name = canonicalize_name(entry.removesuffix(suffix).partition("-")[0])
                    found.setdefault(name, directory / entry)
    return found


def _read(path: Path, on_target: PurePosixPath) -> _Metadata:
    """Return what the metadata say.

    Raises:
        ValueError: they are malformed.
    """
    distribution = PathDistribution(path)
    try:
        version = str(Version(distribution.metadata["Version"] or ""))
        requires = tuple(map(Requirement, distribution.requires or ()))
    except (InvalidVersion, InvalidRequirement) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("it has no version") from error
    return _Metadata(version, requires, on_target)


def _active(
    requires: Iterable[Requirement], environment: Mapping[str, str], extras: Iterable[str]
) -> Iterator[Requirement]:
    for requirement in requires:
        try:
            if requirement.marker is None or any(
                requirement.marker.evaluate({**environment, "extra": extra}) for extra in extras
            ):
                yield requirement
        except (UndefinedComparison, UndefinedEnvironmentName):
            continue


def _below(files: Iterable[PurePosixPath], directories: Sequence[PurePosixPath]) -> Iterator[PurePosixPath]:
    for file in files:
        for directory in directories:
            if file.is_relative_to(directory):
                yield file.relative_to(directory)
                break


def _stem(file: PurePosixPath) -> str:
    """Return ``_yaml`` for ``_yaml.cpython-311-x86_64-linux-gnu.so``."""
    return file.name.partition(".")[0]


def _is_name(part: str) -> bool:
    return part.isascii() and part.isidentifier() and not keyword.iskeyword(part)


def _list(paths: Sequence[PurePosixPath]) -> str:
    return " or ".join(map(str, paths))
