"""What the user names on the command line, to a Project."""

from __future__ import annotations

import configparser
import os
import tomllib
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from venvpkg.config.keys import PACKAGE_NAME
from venvpkg.config.settings import Configuration, read_configuration
from venvpkg.errors import ConfigurationError
from venvpkg.host.files import read_regular
from venvpkg.model.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


# A pyproject.toml is written by hand; one of several MiB is something else.
_LARGEST = 4 * 2**20
_OWN_FILE = "venvpkg.toml"
_TABLE = "tool.venvpkg"


def read_project(
    argument: str,
    overrides: Mapping[str, str | Sequence[str]],
    cwd: Path,
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Return the project that ``argument`` names.

    A directory is configured by ``[tool.venvpkg]`` in its pyproject.toml, or by a ``venvpkg.toml`` beside that file,
    whose top level has the same keys; a requirement by ``venvpkg.NAME.toml`` where one stands, or by nothing.

    Args:
        argument: a directory with a pyproject.toml, or a requirement (PEP 508) such as ``borgbackup==1.4.5``. It is
            a directory when it has a slash, is ``.`` or ``..``, or is there with a pyproject.toml in it.
        overrides: path of a key → text of its option on the command line, or texts; they win.
        cwd: where relative paths start, and where the lock and the configuration of a requirement are kept.
        environ: its ``VENVPKG_`` variables win over files.

    Raises:
        ConfigurationError: with every problem of the file.
    """
    directory = cwd / argument
    if directory.name == "pyproject.toml" and directory.is_file():
        directory = directory.parent
    separators = os.sep in argument or argument in {".", ".."}
    if (separators and "@" not in argument) or (directory / "pyproject.toml").is_file():
        return _of_directory(directory.resolve(), overrides, environ or {})
    return _of_requirement(argument, overrides, cwd, environ or {})


def _of_directory(directory: Path, overrides: Mapping[str, str | Sequence[str]], environ: Mapping[str, str]) -> Project:
    path = directory / "pyproject.toml"
    document = _read_toml(path)
    problems: list[str] = []
    table = _table(document, "project", problems)
    name = table.get("name") if table else _name_elsewhere(document, directory)
    try:
        name = canonicalize_name(name, validate=True) if isinstance(name, str) else None
    except ValueError:
        name = None
    if name is None:
        problems.append("project.name: missing, or not the name of a distribution; the package is named after it")
        name = "unnamed"
    tool, where, file = _table(_table(document, "tool", problems), "venvpkg", problems, within="tool."), _TABLE, None
    own = directory / _OWN_FILE
    if own.is_file():
        if tool:
            problems.append(f"{_TABLE}: {_OWN_FILE} is there as well; keep one of them")
        else:
            tool, where, file = _read_toml(own), "", own
    read = read_configuration(tool, where, environ, overrides)
    problems.extend(read.problems)
    if table and not read.settings.name and not PACKAGE_NAME.fullmatch(name):
        problems.append(f"project.name: {name!r} is no name for a package; set tool.venvpkg.name")
    problems.extend(_unknown_parts(read, table, document, f"{where}." if where else "", problems))
    if problems:
        raise ConfigurationError(path if file is None else f"{path} and {_OWN_FILE}", problems)
    return Project(
        name=name,
        requirement=None,
        directory=directory,
        lock=directory / "pylock.toml",
        build_lock=directory / "venvpkg.lock",
        settings=read.settings,
        base=directory,
        configuration=file,
        targets=read.targets,
        is_anonymous=_is_anonymous(table),
    )


def _is_anonymous(table: Mapping[str, object]) -> bool:
    """Whether the table [project] states that nobody has an address; a build backend may add none then.

    Source:
        PyPA specification of pyproject.toml: authors, maintainers, dynamic.
    """
    dynamic = table.get("dynamic")
    computed = not table or (isinstance(dynamic, list) and {"authors", "maintainers"} & {*map(str, dynamic)})
    named = (table.get(key) for key in ("authors", "maintainers"))
    people = [each for people in named if isinstance(people, list) for each in people]
    return not computed and not any(isinstance(each, dict) and each.get("email") for each in people)


def _name_elsewhere(document: Mapping[str, object], directory: Path) -> object:
    """Return the name in a project without the table [project]: poetry's own, or setuptools' in setup.cfg.

    Everything else of its metadata is asked of its build backend.
    """
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    if isinstance(poetry, dict):
        return poetry.get("name")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_regular(directory / "setup.cfg", _LARGEST).decode("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return None
    return parser.get("metadata", "name", fallback=None)


def _unknown_parts(
    read: Configuration, table: Mapping[str, object], document: Mapping[str, object], prefix: str, problems: list[str]
) -> Iterator[str]:
    """Yield the extras and dependency groups that are asked for and that the project does not have."""
    dynamic = table.get("dynamic")
    extras = {canonicalize_name(each) for each in _table(table, "optional-dependencies", problems, within="project.")}
    groups = {canonicalize_name(each) for each in _table(document, "dependency-groups", problems)}
    unknown = sorted({each for settings in read.each() for each in settings.extras} - extras)
    computed = not table or (isinstance(dynamic, list) and "optional-dependencies" in dynamic)
    if unknown and not computed:
        yield f"{prefix}extras: the project has no {', '.join(unknown)}"
    unknown = sorted({each for settings in read.each() for each in settings.groups} - groups)
    if unknown:
        yield f"{prefix}groups: the project has no {', '.join(unknown)}"


def _of_requirement(
    text: str, overrides: Mapping[str, str | Sequence[str]], cwd: Path, environ: Mapping[str, str]
) -> Project:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ConfigurationError(
            repr(text),
            [f"neither a directory with a pyproject.toml nor a requirement: {str(error).splitlines()[0]}"],
            resolution="Name a directory (with a slash: ./app), or a requirement such as 'borgbackup==1.4.5'.",
        ) from error
    name = canonicalize_name(requirement.name)
    file = configuration_of(name, cwd)
    there = file.is_file()
    read = read_configuration(_read_toml(file) if there else {}, "", environ, overrides)
    problems = [*read.problems]
    if not read.settings.name and not PACKAGE_NAME.fullmatch(name):
        problems.append(f"{name!r} is no name for a package; give --name")
    if any(settings.groups for settings in read.each()):
        problems.append("groups: a released distribution has no dependency groups; they are for its own developers")
    if any(settings.prepare for settings in read.each()):
        problems.append("prepare: a released distribution has all it needs; commands are for a project in a directory")
    if problems and there:
        raise ConfigurationError(file, problems)
    if problems:
        raise ConfigurationError("the command line", problems, resolution="Correct the options and the variables.")
    return Project(
        name=name,
        requirement=str(requirement),
        directory=None,
        lock=cwd / f"pylock.{name}.toml",
        build_lock=cwd / f"venvpkg.{name}.lock",
        settings=read.settings,
        base=cwd,
        configuration=file if there else None,
        targets=read.targets,
    )


def configuration_of(name: str, cwd: Path) -> Path:
    """Return where the configuration of a requirement is, or would be; its name is normalised."""
    return cwd / f"venvpkg.{name}.toml"


def _read_toml(path: Path) -> Mapping[str, object]:
    try:
        content = read_regular(path, _LARGEST)
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
