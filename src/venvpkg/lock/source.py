"""Find the application's lockfile: venvpkg's own, or one that the user maintains with another program."""

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
    """Format of a lockfile; the value is the file's usual name."""

    PYLOCK = "pylock.toml"
    UV = UV_LOCK
    REQUIREMENTS = "requirements.txt"
    POETRY = "poetry.lock"
    PDM = "pdm.lock"
    PIPENV = "Pipfile.lock"


# Lockfiles that their programs have to export.
FOREIGN: Final = (LockKind.POETRY, LockKind.PDM, LockKind.PIPENV)


@dataclass(frozen=True, slots=True)
class LockSource:
    """The lockfile to build from; only a PYLOCK need not exist yet."""

    kind: LockKind
    path: Path


def lock_source(project: Project, reporter: Reporter) -> LockSource:
    """Return the lockfile of ``project``.

    In this order: the file that the configuration sets, pylock.toml, the uv.lock of the project or its workspace, the
    lockfile of another program, and a pylock.toml that does not exist yet.

    Args:
        project: the application.
        reporter: is warned about lockfiles that are ignored.

    Raises:
        LockError: the configured lockfile does not exist, or there are lockfiles of several programs.
    """
    if project.settings.lock is not None:
        return _configured_source(project.lock.parent / project.settings.lock)
    own = LockSource(LockKind.PYLOCK, project.lock)
    if project.directory is None:
        return own
    foreign = [project.directory / kind for kind in FOREIGN if (project.directory / kind).is_file()]
    uv_lock = _find_uv_lock(project.directory)
    ignored = [uv_lock, *foreign] if uv_lock else foreign
    if project.lock.exists():
        # A lockfile in another directory, as in a rebuild, was chosen on purpose.
        for path in ignored if project.lock.parent == project.directory else ():
            reporter.warn(f'using {project.lock.name}, ignoring {path.name}; set lock = "FILE" to choose')
        return own
    if uv_lock is not None:
        return LockSource(LockKind.UV, uv_lock)
    if len(foreign) > 1:
        names = ", ".join(path.name for path in foreign)
        raise LockError(
            f"{project.directory} has lockfiles of several programs: {names}.",
            resolution='Set lock = "FILE" in the configuration to choose one.',
        )
    return LockSource(LockKind(foreign[0].name), foreign[0]) if foreign else own


def _configured_source(path: Path) -> LockSource:
    kind = LockKind.PYLOCK if path.name.startswith("pylock") and path.suffix == ".toml" else None
    if kind is None:
        kind = LockKind.REQUIREMENTS if path.suffix == ".txt" else LockKind(path.name)
    if kind is not LockKind.PYLOCK and not path.is_file():
        raise LockError(
            f"{path} does not exist.", resolution="Fix the key 'lock' in the configuration, or restore the file."
        )
    return LockSource(kind, path)


def _find_uv_lock(directory: Path) -> Path | None:
    """Return the uv.lock of the project, from its directory or the root of its workspace."""
    if (directory / UV_LOCK).is_file():
        return directory / UV_LOCK
    for parent in directory.parents:
        if (parent / UV_LOCK).is_file() and directory in _workspace_members(parent):
            return parent / UV_LOCK
    return None


def _workspace_members(top: Path) -> set[Path]:
    """Return the member directories of the workspace at ``top``; uv itself reports malformed files."""
    try:
        document: object = tomllib.loads(read_text(top / "pyproject.toml") or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return set()
    for key in ("tool", "uv", "workspace"):
        document = document.get(key) if isinstance(document, dict) else None
    table: Mapping[str, object] = document if isinstance(document, dict) else {}
    return _expand_patterns(top, table.get("members")) - _expand_patterns(top, table.get("exclude"))


def _expand_patterns(top: Path, patterns: object) -> set[Path]:
    paths: set[Path] = set()
    for pattern in patterns if isinstance(patterns, list) else ():
        try:
            paths.update(path.resolve() for path in top.glob(str(pattern).rstrip("/")))
        except (ValueError, NotImplementedError, OSError):
            continue
    return paths
