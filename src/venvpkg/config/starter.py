"""Write the starter configuration of ``venvpkg init``; an existing configuration is never overwritten."""

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
    """Facts about an application that are known before anything is built.

    Attributes:
        name: default name of the package.
        commands: the application's commands; None if its metadata does not list them.
        native: distributions that will be compiled, sorted; None if they could not be determined.
        unknown: why ``native`` could not be determined; empty otherwise.
    """

    name: str
    commands: tuple[str, ...] | None
    native: tuple[str, ...] | None
    unknown: str = ""


def commands_of(document: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return the names in ``[project.scripts]``, sorted; None if only the build backend knows them."""
    table = document.get("project")
    if not isinstance(table, dict) or "scripts" in (table.get("dynamic") or ()):
        return None
    scripts = table.get("scripts", {})
    return tuple(sorted(map(str, scripts))) if isinstance(scripts, dict) else None


def starter_text(detected: Detected, table: str) -> str:
    """Return TOML in which every key is commented out, so that it has no effect until one is uncommented.

    Args:
        detected: facts for the values and comments.
        table: path of the table, ``tool.venvpkg``; empty if the keys are at the top level of the file.
    """
    lines = [f"[{table}]"] if table else []
    lines += _comment(
        "Configuration of venvpkg. All keys are optional and commented out here, with their default or an example. Each"
        " key is also an option (--name) and a variable (VENVPKG_NAME), which take precedence. Keys for a single"
        f" release go into a table such as [{f'{table}.' if table else ''}target.debian-13]."
    )
    lines += ["", *_comment(_describe_native(detected))]
    within = ""
    for key in KEYS:
        *parents, name = key.path.split(".")
        if parents and parents[0] != within:
            within = parents[0]
            lines += ["", f"# [{'.'.join(filter(None, (table, within)))}]"]
        lines += ["", *_comment(f"{key.help[0].upper()}{key.help[1:]}."), f"# {name} = {_starter_value(key, detected)}"]
    return "\n".join(lines) + "\n"


def _describe_native(detected: Detected) -> str:
    if detected.native is None:
        return f"The distributions that will be compiled could not be determined: {detected.unknown}"
    if not detected.native:
        return "No distribution needs to be compiled."
    return (
        f"Compiled for the release: {', '.join(detected.native)}. List the packages of the release that compiling them"
        " needs in build-depends."
    )


def _starter_value(key: Key, detected: Detected) -> str:
    if key.path == "name":
        return json.dumps(detected.name)
    if key.path == "commands" and detected.commands is not None:
        return json.dumps(list(detected.commands))
    if key.path == "prefix":
        return json.dumps(str(DEFAULT_PREFIX_PARENT / detected.name))
    default = key.default_value()
    return json.dumps(default) if isinstance(default, str | int) else key.example


def _comment(text: str) -> Iterator[str]:
    # Text that comes from an index must not end the comment.
    safe = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    yield from textwrap.wrap(safe, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


_EXISTS = "a configuration already exists; it is never overwritten"


def require_unconfigured(project: Project) -> None:
    """Check that the application has no configuration yet.

    Raises:
        ConfigurationError: a configuration exists.
    """
    if project.configuration is not None:
        raise ConfigurationError(project.configuration, [_EXISTS], resolution="Edit it, or remove it first.")
    if project.directory is not None:
        path = project.directory / "pyproject.toml"
        if not path.exists():
            return
        tool = tomllib.loads(path.read_text("utf-8")).get("tool", {})
        if "venvpkg" in tool:
            raise ConfigurationError(
                path, [f"tool.venvpkg: {_EXISTS}"], resolution="Edit the table, or remove it first."
            )


def declared_commands(project: Project) -> tuple[str, ...] | None:
    """Return the commands that a project's pyproject.toml declares; None if it does not list them."""
    path = project.directory / "pyproject.toml" if project.directory is not None else None
    return commands_of(tomllib.loads(path.read_text("utf-8"))) if path is not None and path.exists() else None


def write_starter(project: Project, detected: Detected) -> Path:
    """Write the starter configuration and return its path.

    Raises:
        ConfigurationError: the file cannot be written, or a configuration exists.
    """
    require_unconfigured(project)
    path = configuration_of(project.name, project.base)
    content = starter_text(detected, "")
    mode = 0o644
    try:
        if project.directory is not None and not (project.directory / "pyproject.toml").exists():
            path = project.directory / "venvpkg.toml"  # a pyproject.toml would change how pip builds a setup.py
        elif project.directory is not None:
            path = project.directory / "pyproject.toml"
            with path.open(encoding="utf-8", newline="") as file:
                before = file.read()
            mode = path.stat().st_mode & 0o7777
            separator = "\n" if before.endswith("\n") else "\n\n"
            content = f"{before}{separator}{starter_text(detected, 'tool.venvpkg')}"
            path = path.resolve()  # a symbolic link stays in place
        tomllib.loads(content)
        write_whole(path, content.encode(), mode)
    except OSError as error:
        raise ConfigurationError(
            path, [f"the file cannot be written: {error.strerror}"], resolution="Make it writable."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            path,
            [f"cannot append a table to this file: {error}"],
            resolution='Add [tool.venvpkg] by hand (reference: README, "Keys").',
        ) from error
    return path
