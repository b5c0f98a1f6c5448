"""Resolve an application's lock (PEP 751) and detect when it is out of date."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.lock.indexes import compile_from_indexes
from venvpkg.lock.inputs import application_requirement, computes_dependencies, lock_inputs
from venvpkg.lock.lockfile import (
    lock_text,
    plain_text,
    read_document,
    relocate_document,
    target_lockfile,
    venvpkg_table,
)
from venvpkg.lock.shared import document_for, locked_targets, merge_shares, share_of, strip_markers
from venvpkg.lock.uv import LockRequest

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from venvpkg.lock.inputs import LockInputs
    from venvpkg.lock.shared import Entry, LockedTarget
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


def ensure_lock(
    project: Project, target: Target, resolver: Resolver, *, locked: bool = False, constraints: tuple[str, ...] = ()
) -> Path:
    """Return the path of a current lockfile, after resolving and writing ``project.lock`` if needed.

    A lock that another program wrote is used as it is. If the lock is out of date, versions that still fit are kept.

    Args:
        project: the application.
        target: the target to lock for.
        resolver: how to run uv.
        locked: fail instead of resolving.
        constraints: constraints on the versions, sorted.

    Raises:
        LockError: resolving failed; or, with ``locked``, the lock does not exist or is out of date.
    """
    changes = out_of_date(project, target, constraints)
    if changes is None:
        return project.lock
    if locked:
        raise LockError(
            f"{project.lock} {'is out of date' if changes else 'does not exist'} and cannot be resolved with --locked.",
            details="\n".join(f"  {change}" for change in changes),
            resolution="Run 'venvpkg lock', and keep the file with the application.",
        )
    for change in changes:
        resolver.reporter.detail(f"{project.lock.name}: {change}")
    return _write(project, target, resolver, upgrade=False, constraints=constraints)


def update_lock(
    project: Project, target: Target, resolver: Resolver, *, upgrade: bool = False, constraints: tuple[str, ...] = ()
) -> Path:
    """Resolve, write ``project.lock`` and return its path.

    Args:
        project: the application.
        target: the target to lock for.
        resolver: how to run uv.
        upgrade: use the newest versions instead of those locked before.
        constraints: constraints on the versions, sorted.

    Raises:
        LockError: resolving failed, or another program wrote the existing lock.
    """
    if project.lock.exists() and venvpkg_table(read_document(project.lock)) is None:
        raise LockError(
            f"{project.lock} was not written by venvpkg, so it is not overwritten.",
            resolution="Builds use it as it is. Update it with the program that wrote it, or remove it.",
        )
    return _write(project, target, resolver, upgrade=upgrade, constraints=constraints)


def preview_lock(project: Project, target: Target, resolver: Resolver, *, constraints: tuple[str, ...] = ()) -> Path:
    """Return the path of the lock that a build would use, without changing the project or running a build backend.

    Returns:
        ``project.lock``, or a file below ``resolver.work`` if the former does not exist or is out of date.

    Raises:
        LockError: resolving failed, or needs a build backend.
    """
    if out_of_date(project, target, constraints) is None:
        return project.lock
    request = _lock_request(project, target, resolver, constraints, upgrade=False)
    output = compile_from_indexes(request, target, resolver, backends=False)
    inputs = lock_inputs(project, target, constraints)
    text = lock_text(read_document(output), output.parent, output.parent, inputs)
    write_whole(output, text.encode())
    return output


def out_of_date(project: Project, target: Target, constraints: tuple[str, ...] = ()) -> tuple[str, ...] | None:
    """Return the changes since the lock was resolved; empty if there is no lock, None if it is current.

    Raises:
        LockError: the lock is not valid TOML.
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
    """Resolve for one target, and write the lock together with the entries for the other targets."""
    inputs = lock_inputs(project, target, constraints)
    with resolver.lockfiles:
        output = compile_from_indexes(
            _lock_request(project, target, resolver, constraints, upgrade=upgrade), target, resolver
        )
        path = project.lock
        document = relocate_document(read_document(output), output.parent, path.parent)
        packages = document.get("packages")
        share = strip_markers(packages if isinstance(packages, list) else [])
        document["packages"] = share
        others = _shares_of_others(path, inputs, None if not upgrade else resolver.lockfiles.renewed)
        merged: Mapping[str, object] | None = document
        if others:
            mine = inputs.locked_target
            merged = merge_shares(document, others | {mine: share}) if mine.can_share else None
        if merged is None:
            merged, others = document, {}
            if project.settings.lock is None:
                path = target_lockfile(project, target)
        text = lock_text(merged, path.parent, path.parent, inputs, others)
        write_whole(path, text.encode())
        resolver.lockfiles.renewed.add(inputs.target)
    count, names = len(share), ", ".join(each.name for each in others)
    resolver.reporter.step(
        f"locked {count} distribution{'s' * (count != 1)} in {path.name}{f', shared with {names}' if names else ''}"
    )
    return path


