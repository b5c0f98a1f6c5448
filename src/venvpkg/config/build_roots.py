"""Read ``targets.toml``: the user's settings for build roots, one table for each."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError
from venvpkg.families.registry import build_root_names
from venvpkg.host.files import read_regular
from venvpkg.model.target import BuildRootSettings, Repository
from venvpkg.store.dirs import user_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


VARIABLE: Final = "VENVPKG_TARGETS"
_LARGEST: Final = 2**20
_LISTS: Final = ("sources", "options", "packages")
_TEXTS: Final = ("snapshot", "keyring")
_KEYS: Final = frozenset({*_LISTS, *_TEXTS, "repositories"})
_REPOSITORY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BUILD_ROOT: Final = re.compile(rf"({'|'.join(build_root_names())}):[^/]+(/[^/]+)?")


def read_build_root_settings(environ: Mapping[str, str]) -> Callable[[str], BuildRootSettings]:
    """Return a function from the name of a build root, ``debian:trixie``, to its settings.

    The function reads the file each time it is called. A build root for another architecture,
    ``debian:trixie/arm64``, uses the table of its release unless it has a table of its own.

    Args:
        environ: environment variables; ``VENVPKG_TARGETS`` is the path of the file. Without it, the file is
            targets.toml in the user's configuration directory.

    Raises:
        ConfigurationError: from the returned function, if the file cannot be used; it lists every problem.
    """
    configured = environ.get(VARIABLE)
    path = Path(configured) if configured else user_configuration() / "targets.toml"

    def settings(name: str) -> BuildRootSettings:
        tables = _read_targets_toml(path, must_exist=bool(configured))
        return tables.get(name) or tables.get(name.partition("/")[0]) or BuildRootSettings()

    return settings


def _read_targets_toml(path: Path, *, must_exist: bool) -> Mapping[str, BuildRootSettings]:
    try:
        document = tomllib.loads(read_regular(path, _LARGEST).decode("utf-8"))
    except FileNotFoundError:
        if must_exist:
            problem = f"the file does not exist, but {VARIABLE} points to it"
            raise ConfigurationError(path, [problem], resolution=_RESOLUTION) from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(path, [str(error)], resolution=_RESOLUTION) from error
    problems: list[str] = []
    settings = {name: _parse_settings(name, table, problems) for name, table in document.items()}
    if problems:
        raise ConfigurationError(path, problems, resolution=_RESOLUTION)
    return settings


_RESOLUTION: Final = 'Fix the file (reference: README, "Build for another release").'


def _parse_settings(name: str, table: object, problems: list[str]) -> BuildRootSettings:
    if not isinstance(table, dict):
        problems.append(f"{name}: must be a table")
        return BuildRootSettings()
    if not _BUILD_ROOT.fullmatch(name):
        problems.append(f"{name}: not a valid build root; expected e.g. debian:trixie or el:9")
    problems.extend(f"{name}.{key}: unknown key" for key in sorted(table.keys() - _KEYS))
    lists = {key: _parse_lines(f"{name}.{key}", table.get(key, []), problems) for key in _LISTS}
    texts = {key: _parse_lines(f"{name}.{key}", [table.get(key, "")], problems, may_be_empty=True) for key in _TEXTS}
    repositories = table.get("repositories", [])
    if not isinstance(repositories, list):
        problems.append(f"{name}.repositories: must be an array of tables")
        repositories = []
    return BuildRootSettings(
        sources=lists["sources"],
        options=lists["options"],
        packages=lists["packages"],
        snapshot="".join(texts["snapshot"]),
        keyring="".join(texts["keyring"]),
        repositories=tuple(
            _parse_repository(f"{name}.repositories[{number}]", each, problems)
            for number, each in enumerate(repositories)
        ),
    )


def _parse_repository(where: str, table: object, problems: list[str]) -> Repository:
    entries = table if isinstance(table, dict) else {}
    problems.extend(f"{where}.{key}: unknown key" for key in sorted(entries.keys() - {"name", "url", "keys"}))
    (name,) = _parse_lines(f"{where}.name", [entries.get("name")], problems) or ("",)
    (url,) = _parse_lines(f"{where}.url", [entries.get("url")], problems) or ("",)
    if name and not _REPOSITORY_NAME.fullmatch(name):
        problems.append(f"{where}.name: {name!r} is not a valid name; use letters, digits, '.', '_' and '-'")
    return Repository(name, url, _parse_lines(f"{where}.keys", entries.get("keys", []), problems))


def _parse_lines(where: str, values: object, problems: list[str], *, may_be_empty: bool = False) -> tuple[str, ...]:
    """Return an array of strings, each on one line: they end up in other programs' configuration and arguments."""
    if not isinstance(values, list):
        problems.append(f"{where}: must be an array of strings")
        return ()
    good = [each for each in values if isinstance(each, str) and each.isprintable() and (each or may_be_empty)]
    if len(good) != len(values):
        problems.append(f"{where}: must be a single line of text")
    return tuple(good)
