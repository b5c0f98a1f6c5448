"""Read the indexes in uv's variables and configuration files. Pure except ``read``.

uv reads them itself. venvpkg must know them for two reasons: pip's index must not override a default index that the
user set for uv, and downloads need the credentials of the indexes.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from venvpkg.index.pip_config import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvpkg.index.pip_config import ReadText


# UV_INDEX and UV_DEFAULT_INDEX take NAME=URL.
_NAMED: Final = re.compile(r"(?:(?P<name>[A-Za-z0-9_.-]+)=)?(?P<url>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class UvIndex:
    """An index or page of links that uv takes distributions from.

    Attributes:
        url: may contain credentials; may be a path.
        name: for UV_INDEX_NAME_USERNAME; empty for none.
        default: whether it replaces the public index.
    """

    url: str = field(repr=False)
    name: str = ""
    default: bool = False


def uv_indexes(environ: Mapping[str, str], project: Path | None, read: ReadText = read_text) -> tuple[UvIndex, ...]:
    """Return the indexes in uv's variables and configuration files, those in variables first.

    Args:
        environ: the user's variables.
        project: directory of the application, where the search for ``[tool.uv]`` starts.
        read: returns a file's text, or None.

    Source:
        uv documentation, "Configuration files" and "Package indexes".
    """
    return (*_read_variables(environ), *_read_files(environ, project, read))


def urls_with_credentials(indexes: tuple[UvIndex, ...], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the http URLs of ``indexes``, with the credentials from variables of named indexes; unique."""
    urls: dict[str, None] = {}
    for index in indexes:
        try:
            parts = urlsplit(index.url)
        except ValueError:
            continue
        if parts.scheme not in {"http", "https"}:
            continue
        key = re.sub(r"[^A-Z0-9]", "_", index.name.upper())
        user, password = (environ.get(f"UV_INDEX_{key}_{part}") for part in ("USERNAME", "PASSWORD"))
        netloc = parts.netloc
        if index.name and (user or password):
            userinfo = f"{quote(user or '', safe='')}:{quote(password or '', safe='')}"
            netloc = f"{userinfo}@{netloc.rpartition('@')[2]}"
        urls[parts._replace(netloc=netloc, fragment="").geturl()] = None
    return tuple(urls)


def _read_variables(environ: Mapping[str, str]) -> Iterator[UvIndex]:
    for variable, default in (("UV_DEFAULT_INDEX", True), ("UV_INDEX_URL", True)):
        if environ.get(variable, "").strip():
            yield _parse_index(environ[variable].strip(), default=default)
    for variable, separator in (("UV_INDEX", None), ("UV_EXTRA_INDEX_URL", None), ("UV_FIND_LINKS", ",")):
        for each in environ.get(variable, "").split(separator):
            if each.strip():
                yield _parse_index(each.strip(), default=False)


def _parse_index(text: str, *, default: bool) -> UvIndex:
    match = _NAMED.fullmatch(text)
    name, url = (match["name"], match["url"]) if match else (None, text)
    return UvIndex(url, name or "", default)


def _read_files(environ: Mapping[str, str], project: Path | None, read: ReadText) -> Iterator[UvIndex]:
    for path in _config_files(environ, project, read):
        table = _read_uv_table(path, read) or {}
        pip = table.get("pip")
        for settings in (table, pip if isinstance(pip, dict) else {}):
            entries = settings.get("index")
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict) and isinstance(entry.get("url"), str):
                    yield UvIndex(entry["url"], str(entry.get("name", "")), entry.get("default") is True)
            for key, default in (("index-url", True), ("extra-index-url", False), ("find-links", False)):
                value = settings.get(key)
                for url in value if isinstance(value, list) else (value,):
                    if isinstance(url, str):
                        yield UvIndex(url, default=default)


def _config_files(environ: Mapping[str, str], project: Path | None, read: ReadText) -> Iterator[Path]:
    if environ.get("UV_CONFIG_FILE"):
        yield Path(environ["UV_CONFIG_FILE"])
        return
    if environ.get("UV_NO_CONFIG", "").lower() in {"1", "true", "t", "yes", "y", "on"}:
        return
    for directory in (project, *project.parents) if project else ():
        nearest = [
            path for name in ("uv.toml", "pyproject.toml") if _read_uv_table(path := directory / name, read) is not None
        ]
        if nearest:
            yield nearest[0]
            break
    home = environ.get("HOME")
    config_home = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    if config_home:
        yield Path(config_home) / "uv" / "uv.toml"
    for system in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        if system:
            yield Path(system) / "uv" / "uv.toml"
    yield Path("/etc/uv/uv.toml")


def _read_uv_table(path: Path, read: ReadText) -> Mapping[str, object] | None:
    """Return uv's settings in a file, or None if it has none; uv itself reports a malformed file."""
    text = read(path)
    if text is None:
        return None
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    if path.name != "pyproject.toml":
        return document
    tool = document.get("tool")
    table = tool.get("uv") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None
