"""Which lock of an application's own serves a target: one lock holds for one, because markers were resolved for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from venvpkg.errors import LockError
from venvpkg.lock.lock_text import locked_from, read_document

if TYPE_CHECKING:
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


def with_lock_of(project: Project, target: Target, *, several: bool) -> Project:
    """Return the project with the lock that serves ``target``.

    ``pylock.TARGET.toml`` (of a requirement: ``pylock.NAME-TARGET.toml``) is taken where it is there. With several
    targets in one call it comes into being when ``pylock.toml`` is another target's: else each of them would resolve
    that one again, and no two builds would have the same. A lock of another program, or one that the configuration
    names, serves every target.

    Args:
        project: with the settings for the target.
        target: for what.
        several: whether this call builds for others too.

    Source:
        PyPA specification "pylock.toml", File Name: no dot in the name.
    """
    if project.settings.lock is not None:
        return project
    stem = project.lock.name.removesuffix(".toml")
    mark = re.sub(r"[^A-Za-z0-9_-]", "_", target.name)
    own = project.lock.with_name(f"{stem}{'.' if stem == 'pylock' else '-'}{mark}.toml")
    if own.exists() or (several and _is_anothers(project, target)):
        # Named, so that no lock of another program beside it is taken instead.
        return replace(project, lock=own, settings=replace(project.settings, lock=own.name))
    return project


def _is_anothers(project: Project, target: Target) -> bool:
    if not project.lock.exists():
        return False
    try:
        table = locked_from(read_document(project.lock))
    except LockError:
        return False  # who reads it tells
    return table is not None and table.get("target") != target.name
