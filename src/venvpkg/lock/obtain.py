"""Get the application's lock for a target, whichever program keeps it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.lock.foreign import export_foreign_lock, export_uv_lock
from venvpkg.lock.lockfile import plain_text, read_document, venvpkg_table, with_lock_of
from venvpkg.lock.pylock import read_lock
from venvpkg.lock.requirements import read_requirements
from venvpkg.lock.resolve import ensure_lock, out_of_date, preview_lock, update_lock
from venvpkg.lock.source import LockKind, lock_source
from venvpkg.lock.uv import Wanted, compile_lock
from venvpkg.model.lock import Lock

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.lock.requirements import RequirementsFile
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


@dataclass(frozen=True, slots=True)
class ObtainedLock:
    """What the application needs, and the lock (PEP 751) that says so.

    Attributes:
        lock: what the target needs of it.
        path: where the lock is during this run.
        own: whether it is kept there; else it was made from another file, in this run's directory.
    """

    lock: Lock
    path: Path
    own: bool

    def text(self, destination: Path) -> str:
        """Return the lock as it can be kept in ``destination``.

        What it was made from is left out when that was another file: then nothing can be told from it about changes.
        """
        if self.own:
            return self.path.read_text(encoding="utf-8")
        document = {key: value for key, value in read_document(self.path).items() if key != "tool"}
        return plain_text(document, self.path.parent, destination)


def obtain_lock(
    project: Project, target: Target, resolver: Resolver, *, locked: bool = False, preview: bool = False
) -> ObtainedLock:
    """Return the distributions that ``project`` needs on ``target``.

    Only a lock of venvpkg's own is ever written. That of another program is read anew in each run: a copy of it would
    be out of date one day.

    Args:
        project: the application.
        target: for what.
        resolver: how to run uv.
        locked: whether to fail rather than resolve.
        preview: whether to leave no trace in the project and to run no build backend; ``locked`` alone does neither.

    Raises:
        LockError: there is no lock and none can be made; or the one that is there cannot be used.
    """
    with resolver.lockfiles:
        return _obtained(with_lock_of(project, target), target, resolver, locked=locked, preview=preview)


def _obtained(project: Project, target: Target, resolver: Resolver, *, locked: bool, preview: bool) -> ObtainedLock:
    source = lock_source(project, resolver.reporter)
    match source.kind:
        case LockKind.PYLOCK:
            path = _own_lock(dataclasses.replace(project, lock=source.path), target, resolver, locked, preview)
            return ObtainedLock(read_lock(path, target, project.settings), path, path.parent == project.lock.parent)
        case LockKind.UV:
            resolver.reporter.detail(f"taking the lock from {source.path}")
            path = export_uv_lock(project, source.path, target, resolver, backends=not preview)
            return ObtainedLock(read_lock(path, target, project.settings), path, own=False)
        case LockKind.REQUIREMENTS:
            file = read_requirements(source.path)
            if file.hashed:
                return _lock_of_hashed(file, project, target, resolver, preview=preview)
            _require_ours(project, source.path)
            _tell_of_pins(file, project, target, resolver)
            path = _own_lock(project, target, resolver, locked, preview, file.constraints)
            lock = read_lock(path, target, project.settings)
            _tell_of_unused(file, lock, project, resolver)
            return ObtainedLock(lock, path, own=False)
        case LockKind.POETRY | LockKind.PDM | LockKind.PIPENV:
            resolver.reporter.detail(f"taking the lock from {source.path}")
            file = export_foreign_lock(project, source, resolver)
            return _lock_of_hashed(file, project, target, resolver, preview=preview)
        case _:
            assert_never(source.kind)


def renew_lock(project: Project, target: Target, resolver: Resolver, *, upgrade: bool = False) -> Path:
    """Resolve, write the lock and return it.

    Raises:
        LockError: it cannot be resolved, or another program keeps the lock.
    """
    with resolver.lockfiles:
        return _renewed(with_lock_of(project, target), target, resolver, upgrade=upgrade)


def _renewed(project: Project, target: Target, resolver: Resolver, *, upgrade: bool) -> Path:
    source = lock_source(project, resolver.reporter)
    refresh = "Bring it up to date with the program that wrote it; builds use it as it is."
    if source.kind is LockKind.PYLOCK:
        project = dataclasses.replace(project, lock=source.path)
        path = update_lock(project, target, resolver, upgrade=upgrade)
    elif source.kind is LockKind.REQUIREMENTS and not (file := read_requirements(source.path)).hashed:
        _require_ours(project, source.path)
        _tell_of_pins(file, project, target, resolver)
        path = update_lock(project, target, resolver, upgrade=upgrade, constraints=file.constraints)
    else:
        raise LockError(f"{source.path} is the application's lock, and venvpkg does not write it.", resolution=refresh)
    read_lock(path, target, project.settings)
    return path


def _own_lock(  # noqa: PLR0913, PLR0917  what, for what, by what, and how
    project: Project,
    target: Target,
    resolver: Resolver,
    locked: bool,
    preview: bool,
    constraints: tuple[str, ...] = (),
) -> Path:
    if preview and not locked:
        return preview_lock(project, target, resolver, constraints=constraints)
    return ensure_lock(project, target, resolver, locked=locked, constraints=constraints)


def _lock_of_hashed(
    file: RequirementsFile, project: Project, target: Target, resolver: Resolver, *, preview: bool
) -> ObtainedLock:
    """Return a lock with exactly the pins of the file; which of their files may be taken, its hashes say.

    uv looks up the files on the index and drops the user's hashes, so that these are kept beside what uv answers: the
    wheel plan refuses a file that it would take and that is not among them.
    """
    for line in file.indexes:
        resolver.reporter.detail(f"{line} does not count; indexes are set for uv or pip")
    wanted = Wanted(
        f"{file.path.name} of {project.name}",
        requirements=file.lines,
        advice="Correct the requirements file, or set the index that has them (UV_*, PIP_*, pip.conf).",
    )
    output = compile_lock(wanted, target, resolver, options=("--no-deps",), backends=not preview)
    write_whole(output, plain_text(read_document(output), output.parent, output.parent).encode())
    lock = read_lock(output, target, project.settings)
    unhashed = [each.name for each in lock.distributions if each.origin is not None]
    if unhashed:
        raise LockError(
            f"{file.path} has hashes, and {', '.join(unhashed)} can have none.",
            resolution="Depend on released files of them, or keep the lock as pylock.toml or uv.lock.",
        )
    trusted = tuple(dataclasses.replace(each, trusted=file.trusted(each.name)) for each in lock.distributions)
    return ObtainedLock(Lock(trusted), output, own=False)


def _require_ours(project: Project, path: Path) -> None:
    """Check that the lock which the pins shape is not another program's, which knows nothing of them."""
    if project.lock.exists() and venvpkg_table(read_document(project.lock)) is None:
        raise LockError(
            f"{path} has no hashes, so its pins shape {project.lock.name}; but another program wrote that one.",
            resolution=f'Remove one of them, or say lock = "{project.lock.name}" in the configuration.',
        )


def _tell_of_pins(file: RequirementsFile, project: Project, target: Target, resolver: Resolver) -> None:
    if out_of_date(project, target, file.constraints) is not None:
        resolver.reporter.warn(
            f"{file.path.name} has no hashes: its {len(file.pins)} pins constrain the versions, and {project.lock.name}"
            " has the files with their hashes"
        )


def _tell_of_unused(file: RequirementsFile, lock: Lock, project: Project, resolver: Resolver) -> None:
    """Tell of pins that nothing asks for: a constraint adds no distribution."""
    known = {each.name for each in lock.distributions} | {project.name}
    unused = dict.fromkeys(pin.name for pin in file.pins if pin.name not in known)
    if unused:
        resolver.reporter.warn(
            f"{file.path.name} pins what the application does not depend on, so it is not in the package:"
            f" {', '.join(unused)}"
        )
