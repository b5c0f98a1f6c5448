"""Bring an application's lock (PEP 751) into being, and notice when it is out of date."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.lock.inputs import application_requirement, lock_inputs
from venvpkg.lock.lockfile import (
    lock_of_its_own,
    lock_text,
    plain_text,
    read_document,
    relocate_document,
    venvpkg_table,
)
from venvpkg.lock.shared import document_for, locked_targets, share_of, shared, strip_markers
from venvpkg.lock.uv import Wanted, compile_lock

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from venvpkg.lock.inputs import LockInputs
    from venvpkg.lock.shared import Entry, LockedTarget
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
        resolver.reporter.detail(f"{project.lock.name}: {change}")
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
    if project.lock.exists() and venvpkg_table(read_document(project.lock)) is None:
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
    table = venvpkg_table(read_document(project.lock))
    if table is None:
        return None
    return lock_inputs(project, target, constraints).changes_since(table) or None


def _write(
    project: Project, target: Target, resolver: Resolver, *, upgrade: bool, constraints: tuple[str, ...]
) -> Path:
    """Resolve for one target, and write the lock with what it says for the others."""
    inputs = lock_inputs(project, target, constraints)
    with resolver.lockfiles:
        output = _resolved(project, target, resolver, upgrade=upgrade, backends=True, constraints=constraints)
        path = project.lock
        document = relocate_document(read_document(output), output.parent, path.parent)
        packages = document.get("packages")
        share = strip_markers(packages if isinstance(packages, list) else [])
        document["packages"] = share
        beside = _beside(path, inputs, None if not upgrade else resolver.lockfiles.renewed)
        merged: Mapping[str, object] | None = document
        if beside:
            mine = inputs.locked_target
            merged = shared(document, beside | {mine: share}) if mine.can_share else None
        if merged is None:
            merged, beside = document, {}
            if project.settings.lock is None:
                path = lock_of_its_own(project, target)
        text = lock_text(merged, path.parent, path.parent, inputs, beside)
        write_whole(path, text.encode())
        resolver.lockfiles.renewed.add(inputs.target)
    count, names = len(share), ", ".join(each.name for each in beside)
    resolver.reporter.step(
        f"locked {count} distribution{'s' * (count != 1)} in {path.name}{f', beside {names}' if names else ''}"
    )
    return path


def _beside(path: Path, inputs: LockInputs, kept: Container[str] | None) -> dict[LockedTarget, tuple[Entry, ...]]:
    """Return what the lock that is there says for other targets, where that is still what the application asks for.

    Args:
        path: the lock.
        inputs: of the target that is locked now.
        kept: names of the targets that stay; None for all.
    """
    if not path.exists():
        return {}
    document = read_document(path)
    table = venvpkg_table(document)
    if table is None or inputs.other_changes_since(table):
        return {}
    found: dict[LockedTarget, tuple[Entry, ...]] = {}
    for target in locked_targets(table):
        share = share_of(document, target)
        # Without a machine it is a lock of an earlier venvpkg: its target is added again when it is built for.
        if (
            target.machine
            and target.can_share
            and target.name != inputs.target
            and share is not None
            and (kept is None or target.name in kept)
        ):
            found[target] = share
    return found


def _previous(project: Project, target: Target, resolver: Resolver) -> str | None:
    """Return the lock that was there when this call began, as it was for this target or else for the first of it.

    Not as another target of this call has just written it: the versions must not depend on which of them came first.
    """
    text = resolver.lockfiles.before(project.lock)
    if text is None:
        return None
    document = tomllib.loads(text)
    known = locked_targets(venvpkg_table(document) or {})
    if len(known) <= 1:
        return text
    alone = document_for(document, next((each for each in known if each.name == target.name), known[0]))
    return text if alone is None else plain_text(alone, project.lock.parent, project.lock.parent)


def _resolved(  # noqa: PLR0913  what is resolved, for what, by what, and how
    project: Project,
    target: Target,
    resolver: Resolver,
    *,
    upgrade: bool,
    backends: bool,
    constraints: tuple[str, ...],
) -> Path:
    if project.lock.exists():
        read_document(project.lock)  # uv's own complaint about a malformed lock would name our copy of it
    previous = _previous(project, target, resolver)
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
    return compile_lock(
        wanted, target, resolver, options=options, previous=None if upgrade else previous, backends=backends
    )
