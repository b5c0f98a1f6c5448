"""What a program said at last, and what follows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.host.runner import Completed

_MOST_LINES = 12


def last_words(text: str) -> str:
    """Return the last lines of a program's standard error, indented, with nothing that a terminal would act on."""
    lines = [line for line in text.splitlines() if line.strip()][-_MOST_LINES:]
    return "\n".join("  " + "".join(char if char.isprintable() else "?" for char in line) for line in lines)


def cannot_install(program: str, packages: Iterable[str], done: Completed) -> TargetError:
    """Return the error of a package manager that could not install what a project asks for."""
    return TargetError(
        f"{program} cannot install {', '.join(packages)}: {done.outcome()}.",
        details=last_words(done.errors),
        resolution="Correct build-depends; a release may have it under another name"
        " ([tool.venvpkg.target.RELEASE] in the configuration).",
    )
