"""Obtain the application's lock for a target, whichever program maintains it."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, assert_never

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.lock.foreign import export_foreign_lock, export_uv_lock
from venvpkg.lock.indexes import compile_from_indexes
from venvpkg.lock.inputs import wheel_declares_dependencies
from venvpkg.lock.lockfile import plain_text, read_document, select_lockfile, venvpkg_table
from venvpkg.lock.pylock import read_lock
from venvpkg.lock.requirements import read_requirements
from venvpkg.lock.resolve import ensure_lock, out_of_date, preview_lock, update_lock
from venvpkg.lock.source import LockKind, lock_source
from venvpkg.lock.uv import LockRequest
from venvpkg.model.lock import Lock
from venvpkg.text import strip_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from venvpkg.lock.requirements import RequirementsFile
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.project import Project
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Target


@dataclass(frozen=True, slots=True)
class ObtainedLock:
    """A lock and the file (PEP 751) that it was read from.

    Attributes:
        lock: the distributions for the target.
        path: path of the file during this run.
        own: whether the file is the application's lockfile; otherwise it was generated in this run's directory.
    """

    lock: Lock
    path: Path
    own: bool

    def text(self, destination: Path) -> str:
        """Return the text of the lock for a file in ``destination``.

        The inputs of a generated lock are left out, because they cannot show whether the lock is out of date.
        """
        if self.own:
            return self.path.read_text(encoding="utf-8")
        document = {key: value for key, value in read_document(self.path).items() if key != "tool"}
        return plain_text(document, self.path.parent, destination)


def obtain_lock(
    project: Project, target: Target, resolver: Resolver, *, locked: bool = False, preview: bool = False
) -> ObtainedLock:
    """Return the lock of ``project`` for ``target``, after resolving it if needed.

    Only venvpkg's own lockfile is ever written. Another program's is read again in each run, because a copy could
    become out of date.

    Args:
        project: the application.
        target: the target to lock for.
        resolver: how to run uv.
        locked: fail instead of resolving.
        preview: change nothing in the project and run no build backend; ``locked`` does not imply that.

    Raises:
        LockError: there is no lock and resolving failed, or the existing lock cannot be used.
    """
    with resolver.lockfiles:
        return _obtain(select_lockfile(project, target), target, resolver, locked=locked, preview=preview)


def _obtain(project: Project, target: Target, resolver: Resolver, *, locked: bool, preview: bool) -> ObtainedLock:
    source = lock_source(project, resolver.reporter)
    own_lock = preview_lock if preview and not locked else partial(ensure_lock, locked=locked)
    match source.kind:
        case LockKind.PYLOCK:
            path = own_lock(dataclasses.replace(project, lock=source.path), target, resolver)
            return ObtainedLock(read_lock(path, target, project.settings), path, path.parent == project.lock.parent)
        case LockKind.UV:
            resolver.reporter.detail(f"taking the lock from {source.path}")
            path = export_uv_lock(project, source.path, target, resolver, backends=not preview)
            return ObtainedLock(read_lock(path, target, project.settings), path, own=False)
        case LockKind.REQUIREMENTS:
            file = read_requirements(source.path)
            if file.hashed:
                return _lock_of_hashed(file, project, target, resolver, preview=preview)
            _require_own_lock(project, source.path)
            _warn_about_missing_hashes(file, project, target, resolver)
            path = own_lock(project, target, resolver, constraints=file.constraints)
            lock = read_lock(path, target, project.settings)
            _warn_about_unused_pins(file, lock, project, resolver)
            return ObtainedLock(lock, path, own=False)
        case LockKind.POETRY | LockKind.PDM | LockKind.PIPENV:
            resolver.reporter.detail(f"taking the lock from {source.path}")
            file = export_foreign_lock(project, source, resolver)
            return _lock_of_hashed(file, project, target, resolver, preview=preview)
        case _:
            assert_never(source.kind)


def renew_lock(project: Project, target: Target, resolver: Resolver, *, upgrade: bool = False) -> Path:
    """Resolve, write the lockfile and return its path.

    Raises:
        LockError: resolving failed, or another program maintains the lockfile.
    """
    with resolver.lockfiles:
        return _renew(select_lockfile(project, target), target, resolver, upgrade=upgrade)


def _renew(project: Project, target: Target, resolver: Resolver, *, upgrade: bool) -> Path:
    source = lock_source(project, resolver.reporter)
    refresh = "Update it with the program that wrote it; builds use it as it is."
    if source.kind is LockKind.PYLOCK:
        project = dataclasses.replace(project, lock=source.path)
        path = update_lock(project, target, resolver, upgrade=upgrade)
    elif source.kind is LockKind.REQUIREMENTS and not (file := read_requirements(source.path)).hashed:
        _require_own_lock(project, source.path)
        _warn_about_missing_hashes(file, project, target, resolver)
        path = update_lock(project, target, resolver, upgrade=upgrade, constraints=file.constraints)
    else:
        raise LockError(f"{source.path} is not maintained by venvpkg, so it is not written.", resolution=refresh)
    read_lock(path, target, project.settings)
    return path


def _lock_of_hashed(
    file: RequirementsFile, project: Project, target: Target, resolver: Resolver, *, preview: bool
) -> ObtainedLock:
    """Return a lock with exactly the pins and hashes of the file.

    uv looks up the files on the index and drops the user's hashes. The lock therefore has these in addition, and the
    wheel plan rejects a file whose hash is not among them.
    """
    _warn_about_unused_indexes(file, resolver)
    request = LockRequest(
        f"{file.path.name} of {project.name}",
        requirements=file.lines,
        options=("--no-deps",),
        advice="Fix the requirements file, or configure the index that has them (UV_*, PIP_*, pip.conf).",
    )
    trusted_files = frozenset[str]().union(*(pin.sha256 for pin in file.pins))
    output = compile_from_indexes(request, target, resolver, backends=not preview, trusted=trusted_files)
    write_whole(output, plain_text(read_document(output), output.parent, output.parent).encode())
    lock = read_lock(output, target, project.settings)
    unhashed = [each.name for each in lock.distributions if each.origin is not None]
    if unhashed:
        raise LockError(
            f"{file.path} has hashes, but there can be none for {', '.join(unhashed)}.",
            resolution="Depend on released files of these distributions, or use a pylock.toml or uv.lock instead.",
        )
    trusted = tuple(dataclasses.replace(each, trusted=file.trusted(each.name)) for each in lock.distributions)
    return ObtainedLock(Lock(trusted), output, own=False)


def _warn_about_unused_indexes(file: RequirementsFile, resolver: Resolver) -> None:
    """Warn about indexes of the file that are not configured; its hashes protect against files from another index."""
    configured = {strip_credentials(each).rstrip("/") for each in resolver.settings.order}
    unused = []
    for line in file.indexes:
        words = {word.rstrip("/") for word in re.split(r"[\s=]", strip_credentials(line))}
        if not words & {"--no-index", "--trusted-host", *configured}:
            unused.append(line)
    if unused:
        resolver.reporter.warn(
            f"indexes in a requirements file are not used: {'; '.join(unused)}; configure them for uv or pip"
            " (UV_DEFAULT_INDEX, UV_INDEX, pip.conf)"
        )


def _require_own_lock(project: Project, path: Path) -> None:
    """Check that the lockfile that pins without hashes constrain is venvpkg's own."""
    if project.lock.exists() and venvpkg_table(read_document(project.lock)) is None:
        raise LockError(
            f"{path} has no hashes, so its pins can only constrain {project.lock.name}, but another program wrote that"
            " file.",
            resolution=f'Remove one of them, or set lock = "{project.lock.name}" in the configuration.',
        )


