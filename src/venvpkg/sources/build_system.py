"""Read the table [build-system] of a source (PEP 517, PEP 518)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from venvpkg.errors import CompileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


# A source without pyproject.toml, or without the table, is built by setuptools as before PEP 517.
_LEGACY_REQUIRES = ("setuptools>=40.8.0",)
_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
_LARGEST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class BuildSystem:
    """How to build a source.

    Attributes:
        requires: requirements of the build environment, sorted.
        backend: ``module:object``.
        backend_path: directories of the source that contain the backend; usually none.
        subdirectory: directory with the source inside the unpacked archive; empty for the top.
    """

    requires: tuple[str, ...]
    backend: str
    backend_path: tuple[str, ...] = ()
    subdirectory: str = ""


def read_build_system(directory: Path, label: str, subdirectory: str = "") -> BuildSystem:
    """Return the build system of an unpacked source.

    Args:
        directory: directory of the unpacked source.
        label: the source's name in messages, ``lxml 6.1.3``.
        subdirectory: where the source is in ``directory``, with or without pyproject.toml.

    Raises:
        CompileError: the table is malformed; the error lists all problems.

    Source:
        PEP 517, PEP 518 and the PyPA specification "pyproject.toml", with its fallback to setuptools.
    """
    return replace(_read_pyproject(directory / subdirectory, label), subdirectory=subdirectory)


def _read_pyproject(directory: Path, label: str) -> BuildSystem:
    path = directory / "pyproject.toml"
    if not path.is_file():
        return _legacy_build_system(directory, label)
    if path.stat().st_size > _LARGEST_BYTES:
        raise _malformed(label, [f"it is larger than {_LARGEST_BYTES >> 20} MiB"])
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(label, [str(error) or type(error).__name__]) from error
    match document.get("build-system"):
        case None:
            return BuildSystem(_LEGACY_REQUIRES, _LEGACY_BACKEND)
        case dict(table):
            return _parse_table(table, label)
        case _:
            raise _malformed(label, ["build-system is not a table"])


def requirement_problems(requires: Iterable[object]) -> tuple[str, ...]:
    """Return a message for each invalid requirement; empty if all are valid."""
    problems = []
    for each in requires:
        try:
            if not isinstance(each, str) or not each.isprintable():
                raise InvalidRequirement("not a line of text")  # noqa: TRY301
            Requirement(each)
        except InvalidRequirement as error:
            problems.append(f"requirement {each!r}: {str(error).splitlines()[0]}")
    return tuple(problems)


def _parse_table(table: dict[str, object], label: str) -> BuildSystem:
    problems: list[str] = []
    requires: tuple[str, ...] = ()
    match table.get("requires"):
        case list(values):
            problems += requirement_problems(values)
            requires = tuple(sorted({str(value) for value in values}))
        case None:
            problems.append("build-system.requires is missing")
        case _:
            problems.append("build-system.requires is not a list")
    backend = table.get("build-backend", _LEGACY_BACKEND)
    if not isinstance(backend, str) or not all(
        part.isidentifier() for part in backend.removesuffix(":__legacy__").replace(":", ".").split(".")
    ):
        problems.append(f"build-system.build-backend is {backend!r}, not the name of an object")
    backend_path = table.get("backend-path", [])
    if not isinstance(backend_path, list) or not all(isinstance(each, str) for each in backend_path):
        problems.append("build-system.backend-path is not a list of directories")
        backend_path = []
    if problems:
        raise _malformed(label, problems)
    return BuildSystem(requires, str(backend), tuple(backend_path))


def _legacy_build_system(directory: Path, label: str) -> BuildSystem:
    if not (directory / "setup.py").is_file() and not (directory / "setup.cfg").is_file():
        raise CompileError(
            f"{label} cannot be built: its source has neither pyproject.toml nor setup.py.",
            resolution="It is not a valid sdist. Use the prebuilt wheel (policy `binary`), or another version.",
        )
    return BuildSystem(_LEGACY_REQUIRES, _LEGACY_BACKEND)


def _malformed(label: str, problems: Iterable[str]) -> CompileError:
    return CompileError(
        f"{label} cannot be built: its pyproject.toml is malformed.",
        details="\n".join(f"  {problem}" for problem in problems),
        resolution="Fix the file; if it is not yours, use another version.",
    )