def _shares_of_others(
    path: Path, inputs: LockInputs, kept: Container[str] | None
) -> dict[LockedTarget, tuple[Entry, ...]]:
    """Return the entries for other targets in the existing lock; none if the application's inputs have changed.

    Args:
        path: the lockfile.
        inputs: inputs of the target being locked.
        kept: names of the targets to keep; None for all.
    """
    if not path.exists():
        return {}
    document = read_document(path)
    table = venvpkg_table(document)
    if table is None or inputs.other_changes_since(table):
        return {}
    shares: dict[LockedTarget, tuple[Entry, ...]] = {}
    for target in locked_targets(table):
        share = share_of(document, target)
        # A lock without a machine is from an earlier venvpkg: its target is added again by the next build for it.
        if (
            target.machine
            and target.can_share
            and target.name != inputs.target
            and share is not None
            and (kept is None or target.name in kept)
        ):
            shares[target] = share
    return shares


def _previous_lock(project: Project, target: Target, resolver: Resolver) -> str | None:
    """Return the text of the lock before this command, reduced to this target, or else to the lock's first target.

    Changes by other targets of this command are left out: the versions must not depend on the order of the targets.
    """
    text = resolver.lockfiles.initial_text(project.lock)
    if text is None:
        return None
    document = tomllib.loads(text)
    known = locked_targets(venvpkg_table(document) or {})
    if len(known) <= 1:
        return text
    alone = document_for(document, next((each for each in known if each.name == target.name), known[0]))
    return text if alone is None else plain_text(alone, project.lock.parent, project.lock.parent)


def _local_sources(project: Project) -> tuple[str, ...]:
    """Return the names locked as directories, and the project's own name if its backend computes dependencies.

    uv does not run the backend of a project with static dependencies.
    """
    names = {project.name} if computes_dependencies(project) else set()
    packages = read_document(project.lock).get("packages") if project.lock.exists() else None
    for each in packages if isinstance(packages, list) else []:
        if isinstance(each, dict) and "directory" in each:
            names.add(str(each.get("name")))
    return tuple(sorted(names))


def _lock_request(
    project: Project, target: Target, resolver: Resolver, constraints: tuple[str, ...], *, upgrade: bool
) -> LockRequest:
    """Return what to resolve for the application; without ``upgrade`` the versions of its previous lock are kept."""
    if project.lock.exists():
        read_document(project.lock)  # uv's own error for a malformed lock would name the copy
    previous = None if upgrade else _previous_lock(project, target, resolver)
    if project.directory is None:
        return LockRequest(
            project.name,
            requirements=(application_requirement(project),),
            constraints=constraints,
            previous=previous,
            build_depends=project.settings.build_depends,
        )
    pyproject = project.directory / "pyproject.toml"
    return LockRequest(
        project.name,
        pyproject=pyproject if pyproject.exists() else project.directory / "setup.py",
        extras=project.settings.extras,
        groups=project.settings.groups,
        constraints=constraints,
        previous=previous,
        build_depends=project.settings.build_depends,
        sources=_local_sources(project),
    )
