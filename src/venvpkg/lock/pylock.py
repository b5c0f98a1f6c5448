"""Read a lock (PEP 751) for one target. It is untrusted input, and all problems are reported at once."""

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
from venvpkg.index.urls import RemoteFileError, filename_of_url, parse_filename, remote_file, source_archive
from venvpkg.lock.lockfile import read_document
from venvpkg.model.lock import Lock, LockedCommit, LockedDirectory, LockedDistribution
from venvpkg.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.markers import Marker
    from packaging.pylock import (  # noqa: TID251
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
    """Return the distributions in a lock that ``target`` needs.

    Args:
        path: lockfile of venvpkg or of any other program that writes PEP 751.
        target: its interpreter's marker environment selects the packages.
        settings: the requested extras and dependency groups.

    Returns:
        Each distribution with all of its files, from which the wheel plan chooses. The application's own entry, whose
        directory is that of the lock, is left out.

    Raises:
        LockError: the lock is malformed, is not for this target, or has entries that cannot be verified; lists every
            problem.

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
            resolution="Run 'venvpkg lock' to recreate it, or fix it with the program that wrote it.",
        )
    return Lock(tuple(sorted(distributions, key=lambda each: each.name)))


class _Reader:
    """One pass over a lock that collects distributions and problems."""

    def __init__(self, directory: Path, target: Target, settings: Settings) -> None:
        self.problems: list[str] = []
        self._directory = directory
        self._target = target
        self._extras = frozenset(settings.extras)
        self._groups = frozenset(settings.groups)
        # Never installed: the interpreter's own copies would stay in use, or break.
        self._bundled = frozenset(name for name, _ in target.interpreter.distributions)
        self._python = target.interpreter.marker_environment["python_full_version"].removesuffix("+")

    def read(self, document: Mapping[str, object]) -> list[LockedDistribution]:
        """Return the distributions that the target needs, each once, in the lock's order."""
        head = self._parse(dict(document) | {"packages": []}, "")
        entries = document.get("packages")
        if head is None:
            return []
        if not isinstance(entries, list):
            self.problems.append("packages: missing, or not an array of tables")
            return []
        self._check_head(head)
        groups = frozenset(head.default_groups or ()) | self._groups
        marker_environment = dict(self._target.interpreter.marker_environment) | {
            "extras": self._extras,
            "dependency_groups": groups,
        }
        by_name: dict[str, LockedDistribution] = {}
        for index, entry in enumerate(entries):
            where = _entry_label(index, entry)
            lock = self._parse(dict(document) | {"packages": [entry]}, where)
            if lock is None or not self._applies(lock.packages[0], where, marker_environment):
                continue
            if lock.packages[0].name in self._bundled:
                continue
            distribution = self._read_distribution(lock.packages[0], where)
            if distribution is None:
                continue
            if distribution.name in by_name:
                self.problems.append(f"{where}: several entries of {distribution.name} apply to {self._target.name}")
            by_name[distribution.name] = distribution
        return list(by_name.values())

    def _parse(self, document: Mapping[str, object], where: str) -> Pylock | None:
        """Parse a lock with at most one entry, because packaging stops at the first problem."""
        try:
            return Pylock.from_dict(document)
        except (PylockValidationError, PylockUnsupportedVersionError) as error:
            message = str(error).replace("packages[0].", "").replace(" in 'packages[0]'", "")
            self.problems.append(f"{where}: {message}" if where else message)
            return None

    def _check_head(self, lock: Pylock) -> None:
        name = self._target.name
        if lock.requires_python is not None and not lock.requires_python.contains(self._python, prereleases=True):
            self.problems.append(f"the lock is for Python {lock.requires_python}, but {name} has {self._python}")
        marker_environment = dict(self._target.interpreter.marker_environment)
        applies = [self._evaluate(marker, "environments", marker_environment) for marker in lock.environments or ()]
        if applies and not any(applies):
            self.problems.append(f"{name} is not among the environments of the lock")
        unknown = self._extras - set(lock.extras or ())
        if lock.extras and unknown:
            self.problems.append(f"the lock has no extra {', '.join(sorted(unknown))}")
        unknown = self._groups - set(lock.dependency_groups or ())
        if lock.dependency_groups and unknown:
            self.problems.append(f"the lock has no dependency group {', '.join(sorted(unknown))}")

    def _applies(self, package: Package, where: str, marker_environment: Mapping[str, str | frozenset[str]]) -> bool:
        if package.marker is not None and not self._evaluate(package.marker, where, marker_environment):
            return False
        if package.requires_python is not None and not package.requires_python.contains(self._python, prereleases=True):
            self.problems.append(
                f"{where}: requires Python {package.requires_python}, but {self._target.name} has {self._python}"
            )
            return False
        return True

    def _evaluate(self, marker: Marker, where: str, marker_environment: Mapping[str, str | frozenset[str]]) -> bool:
        try:
            return marker.evaluate(cast("dict[str, str]", marker_environment), context="lock_file")
        except (InvalidMarker, InvalidVersion, UndefinedComparison, UndefinedEnvironmentName, RecursionError) as error:
            self.problems.append(f"{where}: marker {str(marker)[:200]!r} cannot be evaluated: {error}")
            return False

    def _read_distribution(self, package: Package, where: str) -> LockedDistribution | None:
        if package.vcs is not None or package.directory is not None:
            return self._read_source(package, where)
        if package.archive is not None:
            return self._read_archive(package, package.archive, where)
        wheels = tuple(self._read_files(package.wheels or (), where))
        sdists = tuple(self._read_files((package.sdist,) if package.sdist is not None else (), where))
        version = package.version
        if version is None and (wheels or sdists):
            version = parse_filename((*wheels, *sdists)[0].filename)[1]
        return LockedDistribution(package.name, str(version or ""), wheels, sdists[0] if sdists else None)

    def _read_source(self, package: Package, where: str) -> LockedDistribution | None:
        """Return a distribution from a directory or repository; None for the application itself, or after a problem."""
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

    def _read_archive(self, package: Package, archive: PackageArchive, where: str) -> LockedDistribution | None:
        """Return a distribution with the direct URL of its wheel or source archive.

        The wheel built from a source archive must have the entry's name, and its version if the lock or the file name
        of an sdist has one.
        """
        try:
            url = self._url(archive)
            if filename_of_url(url).endswith(".whl"):
                return self._read_direct_wheel(package, archive, url, where)
            subdirectory = validate_subdirectory(archive.subdirectory)
            file = source_archive(url, archive.hashes, archive.upload_time, subdirectory)
        except (OriginError, RemoteFileError, ValueError) as error:
            self.problems.append(f"{where}: {error}")
            return None
        version = package.version
        with contextlib.suppress(RemoteFileError):
            name, file_version = parse_filename(file.filename)
            version = file_version if version is None and name == package.name else version
        return LockedDistribution(package.name, str(version or ""), wheels=(), sdist=file)

    def _read_direct_wheel(
        self, package: Package, archive: PackageArchive, url: str, where: str
    ) -> LockedDistribution | None:
        file = remote_file(filename_of_url(url), url.partition("#")[0], archive.hashes, archive.upload_time)
        name, version = parse_filename(file.filename)
        if name != package.name or (package.version is not None and version != package.version):
            self.problems.append(f"{where}: {file.filename} is a different distribution or version")
            return None
        return LockedDistribution(package.name, str(version), wheels=(file,), sdist=None)

    def _read_files(self, entries: Sequence[PackageSdist | PackageWheel], where: str) -> Iterator[RemoteFile]:
        for entry in entries:
            try:
                yield remote_file(entry.filename, self._url(entry), entry.hashes, entry.upload_time)
            except (RemoteFileError, ValueError) as error:
                self.problems.append(f"{where}: {error}")

    def _url(self, entry: PackageArchive | PackageSdist | PackageWheel) -> str:
        return entry.url or Path(os.path.normpath(self._directory / (entry.path or ""))).as_uri()


def _entry_label(index: int, entry: object) -> str:
    """Return a label for an entry in messages: its name if printable, or else its number."""
    name = entry.get("name") if isinstance(entry, dict) else None
    if isinstance(name, str) and name.isprintable() and name:
        return name[:100]
    return f"packages[{index}]"


# Full SHA-1 and SHA-256 object names of git. An abbreviated name, branch or tag may refer to another commit later.
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# URL schemes that git supports without a remote helper: `ext::sh -c …` is a valid address, too.
_SCHEMES: Final = frozenset({"file", "git", "http", "https", "ssh"})


class OriginError(ValueError):
    """The origin of an entry is invalid; the text does not say which entry."""


def locked_directory(entry: PackageDirectory, base: Path) -> LockedDirectory | None:
    """Return the directory of an entry, or None if it is ``base``. ``editable`` is ignored.

    Args:
        entry: entry of the lock.
        base: absolute directory that relative paths start from.

    Raises:
        OriginError: the path is not a directory with Python source.
    """
    path = _join_subdirectory(base / entry.path, entry.subdirectory)
    try:
        resolved = path.resolve()
        has_source = any((resolved / name).is_file() for name in ("pyproject.toml", "setup.py"))
    except (OSError, ValueError, RuntimeError) as error:  # NUL in the path, loop of links
        raise OriginError(f"{str(path)[:300]!r} is not a valid path") from error
    if resolved == base.resolve():
        return None
    if not has_source:
        raise OriginError(f"{str(path)[:300]!r} is not a directory with a pyproject.toml or setup.py")
    return LockedDirectory(resolved)


def locked_commit(entry: PackageVcs, base: Path) -> LockedCommit:
    """Return the commit of an entry.

    Args:
        entry: entry of the lock.
        base: absolute directory that the relative path of a repository starts from.

    Raises:
        OriginError: the repository is not git's, the commit is not a full object name, or the URL is not supported.
    """
    if entry.type != "git":
        raise OriginError(f"comes from {entry.type[:40]!r}; the only supported version control system is git")
    if not _COMMIT.fullmatch(entry.commit_id):
        raise OriginError(f"{entry.commit_id[:80]!r} is not a full commit id, so it may refer to another commit later")
    url = entry.url.removeprefix("git+") if entry.url is not None else ""
    if url:
        _check_url(url)
    elif entry.path is not None:
        url = str(base / entry.path)
    else:
        raise OriginError("has neither a URL nor a path of a repository")
    if not url.isprintable():
        raise OriginError("the URL of its repository contains a character that is not allowed in a URL")
    return LockedCommit(url, entry.commit_id, validate_subdirectory(entry.subdirectory))


def validate_subdirectory(subdirectory: str | None) -> str:
    """Return the subdirectory unchanged; empty for none and for the top.

    Raises:
        OriginError: it leads outside.
    """
    _join_subdirectory(Path("/"), subdirectory)
    return "" if subdirectory is None or subdirectory == "." else subdirectory


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or (parts.scheme in {"http", "https"} and parts.username is not None)
    except ValueError as error:
        raise OriginError(f"{redact(url)[:300]!r} is not a valid URL") from error
    if parts.scheme not in _SCHEMES:
        raise OriginError(f"{redact(url)[:300]!r} has an unsupported scheme; use one of {', '.join(sorted(_SCHEMES))}")
    if secret:
        raise OriginError(
            f"{redact(url)} contains a user or password; keep them in netrc or git's credential helper, not in the lock"
        )


def _join_subdirectory(directory: Path, subdirectory: str | None) -> Path:
    if not subdirectory:
        return directory
    path = PurePosixPath(subdirectory)
    if path.is_absolute() or ".." in path.parts or not subdirectory.isprintable():
        raise OriginError(f"{subdirectory[:200]!r} is not a valid subdirectory")
    return directory / path