def _warn_about_missing_hashes(file: RequirementsFile, project: Project, target: Target, resolver: Resolver) -> None:
    if out_of_date(project, target, file.constraints) is not None:
        resolver.reporter.warn(
            f"{file.path.name} has no hashes: its {len(file.pins)} pins constrain the versions, and {project.lock.name}"
            " contains the files with their hashes"
        )


def _warn_about_unused_pins(file: RequirementsFile, lock: Lock, project: Project, resolver: Resolver) -> None:
    """Warn about pins that nothing depends on, because a constraint adds no distribution."""
    known = {each.name for each in lock.distributions} | {project.name}
    unused = dict.fromkeys(pin.name for pin in file.pins if pin.name not in known)
    if unused:
        resolver.reporter.warn(
            f"{file.path.name} pins distributions that the application does not depend on; they are not in the package:"
            f" {', '.join(unused)}"
        )


def require_all_needed(obtained: ObtainedLock, staged: StagedVenv, project: Project) -> None:
    """Check that the application needs every locked distribution, according to the metadata from its backend.

    A backend may read dependencies from anywhere, so files alone do not show whether a lock is current. Distributions
    missing from the lock are found in staging. Locks of other programs may contain more than the application needs.

    Raises:
        LockError: the application does not need some of the distributions.
    """
    table = venvpkg_table(read_document(obtained.path))
    if table is None or not wheel_declares_dependencies(project):
        return
    declared = table.get("requirements")
    of_system = (requirement for each in staged.system for requirement in each.distribution.requires)
    queue = [project.name, *_names(declared if isinstance(declared, list) else ()), *_names(of_system)]
    requires = {each.name: each.requires for each in staged.distributions}
    needed: set[str] = set()
    while queue:
        name = queue.pop()
        if name not in needed:
            needed.add(name)
            queue.extend(requires.get(name, ()))
    unneeded = sorted(requires.keys() - needed)
    if unneeded:
        raise LockError(
            f"{project.lock.name} is out of date: {project.name} no longer needs {', '.join(unneeded)}.",
            details=f"  The build backend of {project.name} computes its dependencies.",
            resolution="Run 'venvpkg lock', which runs the backend again.",
        )


def _names(requirements: Iterable[object]) -> Iterator[str]:
    return (canonicalize_name(Requirement(str(each)).name) for each in requirements)
