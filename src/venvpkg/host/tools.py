"""Programs that come with venvpkg's own dependencies."""

from __future__ import annotations

from pathlib import Path

import uv  # noqa: TID251

from venvpkg.errors import MissingToolError


def find_uv() -> Path:
    """Return the uv program that was installed with venvpkg.

    Raises:
        MissingToolError: the uv distribution is there, but its program is not.
    """
    try:
        return Path(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise MissingToolError(
            [f"the uv program: {error}"], resolution="Reinstall uv in venvpkg's environment."
        ) from error
