"""What every family refuses before anything is built, and how it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.errors import ConfigurationError
from venvpkg.templates import unknown_templates

if TYPE_CHECKING:
    from venvpkg.model.project import Inclusions, Project


def refuse(project: Project, problems: tuple[str, ...]) -> None:
    """Raise one error that gives every problem; nothing when there is none.

    Raises:
        ConfigurationError: there are problems.
    """
    if problems:
        raise ConfigurationError(project.source, problems)


def template_problems(inclusions: Inclusions | None) -> tuple[str, ...]:
    """Return which templates of the project shadow none of venvpkg's, one sentence each."""
    if inclusions is None or inclusions.templates is None:
        return ()
    unknown = unknown_templates(inclusions.templates)
    return tuple(f"templates: {name} shadows no template of venvpkg's" for name in unknown)
