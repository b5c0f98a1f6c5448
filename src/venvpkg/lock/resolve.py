"""Bring an application's lock (PEP 751) into being, and notice when it is out of date."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.lock.inputs import application_requirement, lock_inputs
from venvpkg.lock.lock_text import lock_text, locked_from, read_document
from venvpkg.lock.uv import Wanted, compile_lock

if TYPE_CHECKING:
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


def ensure_lock(
    project: Project, target: Target, resolver: Resolver, *, locked: bool = False, constraints: tuple[str, ...] = ()
) -> Path:
    """Return the lock to build from: the one that is there, or one resolved now and written to ``project.lock``.

    A lock that another program wrote is used as it is. One that is out of date is resolved again, and keeps the
    versions that still fit.

    Args:
        project: the application.
        target: for what.
        resolver: how to run uv.
        locked: whether to fail rather than resolve.
        constraints: requirements that the versions keep to, sorted.

    Raises:
        LockError: with ``locked``, no lock is there or it is out of date; else, it cannot be resolved.
    """
    changes = out_of_date(project, target, constraints)
    if changes is None:
        return project.lock
    if locked:
        raise LockError(
            f"{project.lock} is {'out of date' if changes else 'not there'}, and --locked forbids to resolve.",
            details="\n".join(f"  {change}" for change in changes),
            resolution="Run 'venvpkg lock', and keep the file with the application.",
        )
    for change in changes:
        resolver.report.detail(f"{project.lock.name}: {change}")
    return _write(project, target, resolver, upgrade=False, constraints=constraints)


def update_lock(
    project: Project, target: Target, resolver: Resolver, *, upgrade: bool = False, constraints: tuple[str, ...] = ()
) -> Path:
    """Resolve, write ``project.lock`` and return it.

    Args:
        project: the application.
        target: for what.
        resolver: how to run uv.
        upgrade: whether to take the newest versions instead of those locked before.
        constraints: requirements that the versions keep to, sorted.

    Raises:
        LockError: it cannot be resolved, or another program wrote the lock that is there.
    """
    if project.lock.exists() and locked_from(read_document(project.lock)) is None:
        raise LockError(
            f"{project.lock} was not written by venvpkg, so venvpkg does not overwrite it.",
            resolution="Builds use it as it is. Bring it up to date with the program that wrote it, or remove it.",
        )
    return _write(project, target, resolver, upgrade=upgrade, constraints=constraints)


def preview_lock(project: Project, target: Target, resolver: Resolver, *, constraints: tuple[str, ...] = ()) -> Path:
    """Return the lock that a build would use, without a trace in the project and without running a build backend.

    Returns:
        ``project.lock``, or a file below ``resolver.work`` when that one is not there or out of date.

    Raises:
        LockError: it cannot be resolved without running a build backend, or at all.
    """
    if out_of_date(project, target, constraints) is None:
        return project.lock
    output = _resolved(project, target, resolver, upgrade=False, backends=False, constraints=constraints)
    inputs = lock_inputs(project, target, constraints)
    text = lock_text(read_document(output), output.parent, output.parent, inputs)
    write_whole(output, text.encode())
    return output


def out_of_date(project: Project, target: Target, constraints: tuple[str, ...] = ()) -> tuple[str, ...] | None:
    """Return what changed since the lock was resolved; empty when there is no lock, None when it is current.

    Raises:
        LockError: the lock is no TOML.
    """
    if not project.lock.exists():
        return ()
    table = locked_from(read_document(project.lock))
    if table is None:
        return None
    return lock_inputs(project, target, constraints).changes_since(table) or None


def _write(
    project: Project, target: Target, resolver: Resolver, *, upgrade: bool, constraints: tuple[str, ...]
) -> Path:
    inputs = lock_inputs(project, target, constraints)
    output = _resolved(project, target, resolver, upgrade=upgrade, backends=True, constraints=constraints)
    document = read_document(output)
    text = lock_text(document, output.parent, project.lock.parent, inputs)
    try:
        write_whole(project.lock, text.encode())
    except OSError as error:
        raise LockError(f"{project.lock} cannot be written: {error.strerror}.") from error
    packages = document.get("packages")
    count = len(packages) if isinstance(packages, list) else 0
    resolver.report.step(f"locked {count} distribution{'s' * (count != 1)} in {project.lock.name}")
    return project.lock


def _resolved(  # noqa: PLR0913  what is resolved, for what, by what, and how
    project: Project,
    target: Target,
    resolver: Resolver,
    *,
    upgrade: bool,
    backends: bool,
    constraints: tuple[str, ...],
) -> Path:
    previous = None
    if project.lock.exists() and not upgrade:
        read_document(project.lock)  # uv's own complaint about a malformed lock would name our copy of it
        previous = project.lock.read_text(encoding="utf-8")
    if project.directory is None:
        wanted = Wanted(project.name, requirements=(application_requirement(project),))
    else:
        wanted = Wanted(
            project.name,
            pyproject=project.directory / "pyproject.toml",
            extras=project.settings.extras,
            groups=project.settings.groups,
        )
    options: tuple[str, ...] = ()
    if constraints:
        file = Path(tempfile.mkdtemp(prefix="constraints-", dir=resolver.work)) / "constraints.txt"
        file.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        options = ("--constraint", str(file))
    return compile_lock(wanted, target, resolver, options=options, previous=previous, backends=backends)
