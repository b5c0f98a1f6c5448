"""The first configuration of an application, as ``venvpkg init`` writes it: never over an existing one."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.config.keys import KEYS
from venvpkg.config.project import configuration_of
from venvpkg.errors import ConfigurationError
from venvpkg.host.files import write_whole
from venvpkg.model.project import DEFAULT_PREFIX_PARENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvpkg.config.keys import Key
    from venvpkg.model.project import Project


_WIDTH = 98


@dataclass(frozen=True, slots=True)
class Detected:
    """What is known of an application before anything is built.

    Attributes:
        name: of the package, by default.
        commands: of the application; None when its metadata does not say.
        native: distributions that will be compiled, sorted; None when they could not be found out.
        unknown: why not; empty when they could.
    """

    name: str
    commands: tuple[str, ...] | None
    native: tuple[str, ...] | None
    unknown: str = ""


def commands_of(document: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return the names in ``[project.scripts]``, sorted; None when the metadata leaves them to the build backend."""
    table = document.get("project")
    if not isinstance(table, dict) or "scripts" in (table.get("dynamic") or ()):
        return None
    scripts = table.get("scripts", {})
    return tuple(sorted(map(str, scripts))) if isinstance(scripts, dict) else None


def starter_text(detected: Detected, table: str) -> str:
    """Return TOML in which every key is a comment, so that it changes nothing until somebody uncomments one.

    Args:
        detected: goes into the values and comments.
        table: path of the table, ``tool.venvpkg``; empty where the keys are the file's top level.
    """
    lines = [f"[{table}]"] if table else []
    lines += _comment(
        "Configuration of venvpkg. No key is needed: each is a comment, with its default or an example. A key is also"
        " an option (--name) and a variable (VENVPKG_NAME), which win. Keys for one release go into a table such as"
        f" [{f'{table}.' if table else ''}target.debian-13]."
    )
    lines += ["", *_comment(_native(detected))]
    within = ""
    for key in KEYS:
        *above, name = key.path.split(".")
        if above and above[0] != within:
            within = above[0]
            lines += ["", f"# [{'.'.join(filter(None, (table, within)))}]"]
        lines += ["", *_comment(f"{key.help[0].upper()}{key.help[1:]}."), f"# {name} = {_value(key, detected)}"]
    return "\n".join(lines) + "\n"


def _native(detected: Detected) -> str:
    if detected.native is None:
        return f"Which distributions will be compiled is not known: {detected.unknown}"
    if not detected.native:
        return "No distribution needs to be compiled."
    return (
        f"Compiled for the release: {', '.join(detected.native)}. What their compile needs of the release goes into"
        " build-depends."
    )


def _value(key: Key, detected: Detected) -> str:
    if key.path == "name":
        return json.dumps(detected.name)
    if key.path == "commands" and detected.commands is not None:
        return json.dumps(list(detected.commands))
    if key.path == "prefix":
        return json.dumps(str(DEFAULT_PREFIX_PARENT / detected.name))
    default = key.default_value()
    return json.dumps(default) if isinstance(default, str | int) else key.example


def _comment(text: str) -> Iterator[str]:
    # What comes from an index must not end the comment.
    safe = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    yield from textwrap.wrap(safe, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


_REFUSAL = "a configuration is there already; it is never overwritten"


def require_unconfigured(project: Project) -> None:
    """Check that the application has no configuration yet.

    Raises:
        ConfigurationError: it has one.
    """
    if project.configuration is not None:
        raise ConfigurationError(project.configuration, [_REFUSAL], resolution="Edit it, or remove it.")
    if project.directory is not None:
        path = project.directory / "pyproject.toml"
        tool = tomllib.loads(path.read_text("utf-8")).get("tool", {})
        if "venvpkg" in tool:
            raise ConfigurationError(path, [f"tool.venvpkg: {_REFUSAL}"], resolution="Edit the table, or remove it.")


def declared_commands(project: Project) -> tuple[str, ...] | None:
    """Return the commands that a project's pyproject.toml declares; None where it does not say."""
    if project.directory is None:
        return None
    return commands_of(tomllib.loads((project.directory / "pyproject.toml").read_text("utf-8")))


def write_starter(project: Project, detected: Detected) -> Path:
    """Write the configuration and return its path.

    Raises:
        ConfigurationError: the file cannot be written, or a configuration has appeared meanwhile.
    """
    require_unconfigured(project)
    path = configuration_of(project.name, project.base)
    content = starter_text(detected, "")
    mode = 0o644
    try:
        if project.directory is not None:
            path = project.directory / "pyproject.toml"
            with path.open(encoding="utf-8", newline="") as file:
                before = file.read()
            mode = path.stat().st_mode & 0o7777
            separator = "\n" if before.endswith("\n") else "\n\n"
            content = f"{before}{separator}{starter_text(detected, 'tool.venvpkg')}"
            path = path.resolve()  # a link stays one
        tomllib.loads(content)
        write_whole(path, content.encode(), mode)
    except OSError as error:
        raise ConfigurationError(
            path, [f"cannot be written: {error.strerror}"], resolution="Make it writable."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            path,
            [f"a table cannot be appended to it: {error}"],
            resolution="Write [tool.venvpkg] by hand; README lists every key.",
        ) from error
    return path
