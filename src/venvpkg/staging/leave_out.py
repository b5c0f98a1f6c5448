"""Files of wheels that the user leaves out of the package. Pure."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


def patterns_by_distribution(entries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return normalised name of a distribution → patterns, from entries ``NAME:PATTERN`` of the configuration."""
    found: dict[str, tuple[str, ...]] = {}
    for each in entries:
        name, _, pattern = each.partition(":")
        found[name] = (*found.get(name, ()), pattern)
    return found


def is_left_out(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a path in a wheel matches a pattern; ``*`` stands for any characters, slashes among them.

    A distribution's metadata always stay: without them it would not be installed.
    """
    return ".dist-info/" not in path and any(fnmatch.fnmatchcase(path, each) for each in patterns)


def unmatched(patterns: Mapping[str, Sequence[str]], paths: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a warning for each pattern that leaves nothing out.

    Args:
        patterns: of each distribution.
        paths: distribution in the package → the paths in its wheel.
    """
    for name, each in patterns.items():
        if name not in paths:
            yield f"leave-out: {name} is not in the package"
            continue
        for pattern in each:
            if not any(is_left_out(path, (pattern,)) for path in paths[name]):
                yield f"leave-out: no path in the wheel of {name} matches {pattern}"
