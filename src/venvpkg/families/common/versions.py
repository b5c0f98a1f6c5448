"""How a Python version is spelled so that a package manager sorts it as PEP 440 does. Pure."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from venvpkg.errors import AssembleError


def native_version(version: str, *, epoch: int, local_mark: str) -> str:
    """Return the spelling of a PEP 440 version; without revision or release.

    Args:
        version: PEP 440.
        epoch: the package's; 0 takes the version's own.
        local_mark: what the family sorts a local version by, above the version itself and below anything later.

    Raises:
        AssembleError: it is no PEP 440 version.
    """
    try:
        parsed = Version(version)
    except InvalidVersion as error:
        raise AssembleError(f"{version!r} is not a version (PEP 440).") from error
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
