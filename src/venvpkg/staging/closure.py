"""Check that the environment is complete: every requirement of every distribution is there. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from venvpkg.errors import StagingError
from venvpkg.staging.metadata import CoreMetadata
from venvpkg.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvpkg.model.wheels import PlannedSystem


_NONE: Final[Mapping[str, PlannedSystem]] = MappingProxyType({})
_IS: Final = "the release has"
_OF_SYSTEM: Final = (
    "Take what the release has too old or too new for it out of wheels.system, or require versions that accept it."
)


def require_closure(
    distributions: Mapping[str, CoreMetadata],
    environment: Mapping[str, str],
    extras: Mapping[str, Iterable[str]],
    system: Mapping[str, PlannedSystem] = _NONE,
    brought: Iterable[tuple[str, str]] = (),
) -> Mapping[str, tuple[Requirement, ...]]:
    """Check the requirements of every distribution against those that are there, and return those that count.

    An incomplete environment would fail at run time only, on the path that needs what is missing. What distributions
    of the system require of each other is for the release to know: it may have relaxed or patched a requirement.

    Args:
        distributions: what is installed, by normalised name.
        environment: markers of the target (PEP 508).
        extras: extras that the user asked for, by normalised name of their distribution; those that a requirement
            asks for are found on the way.
        system: what the environment exposes of the release, by normalised name; no name is in ``distributions`` too.
        brought: name and version of what comes with the interpreter.

    Returns:
        For every distribution, of the system as well, the requirements that hold here, in order.

    Raises:
        StagingError: requirements are missing or not met; all of them are given.
    """
    everything = {name: CoreMetadata(name, version, None, (), {}) for name, version in brought}
    everything |= {**distributions, **{name: _metadata(each) for name, each in system.items()}}
    wanted = {name: {"", *extras.get(name, ())} for name in everything}
    _spread_extras(everything, environment, wanted)
    active = {name: _active(each, environment, wanted[name]) for name, each in everything.items()}
    problems = sorted(
        {
            problem
            for name, requirements in active.items()
            for requirement in requirements
            if (problem := _problem(requirement, name, everything, environment, system))
        }
    )
    if problems:
        raise StagingError(
            f"{len(problems)} requirement{'s are' if len(problems) != 1 else ' is'} not met in the environment.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution=_OF_SYSTEM
            if any(_IS in problem for problem in problems)
            else "The lock is not complete for this target; lock again.",
        )
    return active


def names_of(requirements: Iterable[Requirement], of: str) -> tuple[str, ...]:
    """Return the normalised names in the requirements of ``of``, sorted, each once, without its own."""
    return tuple(sorted({str(canonicalize_name(each.name)) for each in requirements} - {of}))


def required_by(name: str, active: Mapping[str, Iterable[Requirement]]) -> tuple[tuple[str, str, str], ...]:
    """Return who requires a distribution: its name, the requirement without its marker, its specifiers; sorted."""
    return tuple(
        sorted(
            {
                (requirer, f"{one_line(each.name)}{each.specifier}", str(each.specifier))
                for requirer, requirements in active.items()
                for each in requirements
                if canonicalize_name(each.name) == name and requirer != name
            }
        )
    )


def unmet_in_system(active: Mapping[str, Iterable[Requirement]], system: Iterable[PlannedSystem]) -> tuple[str, ...]:
    """Return what distributions of the system require and nothing has, a sentence each, sorted.

    The release may have it in a package without metadata, as Debian's python3-cffi-backend, or may do without it.
    """
    return tuple(
        sorted(
            {
                f"{each.name} of the release requires {one_line(requirement.name)}{requirement.specifier}, which"
                " neither the release's metadata nor the lock have; if it is imported, let the application require it"
                for each in system
                for requirement in active[each.name]
                if canonicalize_name(requirement.name) not in active
            }
        )
    )


def _metadata(planned: PlannedSystem) -> CoreMetadata:
    requires = tuple(map(Requirement, planned.distribution.requires))
    return CoreMetadata(planned.name, planned.version, None, requires, {})


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
    requirement: Requirement,
    name: str,
    distributions: Mapping[str, CoreMetadata],
    environment: Mapping[str, str],
    system: Mapping[str, PlannedSystem],
) -> str:
    needed = canonicalize_name(requirement.name)
    found = distributions.get(needed)
    if name in system and (found is None or needed in system):
        return ""
    if _holds(requirement, environment) is None:
        return f"{name} requires {one_line(str(requirement))}: the marker cannot be evaluated"
    if found is None:
        return f"{name} requires {one_line(str(requirement))}: not installed"
    if not requirement.specifier.contains(found.version, prereleases=True) and needed in system:
        locked = f", and {system[needed].locked} is locked" if system[needed].locked else ""
        return f"{name} requires {one_line(str(requirement))}: {_IS} {system[needed].distribution.title}{locked}"
    if not requirement.specifier.contains(found.version, prereleases=True):
        return f"{name} requires {one_line(str(requirement))}: {found.version} is installed"
    return ""
