"""Check that the environment is complete: every requirement of every distribution is there. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import canonicalize_name

from venvpkg.errors import StagingError
from venvpkg.staging.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement

    from venvpkg.staging.metadata import CoreMetadata


def require_closure(
    distributions: Mapping[str, CoreMetadata],
    environment: Mapping[str, str],
    extras: Mapping[str, Iterable[str]],
) -> Mapping[str, tuple[str, ...]]:
    """Check the requirements of every distribution against those that are installed, and return who needs whom.

    An incomplete environment would fail at run time only, on the path that needs what is missing.

    Args:
        distributions: what is installed, by normalised name.
        environment: markers of the target (PEP 508).
        extras: extras that the user asked for, by normalised name of their distribution; those that a requirement
            asks for are found on the way.

    Returns:
        For every distribution the names of those that it needs, sorted, each once.

    Raises:
        StagingError: requirements are missing or not met; all of them are given.
    """
    wanted = {name: {"", *extras.get(name, ())} for name in distributions}
    _spread_extras(distributions, environment, wanted)
    problems = sorted(
        {
            problem
            for name, metadata in distributions.items()
            for requirement in _active(metadata, environment, wanted[name])
            if (problem := _problem(requirement, name, distributions, environment))
        }
    )
    if problems:
        raise StagingError(
            f"{len(problems)} requirement{'s are' if len(problems) != 1 else ' is'} not met in the environment.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="The lock is not complete for this target; lock again.",
        )
    return {
        name: tuple(
            sorted(
                {str(canonicalize_name(each.name)) for each in _active(metadata, environment, wanted[name])} - {name}
            )
        )
        for name, metadata in distributions.items()
    }


def _spread_extras(
    distributions: Mapping[str, CoreMetadata], environment: Mapping[str, str], wanted: dict[str, set[str]]
) -> None:
    """Add the extras that requirements ask for, until nothing changes; ``app[all]`` may ask for ``app[this]``."""
    changed = True
    while changed:
        changed = False
        for name, metadata in distributions.items():
            for requirement in _active(metadata, environment, frozenset(wanted[name])):
                known = wanted.get(canonicalize_name(requirement.name))
                asked = {canonicalize_name(extra) for extra in requirement.extras}
                if known is not None and not asked <= known:
                    known |= asked
                    changed = True


def _active(metadata: CoreMetadata, environment: Mapping[str, str], extras: Iterable[str]) -> tuple[Requirement, ...]:
    """Return the requirements whose marker holds on the target for any of the extras, or cannot be evaluated."""
    return tuple(
        requirement
        for requirement in metadata.requires
        if any(_holds(requirement, environment, extra) is not False for extra in extras)
    )


def _holds(requirement: Requirement, environment: Mapping[str, str], extra: str = "") -> bool | None:
    """Return whether the marker holds; None when it compares what cannot be compared."""
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate({**environment, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return None


def _problem(
    requirement: Requirement, name: str, distributions: Mapping[str, CoreMetadata], environment: Mapping[str, str]
) -> str:
    found = distributions.get(canonicalize_name(requirement.name))
    if _holds(requirement, environment) is None:
        return f"{name} requires {one_line(str(requirement))}: the marker cannot be evaluated"
    if found is None:
        return f"{name} requires {one_line(str(requirement))}: not installed"
    if not requirement.specifier.contains(found.version, prereleases=True):
        return f"{name} requires {one_line(str(requirement))}: {found.version} is installed"
    return ""
