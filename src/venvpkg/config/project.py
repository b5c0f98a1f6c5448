"""Read the application named on the command line into a Project."""

from __future__ import annotations

import ast
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


# A pyproject.toml is written by hand and never has several MiB.
_LARGEST = 4 * 2**20
_OWN_CONFIGURATION = "venvpkg.toml"
_TABLE = "tool.venvpkg"


def read_project(
    argument: str,
    overrides: Mapping[str, str | Sequence[str]],
    cwd: Path,
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Return the project for an application, with its configuration.

    A directory is configured by ``[tool.venvpkg]`` in its pyproject.toml, or by a ``venvpkg.toml`` next to it with the
    same keys at top level. A requirement is configured by ``venvpkg.NAME.toml`` in ``cwd``, if that exists.

    Args:
        argument: a directory with a pyproject.toml or setup.py, or a requirement (PEP 508) such as
            ``borgbackup==1.4.5``. It counts as a directory if it contains a slash, is ``.`` or ``..``, or has such a
            file.
        overrides: key path → text of its command line option, or several texts; they override everything else.
        cwd: base of relative paths, and directory of a requirement's lockfile and configuration.
        environ: environment variables; those named ``VENVPKG_…`` override files.

    Raises:
        ConfigurationError: the configuration cannot be used; lists every problem.
    """
    directory = cwd / argument
    if directory.name in {"pyproject.toml", "setup.py"} and directory.is_file():
        directory = directory.parent
    looks_like_path = os.sep in argument or argument in {".", ".."}
    if (looks_like_path and "@" not in argument) or is_project(directory):
        return _read_directory(directory.resolve(), overrides, environ or {})
    return _read_requirement(argument, overrides, cwd, environ or {})


def _read_directory(
    directory: Path, overrides: Mapping[str, str | Sequence[str]], environ: Mapping[str, str]
) -> Project:
    path = directory / "pyproject.toml"
    document = _read_toml(path) if path.is_file() or not is_project(directory) else {}
    problems: list[str] = []
    table = _get_table(document, "project", problems)
    tools = _get_table(document, "tool", problems)
    own_table, where, file = _get_table(tools, "venvpkg", problems, within="tool."), _TABLE, None
    own_file = directory / _OWN_CONFIGURATION
    if own_file.is_file():
        if own_table:
            problems.append(f"{_TABLE}: {_OWN_CONFIGURATION} exists as well; keep only one of them")
        else:
            own_table, where, file = _read_toml(own_file), "", own_file
    configuration = read_configuration(own_table, where, environ, overrides)
    problems.extend(configuration.problems)
    found = table.get("name") if table else find_legacy_name(document, directory) or configuration.settings.name
    try:
        name = canonicalize_name(found, validate=True) if isinstance(found, str) else ""
    except ValueError:
        name = ""
    if not name:
        problems.append(
            "project.name: missing or not a valid distribution name; the package is named after it"
            if path.is_file()
            else "setup.py: the name cannot be determined without running it; pass it with --name"
        )
        name = "unnamed"
    if table and not configuration.settings.name and not PACKAGE_NAME.fullmatch(name):
        problems.append(f"project.name: {name!r} is not a valid package name; set tool.venvpkg.name")
    problems.extend(_unknown_parts(configuration, table, document, f"{where}." if where else "", problems))
    if problems:
        where = str(path if path.is_file() else directory / "setup.py")
        raise ConfigurationError(where if file is None else f"{where} and {_OWN_CONFIGURATION}", problems)
    return Project(
        name=name,
        requirement=None,
        directory=directory,
        lock=directory / "pylock.toml",
        build_lock=directory / "venvpkg.lock",
        settings=configuration.settings,
        base=directory,
        configuration=file,
        targets=configuration.targets,
        is_anonymous=_is_anonymous(table),
    )


def _is_anonymous(table: Mapping[str, object]) -> bool:
    """Return whether the table [project] rules out an author or maintainer with an address.

    A build backend may only add one if the field is dynamic.

    Source:
        PyPA specification of pyproject.toml: authors, maintainers, dynamic.
    """
    dynamic = table.get("dynamic")
    computed = not table or (isinstance(dynamic, list) and {"authors", "maintainers"} & {*map(str, dynamic)})
    named = (table.get(key) for key in ("authors", "maintainers"))
    people = [each for people in named if isinstance(people, list) for each in people]
    return not computed and not any(isinstance(each, dict) and each.get("email") for each in people)


def _unknown_parts(
    configuration: Configuration,
    table: Mapping[str, object],
    document: Mapping[str, object],
    prefix: str,
    problems: list[str],
) -> Iterator[str]:
    """Yield a problem for extras and one for dependency groups that are requested but not defined by the project."""
    dynamic = table.get("dynamic")
    optional = _get_table(table, "optional-dependencies", problems, within="project.")
    extras = {canonicalize_name(each) for each in optional}
    groups = {canonicalize_name(each) for each in _get_table(document, "dependency-groups", problems)}
    unknown = sorted({each for settings in configuration.each() for each in settings.extras} - extras)
    computed = not table or (isinstance(dynamic, list) and "optional-dependencies" in dynamic)
    if unknown and not computed:
        yield f"{prefix}extras: the project does not define {', '.join(unknown)}"
    unknown = sorted({each for settings in configuration.each() for each in settings.groups} - groups)
    if unknown:
        yield f"{prefix}groups: the project does not define {', '.join(unknown)}"


def _read_requirement(
    text: str, overrides: Mapping[str, str | Sequence[str]], cwd: Path, environ: Mapping[str, str]
) -> Project:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ConfigurationError(
            repr(text),
            [f"neither a directory with a pyproject.toml nor a valid requirement: {str(error).splitlines()[0]}"],
            resolution="Pass a directory (with a slash: ./app) or a requirement such as 'borgbackup==1.4.5'.",
        ) from error
    name = canonicalize_name(requirement.name)
    file = configuration_of(name, cwd)
    exists = file.is_file()
    configuration = read_configuration(_read_toml(file) if exists else {}, "", environ, overrides)
    problems = [*configuration.problems]
    if not configuration.settings.name and not PACKAGE_NAME.fullmatch(name):
        problems.append(f"{name!r} is not a valid package name; pass --name")
    if any(settings.groups for settings in configuration.each()):
        problems.append("groups: a released distribution has no dependency groups; only a project directory has them")
    if any(settings.prepare for settings in configuration.each()):
        problems.append("prepare: only a project directory can have prepare commands, not a released distribution")
    if problems and exists:
        raise ConfigurationError(file, problems)
    if problems:
        raise ConfigurationError("the command line", problems, resolution="Fix the options and variables listed above.")
    return Project(
        name=name,
        requirement=str(requirement),
        directory=None,
        lock=cwd / f"pylock.{name}.toml",
        build_lock=cwd / f"venvpkg.{name}.lock",
        settings=configuration.settings,
        base=cwd,
        configuration=file if exists else None,
        targets=configuration.targets,
    )


def configuration_of(name: str, cwd: Path) -> Path:
    """Return the path of a requirement's configuration, whether it exists or not; ``name`` is normalised."""
    return cwd / f"venvpkg.{name}.toml"


def _read_toml(path: Path) -> Mapping[str, object]:
    try:
        content = read_regular(path, _LARGEST)
    except OSError as error:
        raise ConfigurationError(
            path, [str(error.strerror)], resolution="Pass a directory that contains a pyproject.toml or a setup.py."
        ) from error
    if len(content) > _LARGEST:
        raise ConfigurationError(path, [f"larger than {_LARGEST} bytes"])
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(path, [f"not valid TOML: {error}"]) from error


def _get_table(parent: Mapping[str, object], key: str, problems: list[str], within: str = "") -> Mapping[str, object]:
    value = parent.get(key, {})
    if isinstance(value, dict):
        return value
    problems.append(f"{within}{key}: must be a table")
    return {}


# These files are written by hand.
_LARGEST = 4 * 2**20


def is_project(directory: Path) -> bool:
    """Whether pip would build what is in ``directory``."""
    return any((directory / name).is_file() for name in ("pyproject.toml", "setup.py"))


def find_legacy_name(document: Mapping[str, object], directory: Path) -> object:
    """Return the name from poetry's table, from setuptools' setup.cfg, or from a literal in setup.py.

    A setup.py is parsed and never run.
    """
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    if isinstance(poetry, dict):
        return poetry.get("name")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(directory / "setup.cfg"))
    except configparser.Error:
        return None
    return parser.get("metadata", "name", fallback=None) or _name_in_setup_py(_read(directory / "setup.py"))


def _read(path: Path) -> str:
    try:
        return read_regular(path, _LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _name_in_setup_py(text: str) -> str | None:
    """Return the argument ``name`` of the call to ``setup``: a literal, or a variable that the file sets to one."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    texts: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            texts |= {each.id: node.value.value for each in node.targets if isinstance(each, ast.Name)}
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) != "setup":
            continue
        for argument in node.keywords if isinstance(node, ast.Call) else ():
            if argument.arg == "name" and isinstance(argument.value, ast.Constant):
                return argument.value.value if isinstance(argument.value.value, str) else None
            if argument.arg == "name" and isinstance(argument.value, ast.Name):
                return texts.get(argument.value.id)
    return None
