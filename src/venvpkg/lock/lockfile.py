"""Read and write the lockfile of an application: hostile input in, no secrets out, one target at a time."""

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
from venvpkg.lock.shared import locked_targets
from venvpkg.text import strip_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvpkg.lock.inputs import LockInputs
    from venvpkg.lock.shared import LockedTarget
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


class LockfileStore:
    """Serialises access to lockfiles, as a context manager; all targets of a command share one instance.

    Attributes:
        renewed: names of the targets that this command has locked.
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

    def initial_text(self, path: Path) -> str | None:
        """Return the text of a file on the first request of this command; None if it did not exist.

        Call it before writing the file: the resolution for one target must not depend on the order of the targets.
        """
        with self._lock:
            if path not in self._before:
                self._before[path] = path.read_text(encoding="utf-8") if path.exists() else None
            return self._before[path]


# A universal lock of a large application has a few MiB.
LARGEST: Final = 64 * 2**20
_HEADER: Final = "# Written by venvpkg (PEP 751). 'venvpkg lock' brings it up to date; keep it with the application.\n"


def read_document(path: Path) -> Mapping[str, object]:
    """Return the TOML document of a lockfile, whichever program wrote it.

    Raises:
        LockError: the file does not exist, is too large or is not valid TOML.
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
        resolution="Restore it from version control, or remove it to have it recreated.",
    )


def venvpkg_table(document: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the table ``[tool.venvpkg]`` of a lock, or None if another program wrote the lock."""
    tool = document.get("tool")
    table = tool.get("venvpkg") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def lock_text(
    document: Mapping[str, object],
    origin: Path,
    destination: Path,
    inputs: LockInputs,
    others: Iterable[LockedTarget] = (),
) -> str:
    """Return the text of venvpkg's lockfile for uv's lock.

    Credentials are removed from URLs (uv keeps those of direct references). When files are fetched, they come from the
    indexes' settings and netrc. Paths, which uv writes relative to its output, become relative to ``destination``.

    Args:
        document: uv's lock.
        origin: directory that uv wrote it to.
        destination: directory of the lockfile.
        inputs: the inputs that it was resolved from.
        others: the other targets of the lock.
    """
    relocated = relocate_document(document, origin, destination)
    tool = {"venvpkg": inputs.as_table(others)}
    return _HEADER + tomli_w.dumps(relocated | {"created-by": "venvpkg", "tool": tool}, multiline_strings=False)


def relocate_lock(text: str, origin: Path, destination: Path) -> str:
    """Return the text of a lock with its relative paths changed from one directory to another.

    Raises:
        LockError: ``text`` is not valid TOML.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LockError("the recorded lock is malformed.", details=f"  {error}") from error
    return plain_text(document, origin, destination)


def relocate_document(document: Mapping[str, object], origin: Path, destination: Path) -> dict[str, object]:
    """Return a lock with its relative paths changed from one directory to another, and without credentials."""
    return _relocate_table(dict(document), origin, destination)


def plain_text(document: Mapping[str, object], origin: Path, destination: Path) -> str:
    """Return the text of a relocated lock without venvpkg's header and table."""
    return tomli_w.dumps(relocate_document(document, origin, destination), multiline_strings=False)


def _relocate_table(table: dict[str, object], origin: Path, destination: Path) -> dict[str, object]:
    return {key: _relocate_value(key, value, origin, destination) for key, value in table.items()}


def _relocate_value(key: str, value: object, origin: Path, destination: Path) -> object:
    match value:
        case dict():
            return _relocate_table(value, origin, destination)
        case list():
            return [_relocate_value(key, each, origin, destination) for each in value]
        case str() if key == "path" and os.path.normpath(value) == ".":
            return value  # the application itself: always the directory of the lockfile
        case str() if key == "path" and not value.startswith("/"):
            return os.path.relpath(origin / value, destination)
        case str() if key == "url":
            return strip_credentials(value)
        case _:
            return value


def select_lockfile(project: Project, target: Target) -> Project:
    """Return the project with ``lock`` set to the lockfile for ``target``.

    ``pylock.toml`` is shared by all targets with the same extras and groups. ``pylock.TARGET.toml`` is used if it
    exists, and is created for a target that needs other extras or groups. A lockfile of another program, or the one
    that the configuration sets, applies to every target.

    Args:
        project: has the settings for the target.
        target: the target to lock for.
    """
    if project.settings.lock is not None:
        return project
    own = target_lockfile(project, target)
    if own.exists() or _needs_own_lockfile(project, target):
        # Set explicitly, so that another program's lockfile next to it is not used instead.
        return replace(project, lock=own, settings=replace(project.settings, lock=own.name))
    return project


def target_lockfile(project: Project, target: Target) -> Path:
    """Return the path of the lockfile for one target only.

    It is ``pylock.TARGET.toml``, or ``pylock.NAME-TARGET.toml`` for a requirement.

    Source:
        PyPA specification "pylock.toml", File Name: no dot in the name.
    """
    stem = project.lock.name.removesuffix(".toml")
    name = re.sub(r"[^A-Za-z0-9_-]", "_", target.name)
    return project.lock.with_name(f"{stem}{'.' if stem == 'pylock' else '-'}{name}.toml")


def _needs_own_lockfile(project: Project, target: Target) -> bool:
    """Return whether the existing lockfile is for other targets and has other extras or groups than this one."""
    if not project.lock.exists():
        return False
    try:
        table = venvpkg_table(read_document(project.lock))
    except LockError:
        return False  # reported when the lockfile is read
    if table is None or target.name in {each.name for each in locked_targets(table)}:
        return False
    extras = sorted({canonicalize_name(extra) for extra in project.settings.extras})
    return (table.get("extras", []), table.get("groups", [])) != (extras, sorted(project.settings.groups))
