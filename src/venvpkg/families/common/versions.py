"""Spell a Python version so that a package manager sorts it like PEP 440. Pure."""

from __future__ import annotations

from typing import Final

from packaging.version import InvalidVersion, Version

from venvpkg.errors import AssembleError

# Releases with up to this many numbers keep their zeros. A release with a suffix is padded to this many.
_NUMBERS: Final = 4


def native_version(version: str, *, epoch: int, local_mark: str, as_given: bool = False) -> str:
    """Return the native spelling of a PEP 440 version, without revision or release.

    For PEP 440, ``1``, ``1.0`` and ``1.0.0`` are one version; a package manager sorts each after the one before. So a
    version that comes before all of them (``1.0.0rc1``) is spelled without zeros, and one that comes after all of them
    (``1.0.post1``, ``1.0+local``) with more: ``1~rc1``, ``1.0.0.0+post1``. A release itself is spelled as given, except
    that zeros after the fourth number are dropped.

    Args:
        version: PEP 440.
        epoch: of the package; 0 for the version's own.
        as_given: keep the zeros of every version, as distributions do for their own packages.
        local_mark: separator of a local version; the family sorts it above the version itself, below anything later.

    Raises:
        AssembleError: it is not a valid PEP 440 version.
    """
    try:
        parsed = Version(version)
    except InvalidVersion as error:
        raise AssembleError(f"{version!r} is not a valid version (PEP 440).") from error
    text = ".".join(map(str, parsed.release if as_given else _sortable_release(parsed)))
    if parsed.pre is not None:
        text += f"~{parsed.pre[0]}{parsed.pre[1]}"
    if parsed.post is not None:
        text += f"+post{parsed.post}"
    if parsed.dev is not None:
        text += f"~~dev{parsed.dev}"
    if parsed.local is not None:
        text += f"{local_mark}{parsed.local}"
    number = epoch or parsed.epoch
    return f"{number}:{text}" if number else text


def _sortable_release(version: Version) -> tuple[int, ...]:
    numbers = version.release
    significant = max((place for place, number in enumerate(numbers, 1) if number), default=1)
    if version.pre is not None or (version.dev is not None and version.post is None):
        return numbers[:significant]
    longest = max(significant, _NUMBERS)
    if version.post is None and version.local is None:
        return numbers[:longest]
    return (numbers + (0,) * longest)[:longest]
