"""Write the first configuration of an application; never over one that is there."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from venvpkg.config.project import configuration_of
from venvpkg.config.starter import commands_of, starter_text
from venvpkg.errors import ConfigurationError
from venvpkg.host.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.config.starter import Detected
    from venvpkg.model.project import Project

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
