"""Check that the virtual environment meets every requirement of every distribution in it. Pure."""

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


_NO_SYSTEM: Final[Mapping[str, PlannedSystem]] = MappingProxyType({})
_RELEASE_HAS: Final = "the release has"
_SYSTEM_RESOLUTION: Final = (
    "Remove the distributions with an unsuitable version from wheels.system, or relax the requirements on them."
)


def require_closure(
    distributions: Mapping[str, CoreMetadata],
    markers: Mapping[str, str],
    extras: Mapping[str, Iterable[str]],
    system: Mapping[str, PlannedSystem] = _NO_SYSTEM,
    preinstalled: Iterable[tuple[str, str]] = (),
) -> Mapping[str, tuple[Requirement, ...]]:
    """Check that every requirement of every distribution is met, and return the requirements that apply.

    An incomplete virtual environment would only fail at run time, in the code that needs the missing distribution.
    Requirements of system distributions on each other are not checked: the release may have relaxed or patched them.

    Args:
        distributions: installed distributions by normalised name.
        markers: values of the target's environment markers (PEP 508).
        extras: extras that the user asked for, by normalised name of their distribution. Extras in requirements are
            added to them.
        system: system distributions that the virtual environment exposes, by normalised name; disjoint from
            ``distributions``.
        preinstalled: name and version of the distributions that come with the interpreter.

    Returns:
        For every distribution, including those of the system, the requirements that apply on the target, in order.

    Raises:
        StagingError: requirements are missing or not met; the error lists all of them.
    """
    everything = {name: CoreMetadata(name, version, None, (), {}) for name, version in preinstalled}
    everything |= {**distributions, **{name: _system_metadata(each) for name, each in system.items()}}
    wanted = {name: {"", *extras.get(name, ())} for name in everything}
    _propagate_extras(everything, markers, wanted)
    active = {name: _active_requirements(each, markers, wanted[name]) for name, each in everything.items()}
    problems = sorted(
        {
            problem
            for name, requirements in active.items()
            for requirement in requirements
            if (problem := _requirement_problem(requirement, name, everything, markers, system))
        }
    )
    if problems:
        raise StagingError(
            f"{len(problems)} requirement{'s are' if len(problems) != 1 else ' is'} not met.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution=_SYSTEM_RESOLUTION
            if any(_RELEASE_HAS in problem for problem in problems)
            else "The lock is incomplete for this target: run 'venvpkg lock'.",
        )
    return active


def names_of(requirements: Iterable[Requirement], of: str) -> tuple[str, ...]:
    """Return the normalised names in the requirements of ``of``, except its own; sorted, unique."""
    return tuple(sorted({str(canonicalize_name(each.name)) for each in requirements} - {of}))


def required_by(name: str, active: Mapping[str, Iterable[Requirement]]) -> tuple[tuple[str, str, str], ...]:
    """Return the requirers of a distribution, sorted: name, requirement without its marker, specifiers."""
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
    """Return a warning for each requirement of a system distribution that nothing provides, sorted.

    The release may provide it in a package without metadata, such as Debian's python3-cffi-backend, or not need it.
    """
    return tuple(
        sorted(
            {
                f"{each.name} of the release requires {one_line(requirement.name)}{requirement.specifier}, which is"
                " neither in the release's metadata nor in the lock; if it is imported, let the application require it"
                for each in system
                for requirement in active[each.name]
                if canonicalize_name(requirement.name) not in active
            }
        )
    )


def _system_metadata(planned: PlannedSystem) -> CoreMetadata:
    requires = tuple(map(Requirement, planned.distribution.requires))
    return CoreMetadata(planned.name, planned.version, None, requires, {})


def _propagate_extras(
    distributions: Mapping[str, CoreMetadata], markers: Mapping[str, str], wanted: dict[str, set[str]]
) -> None:
    """Add to ``wanted`` the extras that requirements ask for, until nothing changes: ``a[all]`` may imply ``a[x]``."""
    changed = True
    while changed:
        changed = False
        for name, metadata in distributions.items():
            for requirement in _active_requirements(metadata, markers, frozenset(wanted[name])):
                known = wanted.get(canonicalize_name(requirement.name))
                asked = {canonicalize_name(extra) for extra in requirement.extras}
                if known is not None and not asked <= known:
                    known |= asked
                    changed = True


def _active_requirements(
    metadata: CoreMetadata, markers: Mapping[str, str], extras: Iterable[str]
) -> tuple[Requirement, ...]:
    """Return the requirements with a marker that holds for one of the extras, or that cannot be evaluated."""
    return tuple(
        requirement
        for requirement in metadata.requires
        if any(_marker_holds(requirement, markers, extra) is not False for extra in extras)
    )


def _marker_holds(requirement: Requirement, markers: Mapping[str, str], extra: str = "") -> bool | None:
    """Return whether the marker holds; None when it cannot be evaluated."""
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate({**markers, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return None


def _requirement_problem(
    requirement: Requirement,
    name: str,
    distributions: Mapping[str, CoreMetadata],
    markers: Mapping[str, str],
    system: Mapping[str, PlannedSystem],
) -> str:
    """Return why a requirement of ``name`` is not met; empty when it is."""
    needed = canonicalize_name(requirement.name)
    found = distributions.get(needed)
    if name in system and (found is None or needed in system):
        return ""
    if _marker_holds(requirement, markers) is None:
        return f"{name} requires {one_line(str(requirement))}: the marker cannot be evaluated"
    if found is None:
        return f"{name} requires {one_line(str(requirement))}: not installed"
    if not requirement.specifier.contains(found.version, prereleases=True) and needed in system:
        locked = f", and {system[needed].locked} is locked" if system[needed].locked else ""
        return (
            f"{name} requires {one_line(str(requirement))}: {_RELEASE_HAS} {system[needed].distribution.title}{locked}"
        )
    if not requirement.specifier.contains(found.version, prereleases=True):
        return f"{name} requires {one_line(str(requirement))}: {found.version} is installed"
    return ""
