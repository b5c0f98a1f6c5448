"""What every family refuses before anything is built, and how it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.describe import NO_MAINTAINER
from venvpkg.errors import ConfigurationError
from venvpkg.templates import unknown_templates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.project import Inclusions, Project


def refuse(project: Project, inclusions: Inclusions, problems: Iterable[str]) -> None:
    """Raise one error with every problem that is known before anything is built; nothing when there is none.

    Args:
        project: what the user declared.
        inclusions: what of the project's own files shapes the package.
        problems: those that the family finds.

    Raises:
        ConfigurationError: there are problems.
    """
    anonymous = (NO_MAINTAINER,) if project.is_anonymous and not project.settings.maintainer else ()
    found = (*anonymous, *problems, *_template_problems(inclusions))
    if found:
        raise ConfigurationError(project.source, found)


def _template_problems(inclusions: Inclusions) -> tuple[str, ...]:
    """Return which templates of the project shadow none of venvpkg's, one sentence each."""
    if inclusions.templates is None:
        return ()
    unknown = unknown_templates(inclusions.templates)
    return tuple(f"templates: {name} shadows no template of venvpkg's" for name in unknown)
