"""Read pip's settings on this machine from its files and variables, with pip's precedence. Pure except ``read``."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import LockError
from venvpkg.text import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    ReadText = Callable[[Path], str | None]

# A configuration file is written by hand and never has several MiB.
_LARGEST: Final = 4 * 2**20
# `pip install` reads [global], then [install]; settings of `pip download` also say where files come from.
_SECTIONS: Final = ("global", "download", "install")
_ALIASES: Final = {
    "default-timeout": "timeout",
    "no-dependencies": "no-deps",
    "only-dependencies": "only-deps",
    "pypi-url": "index-url",
}
_TRUE: Final = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE: Final = frozenset({"n", "no", "f", "false", "off", "0"})


@dataclass(frozen=True, slots=True)
class PipSetting:
    """An option as pip would see it.

    Attributes:
        name: long option without dashes, ``extra-index-url``.
        value: not empty; may contain secrets.
        source: where it is set, for messages: ``PIP_INDEX_URL``, or ``[global] index-url in /etc/pip.conf``.
    """

    name: str
    value: str
    source: str

    @property
    def words(self) -> tuple[str, ...]:
        """The values of an option that may be repeated."""
        return tuple(self.value.split())

    @property
    def flag(self) -> bool | None:
        """The value of a switch; None if pip would not accept it as one."""
        word = self.value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None


def read_text(path: Path) -> str | None:
    """Return a file's text, or None if it does not exist, cannot be read or is too large for a configuration file."""
    try:
        if not path.is_file():  # a FIFO would block
            return None
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError:
        return None
    return None if len(content) > _LARGEST else content.decode("utf-8", "replace")


def read_pip_settings(environ: Mapping[str, str], read: ReadText = read_text) -> Mapping[str, PipSetting]:
    """Return pip's effective settings by name; empty values count as unset.

    As in pip, sections take precedence over the order of files: ``[install]`` in the system's file overrides
    ``[global]`` in the user's. Variables override both.

    Raises:
        LockError: files are malformed, also for pip; lists all of them.

    Source:
        pip documentation, "Configuration": location, precedence and the special case of PIP_CONFIG_FILE.
    """
    by_section: dict[str, dict[str, PipSetting]] = {section: {} for section in _SECTIONS}
    problems: list[str] = []
    for path in _config_files(environ, read):
        text = read(path)
        if text is None:
            continue
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text, str(path))
        except configparser.Error as error:
            problems.append(f"  {path}: {redact(str(error).splitlines()[0])}")
            continue
        for section in _SECTIONS:
            for key, value in parser.items(section) if parser.has_section(section) else ():
                name = _normalise_option(key)
                # An option without "=" has no value, which pip ignores like an empty value.
                by_section[section][name] = PipSetting(name, value or "", f"[{section}] {key} in {path}")
    if problems:
        raise LockError(
            "pip's configuration cannot be read, so the indexes to use are unknown.",
            details="\n".join(problems),
            resolution="Fix the file, or set PIP_CONFIG_FILE=/dev/null to ignore pip's configuration.",
        )
    merged: dict[str, PipSetting] = {}
    for settings in (*by_section.values(), _read_variables(environ)):
        merged.update({name: setting for name, setting in settings.items() if setting.value.strip()})
    return merged


def _read_variables(environ: Mapping[str, str]) -> dict[str, PipSetting]:
    settings: dict[str, PipSetting] = {}
    for variable in sorted(environ):
        if variable.startswith("PIP_") and variable not in {"PIP_CONFIG_FILE", "PIP_HELP", "PIP_VERSION"}:
            name = _normalise_option(variable.removeprefix("PIP_"))
            settings[name] = PipSetting(name, environ[variable], variable)
    return settings


def _normalise_option(key: str) -> str:
    name = key.lower().replace("_", "-").removeprefix("--")
    return _ALIASES.get(name, name)


def _config_files(environ: Mapping[str, str], read: ReadText) -> Iterator[Path]:
    """Yield the paths of pip's configuration files in ascending order of precedence."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == "/dev/null":
        return
    for directory in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        if directory:
            yield Path(directory) / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    home = environ.get("HOME")
    if not (chosen and read(Path(chosen)) is not None):
        if home:
            yield Path(home) / ".pip" / "pip.conf"
        config_home = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
        if config_home:
            yield Path(config_home) / "pip" / "pip.conf"
    if environ.get("VIRTUAL_ENV"):
        yield Path(environ["VIRTUAL_ENV"]) / "pip.conf"
    if chosen:
        yield Path(chosen)
