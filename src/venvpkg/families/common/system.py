"""Find system distributions with all that they require, and claim their packages as dependencies.

System distributions are Python distributions in packages of the release. The family knows how its database stores
them, and how it spells versions.
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


# In order of preference, when a distribution has metadata in both forms.
_SUFFIXES = (".dist-info", ".egg-info")
_EXTENSIONS = (".py", ".so")


class SystemPackages(Protocol):
    """Access to a family's package database for Python distributions."""

    @property
    def directories(self) -> tuple[PurePosixPath, ...]:
        """Directories of the release's modules for its interpreter, in search order."""

    def owner(self, path: PurePosixPath) -> NativePackage | None:
        """Return the installed package that ships a path of the target, or None."""

    def files(self, package: NativePackage) -> tuple[PurePosixPath, ...]:
        """Return the files of an installed package."""

    def advice(self, names: Sequence[str]) -> str:
        """Return advice on how to install missing distributions, given by their normalised names."""


class Spelling(NamedTuple):
    """The version syntax of a family.

    Attributes:
        native: returns the native spelling of a PEP 440 version, with an epoch only if that has one.
        key: returns a sort key in the family's order.
        without_revision: returns epoch and upstream version of a complete version.
        minver: placeholder for the lowest version in a template.
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
    """Return the system distributions with those normalised names, and all that they require; sorted.

    Their metadata is read; no program runs. Requirements that the release does not meet are left to the virtual
    environment.

    Raises:
        PackageDatabaseError: distributions are not installed, belong to no package, or could not be read; the error
            lists all of them.
    """
    metadata_paths = _find_metadata(target, packages.directories)
    wanted = tuple(names)
    missing = [name for name in wanted if name not in metadata_paths]
    if missing:
        raise PackageDatabaseError(
            f"{len(missing)} distribution{'s are' if len(missing) != 1 else ' is'} not among the installed packages of"
            f" {target.name}.",
            details="\n".join(f"  {name}: no metadata in {_join_paths(packages.directories)}" for name in missing),
            resolution=packages.advice(missing),
        )
    problems: list[str] = []
    read, needed_by = _closure(wanted, metadata_paths, target, problems)
    found = [
        SystemDistribution(
            name=name,
            version=metadata.version,
            requires=tuple(map(str, metadata.requires)),
            metadata=metadata.path,
            directories=packages.directories,
            modules=exposed_modules(_relative_to_any(packages.files(package), packages.directories)),
            package=package,
            needed_by=needed_by[name],
        )
        for name, metadata in sorted(read.items())
        if (package := _require_owner(metadata.path, packages, problems)) is not None
    ]
    if problems:
        raise PackageDatabaseError(
            f"{len(problems)} distribution{'s' * (len(problems) != 1)} of {target.name} cannot be used.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Remove them from wheels.system, or install the release's own packages of them.",
        )
    return tuple(found)


def _closure(
    names: Iterable[str], metadata_paths: Mapping[str, PurePosixPath], target: Target, problems: list[str]
) -> tuple[Mapping[str, _Metadata], Mapping[str, str]]:
    """Return the metadata of ``names`` and of all their requirements that exist, and the distribution that needs each.

    The latter is empty for ``names``. Unreadable metadata is noted in ``problems``.
    """
    needed_by = dict.fromkeys(names, "")
    extras = {name: {""} for name in needed_by}
    read: dict[str, _Metadata] = {}
    pending = [*needed_by]
    while pending:
        name = pending.pop(0)
        if name not in read:
            try:
                read[name] = _read_metadata(target.on_host(metadata_paths[name]), metadata_paths[name])
            except (ValueError, OSError) as error:
                problems.append(f"{metadata_paths[name]}: {error}")
                continue
        for requirement in _active_requirements(
            read[name].requires, target.interpreter.marker_environment, extras[name]
        ):
            needed = canonicalize_name(requirement.name)
            asked = {"", *map(canonicalize_name, requirement.extras)}
            if needed in metadata_paths and not asked <= extras.get(needed, set()):
                needed_by.setdefault(needed, name)
                extras[needed] = extras.get(needed, set()) | asked
                pending.append(needed)
    return read, needed_by


def _require_owner(path: PurePosixPath, packages: SystemPackages, problems: list[str]) -> NativePackage | None:
    package = packages.owner(path)
    if package is None:
        problems.append(f"{path}: no package ships it")
    return package


def system_claims(system: Iterable[StagedSystem], spelling: Spelling) -> Iterator[Claim]:
    """Yield the claims on the packages of the system distributions that the virtual environment exposes.

    As for the interpreter, there is no upper bound: an update of the release would then remove the application, or be
    held back by it.
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

    Only the installed version and those in the specifiers are considered, because no other versions are known. When the
    package's versions do not follow those of the distribution, the installed version is returned.
    """
    specifiers = SpecifierSet(specifier)
    if specifiers.contains("0", prereleases=True):
        return None
    installed = spelling.without_revision(distribution.package.version)
    epoch, colon, upstream = installed.rpartition(":")
    if not _versioned_alike(upstream, distribution.version, spelling):
        return installed
    named = sorted(version for each in specifiers if (version := _named_version(each)) is not None)
    lowest = next((each for each in named if specifiers.contains(each, prereleases=True)), None)
    if lowest is None or lowest >= Version(distribution.version):
        return installed
    return f"{epoch}{colon}{spelling.native(str(lowest)).rpartition(':')[2]}"


def exposed_modules(files: Iterable[PurePosixPath]) -> tuple[str, ...]:
    """Return the dotted names of the modules in ``files``, which are relative to a directory of modules; sorted.

    A package stands for all its modules. A directory without ``__init__`` may be shared by distributions, so its
    modules are listed individually.
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


def _named_version(specifier: Specifier) -> Version | None:
    try:
        return Version(specifier.version.removesuffix(".*"))
    except InvalidVersion:  # of ===
        return None


def _versioned_alike(upstream: str, version: str, spelling: Spelling) -> bool:
    """Whether a package's upstream version corresponds to the distribution's, such as ``2.0+dfsg`` to 2.0."""
    said = {spelling.key(upstream), spelling.key(upstream.partition("+")[0])}
    return spelling.key(spelling.native(version).rpartition(":")[2]) in said


def _find_metadata(target: Target, directories: Sequence[PurePosixPath]) -> Mapping[str, PurePosixPath]:
    """Return name → metadata of every distribution; of several, the one that the interpreter finds first."""
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


def _read_metadata(path: Path, on_target: PurePosixPath) -> _Metadata:
    """Return version and requirements from the metadata at ``path``.

    Raises:
        ValueError: the metadata is malformed.
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


def _active_requirements(
    requires: Iterable[Requirement], markers: Mapping[str, str], extras: Iterable[str]
) -> Iterator[Requirement]:
    for requirement in requires:
        try:
            if requirement.marker is None or any(
                requirement.marker.evaluate({**markers, "extra": extra}) for extra in extras
            ):
                yield requirement
        except (UndefinedComparison, UndefinedEnvironmentName):
            continue


def _relative_to_any(files: Iterable[PurePosixPath], directories: Sequence[PurePosixPath]) -> Iterator[PurePosixPath]:
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


def _join_paths(paths: Sequence[PurePosixPath]) -> str:
    return " or ".join(map(str, paths))
