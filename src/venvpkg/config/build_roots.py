"""Read what the user says of systems to build in: ``targets.toml``, a table for each."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError
from venvpkg.host.files import read_regular
from venvpkg.model.build_root import BuildRootSettings, Repository
from venvpkg.store.dirs import user_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


VARIABLE: Final = "VENVPKG_TARGETS"
_LARGEST: Final = 2**20
_LISTS: Final = ("sources", "options", "packages")
_TEXTS: Final = ("snapshot", "keyring")
_KEYS: Final = frozenset({*_LISTS, *_TEXTS, "repositories"})
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SYSTEM: Final = re.compile(r"(debian|ubuntu|fedora|el|opensuse):[^/]+(/[^/]+)?")


def read_build_root_settings(environ: Mapping[str, str]) -> Callable[[str], BuildRootSettings]:
    """Return what gives the settings of a system by its name, ``debian:trixie``; the file is read when it is asked.

    One for another architecture, ``debian:trixie/arm64``, has those of the release unless it has a table of its own.

    Args:
        environ: ``VENVPKG_TARGETS`` names the file; else it is targets.toml in the user's configuration.

    Raises:
        ConfigurationError: when asked: the file cannot be used; every problem is in the details.
    """
    named = environ.get(VARIABLE)
    path = Path(named) if named else user_configuration() / "targets.toml"

    def settings(name: str) -> BuildRootSettings:
        tables = _read(path, is_named=bool(named))
        return tables.get(name) or tables.get(name.partition("/")[0]) or BuildRootSettings()

    return settings


def _read(path: Path, *, is_named: bool) -> Mapping[str, BuildRootSettings]:
    try:
        document = tomllib.loads(read_regular(path, _LARGEST).decode("utf-8"))
    except FileNotFoundError:
        if is_named:
            raise ConfigurationError(path, [f"{VARIABLE} names it, and it is not there"], resolution=_WAY_OUT) from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(path, [str(error)], resolution=_WAY_OUT) from error
    problems: list[str] = []
    found = {name: _settings(name, table, problems) for name, table in document.items()}
    if problems:
        raise ConfigurationError(path, problems, resolution=_WAY_OUT)
    return found


_WAY_OUT: Final = "Correct the file; README, Build for another release, has its keys."


def _settings(name: str, table: object, problems: list[str]) -> BuildRootSettings:
    if not isinstance(table, dict):
        problems.append(f"{name}: must be a table")
        return BuildRootSettings()
    if not _SYSTEM.fullmatch(name):
        problems.append(f"{name}: names no system that is made, such as debian:trixie or el:9")
    problems.extend(f"{name}.{key}: no such key" for key in sorted(table.keys() - _KEYS))
    lists = {key: _lines(f"{name}.{key}", table.get(key, []), problems) for key in _LISTS}
    texts = {key: _lines(f"{name}.{key}", [table.get(key, "")], problems, may_be_empty=True) for key in _TEXTS}
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
            _repository(f"{name}.repositories[{number}]", each, problems) for number, each in enumerate(repositories)
        ),
    )


def _repository(where: str, table: object, problems: list[str]) -> Repository:
    entries = table if isinstance(table, dict) else {}
    problems.extend(f"{where}.{key}: no such key" for key in sorted(entries.keys() - {"name", "url", "keys"}))
    (name,) = _lines(f"{where}.name", [entries.get("name")], problems) or ("",)
    (url,) = _lines(f"{where}.url", [entries.get("url")], problems) or ("",)
    if name and not _NAME.fullmatch(name):
        problems.append(f"{where}.name: {name!r} is no word of letters, digits, '.', '_' and '-'")
    return Repository(name, url, _lines(f"{where}.keys", entries.get("keys", []), problems))


def _lines(where: str, values: object, problems: list[str], *, may_be_empty: bool = False) -> tuple[str, ...]:
    """Return strings of one line each; they become lines of other programs' configuration, and words of commands."""
    if not isinstance(values, list):
        problems.append(f"{where}: must be an array of strings")
        return ()
    good = [each for each in values if isinstance(each, str) and each.isprintable() and (each or may_be_empty)]
    if len(good) != len(values):
        problems.append(f"{where}: must be text of one line")
    return tuple(good)
