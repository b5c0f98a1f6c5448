"""Read a lock (PEP 751) for one target. Outside input: every problem is found and told at once."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from packaging.markers import InvalidMarker, UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import (  # noqa: TID251
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.version import InvalidVersion

from venvpkg.errors import LockError
from venvpkg.index.urls import RemoteFileError, filename_of_url, parse_filename, redact, remote_file, source_archive
from venvpkg.lock.lockfile import read_document
from venvpkg.model.lock import Lock, LockedCommit, LockedDirectory, LockedDistribution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.markers import Marker
    from packaging.pylock import (  # noqa: TID251  # noqa: TID251
        Package,
        PackageArchive,
        PackageDirectory,
        PackageSdist,
        PackageVcs,
        PackageWheel,
    )

    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.project import Settings
    from venvpkg.model.target import Target


def read_lock(path: Path, target: Target, settings: Settings) -> Lock:
    """Return what a lock says is needed on ``target``.

    Args:
        path: a lock by venvpkg, or by any other program that writes PEP 751.
        target: its interpreter's markers choose the packages.
        settings: the extras and dependency groups asked for.

    Returns:
        Each distribution with all its files: the choice among them is the wheel plan's. The application's own entry
        (a directory that is the lock's own) is left out.

    Raises:
        LockError: the lock is malformed, is not for this target, or needs something that cannot be verified; every
            problem is in the details.

    Source:
        PyPA specification "pylock.toml", Installation.
    """
    document = read_document(path)
    reader = _Reader(path.absolute().parent, target, settings)
    distributions = reader.read(document)
    if reader.problems:
        count = len(reader.problems)
        raise LockError(
            f"{path} cannot be used for {target.name}: {count} problem{'s' * (count != 1)}.",
            details="\n".join(f"  {problem}" for problem in reader.problems),
            resolution="Run 'venvpkg lock' to write it anew, or correct it with the program that wrote it.",
        )
    return Lock(tuple(sorted(distributions, key=lambda each: each.name)))


class _Reader:
    """One pass over a lock, gathering distributions and problems."""

    def __init__(self, directory: Path, target: Target, settings: Settings) -> None:
        self.problems: list[str] = []
        self._directory = directory
        self._target = target
        self._extras = frozenset(settings.extras)
        self._groups = frozenset(settings.groups)
        # No file of theirs is installed: the interpreter's own would stay in use, or break.
        self._brought = frozenset(name for name, _ in target.interpreter.distributions)
        self._python = target.interpreter.marker_environment["python_full_version"].removesuffix("+")

    def read(self, document: Mapping[str, object]) -> list[LockedDistribution]:
        """Return the distributions that the target needs, each once, in the lock's order."""
        head = self._parsed(dict(document) | {"packages": []}, "")
        entries = document.get("packages")
        if head is None:
            return []
        if not isinstance(entries, list):
            self.problems.append("packages: missing, or no array of tables")
            return []
        self._check_head(head)
        groups = frozenset(head.default_groups or ()) | self._groups
        marker_environment = dict(self._target.interpreter.marker_environment) | {
            "extras": self._extras,
            "dependency_groups": groups,
        }
        found: dict[str, LockedDistribution] = {}
        for index, entry in enumerate(entries):
            where = _where(index, entry)
            lock = self._parsed(dict(document) | {"packages": [entry]}, where)
            if lock is None or not self._wanted(lock.packages[0], where, marker_environment):
                continue
            if lock.packages[0].name in self._brought:
                continue
            distribution = self._distribution(lock.packages[0], where)
            if distribution is None:
                continue
            if distribution.name in found:
                self.problems.append(f"{where}: a second entry of {distribution.name} applies to {self._target.name}")
            found[distribution.name] = distribution
        return list(found.values())

    def _parsed(self, document: Mapping[str, object], where: str) -> Pylock | None:
        """Return a lock with one entry, or none: packaging stops at the first problem that it finds."""
        try:
            return Pylock.from_dict(document)
        except (PylockValidationError, PylockUnsupportedVersionError) as error:
            message = str(error).replace("packages[0].", "").replace(" in 'packages[0]'", "")
            self.problems.append(f"{where}: {message}" if where else message)
            return None

    def _check_head(self, lock: Pylock) -> None:
        name = self._target.name
        if lock.requires_python is not None and not lock.requires_python.contains(self._python, prereleases=True):
            self.problems.append(f"it is for Python {lock.requires_python}; {name} has {self._python}")
        marker_environment = dict(self._target.interpreter.marker_environment)
        applies = [self._holds(marker, "environments", marker_environment) for marker in lock.environments or ()]
        if applies and not any(applies):
            self.problems.append(f"{name} is none of the environments that it is for")
        unknown = self._extras - set(lock.extras or ())
        if lock.extras and unknown:
            self.problems.append(f"it has no extra {', '.join(sorted(unknown))}")
        unknown = self._groups - set(lock.dependency_groups or ())
        if lock.dependency_groups and unknown:
            self.problems.append(f"it has no dependency group {', '.join(sorted(unknown))}")

    def _wanted(self, package: Package, where: str, marker_environment: Mapping[str, str | frozenset[str]]) -> bool:
        if package.marker is not None and not self._holds(package.marker, where, marker_environment):
            return False
        if package.requires_python is not None and not package.requires_python.contains(self._python, prereleases=True):
            self.problems.append(
                f"{where}: wants Python {package.requires_python}; {self._target.name} has {self._python}"
            )
            return False
        return True

    def _holds(self, marker: Marker, where: str, marker_environment: Mapping[str, str | frozenset[str]]) -> bool:
        try:
            return marker.evaluate(cast("dict[str, str]", marker_environment), context="lock_file")
        except (InvalidMarker, InvalidVersion, UndefinedComparison, UndefinedEnvironmentName, RecursionError) as error:
            self.problems.append(f"{where}: marker {str(marker)[:200]!r} means nothing: {error}")
            return False

    def _distribution(self, package: Package, where: str) -> LockedDistribution | None:
        if package.vcs is not None or package.directory is not None:
            return self._of_source(package, where)
        if package.archive is not None:
            return self._of_archive(package, package.archive, where)
        wheels = tuple(self._files(package.wheels or (), where))
        sdists = tuple(self._files((package.sdist,) if package.sdist is not None else (), where))
        version = package.version
        if version is None and (wheels or sdists):
            version = parse_filename((*wheels, *sdists)[0].filename)[1]
        return LockedDistribution(package.name, str(version or ""), wheels, sdists[0] if sdists else None)

    def _of_source(self, package: Package, where: str) -> LockedDistribution | None:
        """Return a distribution whose source comes from no index; None for the application's own, or a problem."""
        origin: LockedDirectory | LockedCommit | None = None
        try:
            if package.vcs is not None:
                origin = locked_commit(package.vcs, self._directory)
            elif package.directory is not None:
                origin = locked_directory(package.directory, self._directory)
        except OriginError as error:
            self.problems.append(f"{where}: {error}")
            return None
        return LockedDistribution(package.name, str(package.version or ""), (), None, origin) if origin else None

    def _of_archive(self, package: Package, archive: PackageArchive, where: str) -> LockedDistribution | None:
        """Return a distribution whose wheel or source is at an address of its own.

        What is built from a source archive must have the name, and the version if the lock or an sdist's name has one.
        """
        try:
            url = self._url(archive)
            if filename_of_url(url).endswith(".whl"):
                return self._of_direct_wheel(package, archive, url, where)
            subdirectory = checked_subdirectory(archive.subdirectory)
            file = source_archive(url, archive.hashes, archive.upload_time, subdirectory)
        except (OriginError, RemoteFileError, ValueError) as error:
            self.problems.append(f"{where}: {error}")
            return None
        version = package.version
        with contextlib.suppress(RemoteFileError):
            name, told = parse_filename(file.filename)
            version = told if version is None and name == package.name else version
        return LockedDistribution(package.name, str(version or ""), wheels=(), sdist=file)

    def _of_direct_wheel(
        self, package: Package, archive: PackageArchive, url: str, where: str
    ) -> LockedDistribution | None:
        file = remote_file(filename_of_url(url), url.partition("#")[0], archive.hashes, archive.upload_time)
        name, version = parse_filename(file.filename)
        if name != package.name or (package.version is not None and version != package.version):
            self.problems.append(f"{where}: {file.filename} is another distribution, or another version")
            return None
        return LockedDistribution(package.name, str(version), wheels=(file,), sdist=None)

    def _files(self, entries: Sequence[PackageSdist | PackageWheel], where: str) -> Iterator[RemoteFile]:
        for entry in entries:
            try:
                yield remote_file(entry.filename, self._url(entry), entry.hashes, entry.upload_time)
            except (RemoteFileError, ValueError) as error:
                self.problems.append(f"{where}: {error}")

    def _url(self, entry: PackageArchive | PackageSdist | PackageWheel) -> str:
        return entry.url or Path(os.path.normpath(self._directory / (entry.path or ""))).as_uri()


def _where(index: int, entry: object) -> str:
    """Return what to call an entry: its name as it stands, escaped, or its number."""
    name = entry.get("name") if isinstance(entry, dict) else None
    if isinstance(name, str) and name.isprintable() and name:
        return name[:100]
    return f"packages[{index}]"


# git's object names under SHA-1 and SHA-256; a shorter one, a branch or a tag can mean something else tomorrow.
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# What git can be asked for without a helper program of its own: `ext::sh -c …` is an address, too.
_SCHEMES: Final = frozenset({"file", "git", "http", "https", "ssh"})


class OriginError(ValueError):
    """What is wrong with an entry, in a sentence without its place."""


def locked_directory(entry: PackageDirectory, base: Path) -> LockedDirectory | None:
    """Return the directory of an entry, or None when it is ``base``; never installed as editable, whatever it says.

    Args:
        entry: as the lock has it.
        base: absolute; where relative paths start.

    Raises:
        OriginError: no directory with Python source is there.
    """
    path = _below(base / entry.path, entry.subdirectory)
    try:
        resolved = path.resolve()
        found = any((resolved / name).is_file() for name in ("pyproject.toml", "setup.py"))
    except (OSError, ValueError, RuntimeError) as error:  # a NUL, a loop of links
        raise OriginError(f"{str(path)[:300]!r} is no path of a directory") from error
    if resolved == base.resolve():
        return None
    if not found:
        raise OriginError(f"no directory with a pyproject.toml or setup.py is at {str(path)[:300]!r}")
    return LockedDirectory(resolved)


def locked_commit(entry: PackageVcs, base: Path) -> LockedCommit:
    """Return the commit of an entry.

    Args:
        entry: as the lock has it.
        base: absolute; where the relative path of a repository starts.

    Raises:
        OriginError: it is not git, the commit is no full object name, or the address is none that git is asked for.
    """
    if entry.type != "git":
        raise OriginError(f"comes from {entry.type[:40]!r}; of version control systems, venvpkg knows git")
    if not _COMMIT.fullmatch(entry.commit_id):
        raise OriginError(f"{entry.commit_id[:80]!r} is no full commit id, so it can mean another one tomorrow")
    url = entry.url.removeprefix("git+") if entry.url is not None else ""
    if url:
        _check_url(url)
    elif entry.path is not None:
        url = str(base / entry.path)
    else:
        raise OriginError("has neither the URL nor the path of a repository")
    if not url.isprintable():
        raise OriginError("the address of its repository holds a character that no URL has")
    return LockedCommit(url, entry.commit_id, checked_subdirectory(entry.subdirectory))


def checked_subdirectory(subdirectory: str | None) -> str:
    """Return a subdirectory as it was given; empty for none, and for the top.

    Raises:
        OriginError: it leads outside.
    """
    _below(Path("/"), subdirectory)
    return "" if subdirectory is None or subdirectory == "." else subdirectory


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or (parts.scheme in {"http", "https"} and parts.username is not None)
    except ValueError as error:
        raise OriginError(f"{redact(url)[:300]!r} is no URL") from error
    if parts.scheme not in _SCHEMES:
        raise OriginError(f"{redact(url)[:300]!r} is not one of {', '.join(sorted(_SCHEMES))}")
    if secret:
        raise OriginError(
            f"{redact(url)} holds a user or password; keep them out of the lock, in netrc or git's credential helper"
        )


def _below(directory: Path, subdirectory: str | None) -> Path:
    if not subdirectory:
        return directory
    path = PurePosixPath(subdirectory)
    if path.is_absolute() or ".." in path.parts or not subdirectory.isprintable():
        raise OriginError(f"{subdirectory[:200]!r} is no subdirectory")
    return directory / path
