"""Detect dependencies that a project's build backend computes, and the files that they come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.index.pip_config import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


# Files from which setuptools and common plugins compute dynamic dependencies.
_SOURCES: Final = (
    "pyproject.toml", "setup.cfg", "setup.py", "requirements*.txt", "requirements*.in", "requirements/*.txt",
    "requirements/*.in",
)  # fmt: skip
_PATH: Final = re.compile(r"[\w./+-]*\w\.\w+")
# Files that projects mention, but from which no backend reads dependencies.
_PROSE: Final = re.compile(r"(?i)(readme|licen[cs]e|copying|notice|authors|change|history|news)\b.*|.*\.(md|rst|lock)")
_LARGEST_BYTES: Final = 1 << 20


def has_dynamic_dependencies(table: Mapping[str, object], extras: Iterable[str]) -> bool:
    """Whether the backend computes what the application needs, given its ``[project]`` and the requested extras."""
    dynamic = table.get("dynamic")
    computed = set(dynamic) if isinstance(dynamic, list) and all(isinstance(each, str) for each in dynamic) else set()
    # Without [project], poetry's own tables or setup.cfg declare the dependencies.
    return not table or "dependencies" in computed or (bool(list(extras)) and "optional-dependencies" in computed)


def dynamic_sources(directory: Path) -> tuple[Path, ...]:
    """Return the files that dynamic dependencies may come from, sorted.

    These are the usual files, and every file of the project that one of them mentions: setuptools' ``file``, a
    requirements file's ``-r``, or a file that setup.py opens. Dependencies from other sources only show in the wheel
    that the backend builds.
    """
    found = {path for pattern in _SOURCES for path in directory.glob(pattern)}
    queue = sorted(found)
    while queue:
        path = queue.pop()
        for named in _named_in(path, directory):
            if named not in found:
                found.add(named)
                queue.append(named)
    return tuple(sorted(found))


def _named_in(path: Path, directory: Path) -> Iterator[Path]:
    for match in sorted(set(_PATH.findall(read_text(path) or ""))):
        for start in dict.fromkeys((directory, path.parent)):
            named = start / match
            if _PROSE.fullmatch(named.name) or ".." in named.parts:
                continue
            if named.is_relative_to(directory) and named.is_file() and named.stat().st_size <= _LARGEST_BYTES:
                yield named
