"""Which wheels of an index fit a target (PEP 425, PEP 600). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.tags import Tag, compatible_tags, cpython_tags

if TYPE_CHECKING:
    from venvpkg.model.target import Target

# The legacy names of three manylinux levels (PEP 600).
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_OLDEST_MINOR = 5


def pure_tags(target: Target) -> tuple[Tag, ...]:
    """Return the tags of pure wheels that fit the target, best first: ``cp311-none-any`` and the ``py3`` family."""
    major, minor, _ = target.interpreter.version
    return tuple(compatible_tags((major, minor), f"cp{major}{minor}", ["any"]))


def publisher_tags(target: Target) -> tuple[Tag, ...]:
    """Return every tag of a publisher's wheel that fits the target, best first."""
    major, minor, _ = target.interpreter.version
    platforms = list(_platforms(target))
    abi = f"cp{major}{minor}"
    return (
        *cpython_tags((major, minor), [abi], platforms),
        *compatible_tags((major, minor), abi, platforms),
    )


def _platforms(target: Target) -> tuple[str, ...]:
    found: list[str] = []
    if target.interpreter.glibc is not None:
        major, newest = target.interpreter.glibc
        for minor in range(newest, _OLDEST_MINOR - 1, -1):
            found.append(f"manylinux_{major}_{minor}_{target.machine}")
            if (major, minor) in _LEGACY:
                found.append(f"{_LEGACY[major, minor]}_{target.machine}")
    return (*found, f"linux_{target.machine}")
