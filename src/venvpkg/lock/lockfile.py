"""The lockfile of an application: read as hostile input, written without secrets, one target at a time."""

from __future__ import annotations

import os
import re
import threading
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

import tomli_w  # noqa: TID251
from packaging.utils import canonicalize_name

from venvpkg.errors import LockError
from venvpkg.host.files import read_regular
from venvpkg.index.urls import strip_credentials
from venvpkg.lock.shared import locked_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.lock.inputs import LockInputs
    from venvpkg.lock.shared import LockedTarget
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


class LockfileStore:
    """Held while a target reads and writes lock files, as ``with lockfiles:``; shared by all targets of a call.

    Attributes:
        renewed: names of the targets that this call has locked.
    """

    def __init__(self) -> None:
        self.renewed: set[str] = set()
        self._lock = threading.RLock()
        self._before: dict[Path, str | None] = {}

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def before(self, path: Path) -> str | None:
        """Return what a file said when this call first asked; None when it was not there.

        To be asked before the file is written: what one target resolves must not depend on which of them came first.
        """
        with self._lock:
            if path not in self._before:
                self._before[path] = path.read_text(encoding="utf-8") if path.exists() else None
            return self._before[path]


# A universal lock of a large application has some MiB.
LARGEST: Final = 64 * 2**20
_HEADER: Final = "# Written by venvpkg (PEP 751). 'venvpkg lock' brings it up to date; keep it with the application.\n"


def read_document(path: Path) -> Mapping[str, object]:
    """Return the TOML document in a file of venvpkg's making or the user's.

    Raises:
        LockError: not there, too large, or no TOML.
    """
    try:
        content = read_regular(path, LARGEST)
    except OSError as error:
        raise LockError(
            f"{path} cannot be read: {error.strerror}.", resolution="Run 'venvpkg lock' to write it."
        ) from error
    problem: object = f"larger than {LARGEST} bytes"
    if len(content) <= LARGEST:
        try:
            return tomllib.loads(content.decode("utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            problem = error
    raise LockError(
        f"{path} is malformed.",
        details=f"  {problem}",
        resolution="Restore it from version control, or remove it to have it written anew.",
    )


def venvpkg_table(document: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the table ``[tool.venvpkg]`` of a lock, or None when another program wrote the lock."""
    tool = document.get("tool")
    table = tool.get("venvpkg") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def lock_text(
    document: Mapping[str, object],
    origin: Path,
    destination: Path,
    inputs: LockInputs,
    beside: Iterable[LockedTarget] = (),
) -> str:
    """Return uv's lock as venvpkg keeps it.

    Credentials are taken out of URLs (uv keeps those of direct references); the indexes' settings and netrc give them
    again when files are fetched. Paths, which uv writes relative to its output, become relative to ``destination``.

    Args:
        document: as uv wrote it.
        origin: directory that uv wrote it to.
        destination: directory that the lock will be in.
        inputs: what it was resolved from.
        beside: the other targets that it holds for.
    """
    moved = relocate_document(document, origin, destination)
    tool = {"venvpkg": inputs.as_table(beside)}
    return _HEADER + tomli_w.dumps(moved | {"created-by": "venvpkg", "tool": tool}, multiline_strings=False)


def relocate_lock(text: str, origin: Path, destination: Path) -> str:
    """Return the text of a lock that was written for the directory ``origin``, for the directory ``destination``.

    Raises:
        LockError: it is no TOML.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LockError("The recorded lock is malformed.", details=f"  {error}") from error
    return plain_text(document, origin, destination)


def relocate_document(document: Mapping[str, object], origin: Path, destination: Path) -> dict[str, object]:
    """Return a lock that was written for the directory ``origin``, for the directory ``destination``, as a document."""
    return _moved(dict(document), origin, destination)


def plain_text(document: Mapping[str, object], origin: Path, destination: Path) -> str:
    """Return a lock as ``lock_text`` does, but as the work of whoever wrote it."""
    return tomli_w.dumps(relocate_document(document, origin, destination), multiline_strings=False)


def _moved(table: dict[str, object], origin: Path, destination: Path) -> dict[str, object]:
    return {key: _moved_value(key, value, origin, destination) for key, value in table.items()}


def _moved_value(key: str, value: object, origin: Path, destination: Path) -> object:
    match value:
        case dict():
            return _moved(value, origin, destination)
        case list():
            return [_moved_value(key, each, origin, destination) for each in value]
        case str() if key == "path" and os.path.normpath(value) == ".":
            return value  # the application's own directory: the lock's, wherever it is
        case str() if key == "path" and not value.startswith("/"):
            return os.path.relpath(origin / value, destination)
        case str() if key == "url":
            return strip_credentials(value)
        case _:
            return value


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
        table = venvpkg_table(read_document(project.lock))
    except LockError:
        return False  # who reads it tells
    if table is None or target.name in {each.name for each in locked_targets(table)}:
        return False
    extras = sorted({canonicalize_name(extra) for extra in project.settings.extras})
    return (table.get("extras", []), table.get("groups", [])) != (extras, sorted(project.settings.groups))
