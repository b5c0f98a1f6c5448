"""Spell a Python version so that a package manager sorts it like PEP 440. Pure."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from venvpkg.errors import AssembleError


def native_version(version: str, *, epoch: int, local_mark: str) -> str:
    """Return the native spelling of a PEP 440 version, without revision or release.

    Args:
        version: PEP 440.
        epoch: of the package; 0 for the version's own.
        local_mark: separator of a local version; the family sorts it above the version itself, below anything later.

    Raises:
        AssembleError: it is not a valid PEP 440 version.
    """
    try:
        parsed = Version(version)
    except InvalidVersion as error:
        raise AssembleError(f"{version!r} is not a valid version (PEP 440).") from error
    text = ".".join(map(str, parsed.release))
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
