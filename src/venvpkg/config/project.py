"""What the user names on the command line, to a Project."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from venvpkg.config.settings import PACKAGE_NAME, read_settings
from venvpkg.errors import ConfigurationError
from venvpkg.model.project import Project, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A pyproject.toml is written by hand; one of several MiB is something else.
_LARGEST = 4 * 2**20


def read_project(argument: str, overrides: Mapping[str, object], cwd: Path) -> Project:
    """Return the project that ``argument`` names.

    Args:
        argument: a directory with a pyproject.toml, or a requirement (PEP 508) such as ``borgbackup==1.4.5``. It is
            a directory when it has a slash, is ``.`` or ``..``, or is there with a pyproject.toml in it.
        overrides: keys of ``[tool.venvpkg]`` given on the command line; they win over the file.
        cwd: where relative paths start, and where the lock of a requirement is kept.

    Raises:
        ConfigurationError: with every problem of the file.
    """
    directory = cwd / argument
    if directory.name == "pyproject.toml" and directory.is_file():
        directory = directory.parent
    separators = os.sep in argument or argument in {".", ".."}
    if (separators and "@" not in argument) or (directory / "pyproject.toml").is_file():
        return _of_directory(directory.resolve(), overrides)
    return _of_requirement(argument, overrides, cwd)


def _of_directory(directory: Path, overrides: Mapping[str, object]) -> Project:
    path = directory / "pyproject.toml"
    document = _read_toml(path)
    problems: list[str] = []
    table = _table(document, "project", problems)
    name = table.get("name")
    try:
        name = canonicalize_name(name, validate=True) if isinstance(name, str) else None
    except ValueError:
        name = None
    if name is None:
        problems.append("project.name: missing, or not the name of a distribution; the package is named after it")
        name = "unnamed"
    tool = _table(_table(document, "tool", problems), "venvpkg", problems, within="tool.")
    settings, more = _settings(tool, overrides)
    problems.extend(more)
    if table and not settings.name and not PACKAGE_NAME.fullmatch(name):
        problems.append(f"project.name: {name!r} is no name for a package; set tool.venvpkg.name")
    known = set(_table(table, "optional-dependencies", problems, within="project."))
    unknown = sorted(set(settings.extras) - {canonicalize_name(extra) for extra in known})
    dynamic = table.get("dynamic")
    if unknown and not (isinstance(dynamic, list) and "optional-dependencies" in dynamic):
        problems.append(f"tool.venvpkg.extras: the project has no {', '.join(unknown)}")
    if problems:
        raise ConfigurationError(path, problems)
    return Project(
        name=name,
        requirement=None,
        directory=directory,
        lock=directory / "pylock.toml",
        build_lock=directory / "venvpkg.lock",
        settings=settings,
    )


def _of_requirement(text: str, overrides: Mapping[str, object], cwd: Path) -> Project:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ConfigurationError(
            repr(text),
            [f"neither a directory with a pyproject.toml nor a requirement: {str(error).splitlines()[0]}"],
            resolution="Name a directory (with a slash: ./app), or a requirement such as 'borgbackup==1.4.5'.",
        ) from error
    settings, problems = _settings({}, overrides)
    name = canonicalize_name(requirement.name)
    if not settings.name and not PACKAGE_NAME.fullmatch(name):
        problems = (*problems, f"{name!r} is no name for a package; give --name")
    if problems:
        raise ConfigurationError("the command line", problems, resolution="Correct the options.")
    return Project(
        name=name,
        requirement=str(requirement),
        directory=None,
        lock=cwd / f"pylock.{name}.toml",
        build_lock=cwd / f"venvpkg.{name}.lock",
        settings=settings,
    )


def _settings(table: Mapping[str, object], overrides: Mapping[str, object]) -> tuple[Settings, tuple[str, ...]]:
    of_file, problems = read_settings(table)
    of_options, more = read_settings(overrides, where="--")
    given = {key.replace("-", "_") for key in overrides}
    chosen = {field: getattr(of_options, field) for field in given if hasattr(of_options, field)}
    return dataclasses.replace(of_file, **chosen), (*problems, *(each.replace("--.", "--", 1) for each in more))


def _read_toml(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(
            path, [str(error.strerror)], resolution="Name a directory that holds a pyproject.toml."
        ) from error
    if len(content) > _LARGEST:
        raise ConfigurationError(path, [f"larger than {_LARGEST} bytes"])
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(path, [f"not TOML: {error}"]) from error


def _table(parent: Mapping[str, object], key: str, problems: list[str], within: str = "") -> Mapping[str, object]:
    value = parent.get(key, {})
    if isinstance(value, dict):
        return value
    problems.append(f"{within}{key}: must be a table")
    return {}
