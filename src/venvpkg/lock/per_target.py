"""Which lock of an application's own serves a target."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from venvpkg.errors import LockError
from venvpkg.lock.lock_text import locked_from, read_document
from venvpkg.lock.shared import locked_targets

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


def with_lock_of(project: Project, target: Target) -> Project:
    """Return the project with the lock that serves ``target``.

    ``pylock.toml`` serves all that ask for the same extras and groups: each is added to it. ``pylock.TARGET.toml`` is
    taken where it is there, and comes into being for a target whose configuration asks for others. A lock of another
    program, or one that the configuration names, serves every target.

    Args:
        project: with the settings for the target.
        target: for what.
    """
    if project.settings.lock is not None:
        return project
    own = lock_of_its_own(project, target)
    if own.exists() or _asks_for_others(project, target):
        # Named, so that no lock of another program beside it is taken instead.
        return replace(project, lock=own, settings=replace(project.settings, lock=own.name))
    return project


def lock_of_its_own(project: Project, target: Target) -> Path:
    """Return the path of a lock for one target: ``pylock.TARGET.toml``, of a requirement ``pylock.NAME-TARGET.toml``.

    Source:
        PyPA specification "pylock.toml", File Name: no dot in the name.
    """
    stem = project.lock.name.removesuffix(".toml")
    mark = re.sub(r"[^A-Za-z0-9_-]", "_", target.name)
    return project.lock.with_name(f"{stem}{'.' if stem == 'pylock' else '-'}{mark}.toml")


def _asks_for_others(project: Project, target: Target) -> bool:
    """Return whether the lock that is there is of other targets only, and has other extras or groups than this."""
    if not project.lock.exists():
        return False
    try:
        table = locked_from(read_document(project.lock))
    except LockError:
        return False  # who reads it tells
    if table is None or target.name in {each.name for each in locked_targets(table)}:
        return False
    extras = sorted({canonicalize_name(extra) for extra in project.settings.extras})
    return (table.get("extras", []), table.get("groups", [])) != (extras, sorted(project.settings.groups))
