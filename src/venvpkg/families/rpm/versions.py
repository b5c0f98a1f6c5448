"""RPM versions: their order, and the spelling of a Python version as one. Pure."""

from __future__ import annotations

import re

from venvpkg.families.common.versions import native_version

_SEGMENT = re.compile(r"~|\^|[0-9]+|[A-Za-z]+")
# Kinds of segments in rpm's order: a tilde is lower than the end, and the end lower than anything else.
_TILDE, _END, _CARET, _LETTERS, _NUMBER = range(5)

# A number is compared by its length, then by its digits, without conversion.
Part = tuple[int, int, str]
VersionKey = tuple[tuple[int, str], tuple[Part, ...], tuple[Part, ...]]


def version_key(version: str) -> VersionKey:
    """Return a value that sorts as rpm sorts ``[epoch:]version[-release]``.

    Source:
        rpm-version(7).
    """
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, _, release = rest.partition("-")
    significant = epoch.lstrip("0")
    return (len(significant), significant), _part_key(upstream), _part_key(release)


def is_higher(version: str, than: str) -> bool:
    """Whether ``version`` is higher than ``than`` in rpm's order."""
    return version_key(version) > version_key(than)


def without_release(version: str) -> str:
    """Return epoch and version."""
    return version.rpartition("-")[0] or version


def to_rpm(version: str, *, epoch: int = 0) -> str:
    """Return the spelling of a PEP 440 version that rpm sorts as PEP 440 does; without release.

    ``1.2rc1`` → ``1.2~rc1``, ``1.2.dev1`` → ``1.2~~dev1`` (one tilde would sort it after the alphas), ``1.2.post1`` →
    ``1.2.0.0+post1`` as for Debian, ``1.2+local`` → ``1.2.0.0^local``: a caret sorts after the end and before anything
    else, whereas Debian's ``+~local`` would sort before ``1.2.0.0`` itself. For zeros see ``native_version``.

    Args:
        version: PEP 440.
        epoch: the package's; 0 takes the version's own, ``1!2.0`` → ``1:2.0``.

    Raises:
        AssembleError: it is not a valid PEP 440 version.
    """
    return native_version(version, epoch=epoch, local_mark="^")


def to_release_spelling(version: str) -> str:
    """Return rpm's spelling with the version's zeros unchanged, as in a distribution's own packages."""
    return native_version(version, epoch=0, local_mark="^", as_given=True)


def _part_key(part: str) -> tuple[Part, ...]:
    """Return the segments of a version or release, then the end; separators do not count."""
    key: list[Part] = []
    for segment in _SEGMENT.findall(part):
        if segment == "~":
            key.append((_TILDE, 0, ""))
        elif segment == "^":
            key.append((_CARET, 0, ""))
        elif segment[0].isdigit():
            digits = segment.lstrip("0")
            key.append((_NUMBER, len(digits), digits))
        else:
            key.append((_LETTERS, 0, segment))
    return (*key, (_END, 0, ""))
