"""Name the state of an application for the scripts of a package. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.model.package import PackageSpec


def state_words(spec: PackageSpec) -> Mapping[str, tuple[str, ...]]:
    """Return files and directories as words for a shell, in the order in which they can be removed."""
    return {
        "files": tuple(shlex.quote(str(each.path)) for each in spec.state if not each.is_directory),
        # What is in a directory is listed behind it.
        "directories": tuple(shlex.quote(str(each.path)) for each in reversed(spec.state) if each.is_directory),
    }
