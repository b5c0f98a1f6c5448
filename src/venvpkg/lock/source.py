"""Which file the application is locked by: one of venvpkg's own, or one that the user keeps with another program."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from venvpkg.errors import LockError
from venvpkg.index.pip_config import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.console import Reporter
    from venvpkg.model.project import Project


UV_LOCK: Final = "uv.lock"


class LockKind(StrEnum):
    """What a lock is; the value is the name of its file where that is always the same."""

    PYLOCK = "pylock.toml"
    UV = UV_LOCK
    REQUIREMENTS = "requirements.txt"
    POETRY = "poetry.lock"
    PDM = "pdm.lock"
    PIPENV = "Pipfile.lock"


# Those that another program has to export.
FOREIGN: Final = (LockKind.POETRY, LockKind.PDM, LockKind.PIPENV)


@dataclass(frozen=True, slots=True)
class LockSource:
    """The lock to build from, which for PYLOCK may be yet to be made."""

    kind: LockKind
    path: Path


def lock_source(project: Project, reporter: Reporter) -> LockSource:
    """Return what ``project`` is locked by.

    The lock that the configuration names; else pylock.toml; else the uv.lock of the project or its workspace; else the
    lock of another program; else a pylock.toml to be made.

    Args:
        project: the application.
        reporter: hears of locks that are passed over.

    Raises:
        LockError: the lock that the configuration names is not there, or several programs have one.
    """
    if project.settings.lock is not None:
        return _named(project.lock.parent / project.settings.lock)
    ours = LockSource(LockKind.PYLOCK, project.lock)
    if project.directory is None:
        return ours
    beside = [project.directory / kind for kind in FOREIGN if (project.directory / kind).is_file()]
    uv_lock = _uv_lock(project.directory)
    others = [uv_lock, *beside] if uv_lock else beside
    if project.lock.exists():
        # A lock that is elsewhere, as when a recorded build is repeated, was chosen.
        for path in others if project.lock.parent == project.directory else ():
            reporter.warn(f'{project.lock.name} is used, and {path.name} is not; say which with lock = "FILE"')
        return ours
    if uv_lock is not None:
        return LockSource(LockKind.UV, uv_lock)
    if len(beside) > 1:
        names = ", ".join(path.name for path in beside)
        raise LockError(
            f"{project.directory} is locked by several programs: {names}.",
            resolution='Say which of them counts: lock = "FILE" in the configuration.',
        )
    return LockSource(LockKind(beside[0].name), beside[0]) if beside else ours


def _named(path: Path) -> LockSource:
    kind = LockKind.PYLOCK if path.name.startswith("pylock") and path.suffix == ".toml" else None
    if kind is None:
        kind = LockKind.REQUIREMENTS if path.suffix == ".txt" else LockKind(path.name)
    if kind is not LockKind.PYLOCK and not path.is_file():
        raise LockError(
            f"{path} is not there.", resolution="Correct the key 'lock' in the configuration, or restore the file."
        )
    return LockSource(kind, path)


def _uv_lock(directory: Path) -> Path | None:
    """Return the uv.lock of the project: beside it, or at the top of the workspace that it is a member of."""
    if (directory / UV_LOCK).is_file():
        return directory / UV_LOCK
    for parent in directory.parents:
        if (parent / UV_LOCK).is_file() and directory in _members(parent):
            return parent / UV_LOCK
    return None


def _members(top: Path) -> set[Path]:
    """Return the directories that are members of the workspace there; uv itself complains about malformed files."""
    try:
        document: object = tomllib.loads(read_text(top / "pyproject.toml") or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return set()
    for key in ("tool", "uv", "workspace"):
        document = document.get(key) if isinstance(document, dict) else None
    table: Mapping[str, object] = document if isinstance(document, dict) else {}
    return _matching(top, table.get("members")) - _matching(top, table.get("exclude"))


def _matching(top: Path, patterns: object) -> set[Path]:
    found: set[Path] = set()
    for pattern in patterns if isinstance(patterns, list) else ():
        try:
            found.update(path.resolve() for path in top.glob(str(pattern).rstrip("/")))
        except (ValueError, NotImplementedError, OSError):
            continue
    return found
