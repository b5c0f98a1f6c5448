"""Checks of a build root's settings, and the error of a package manager that failed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError, TargetError
from venvpkg.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.host.runner import Completed
    from venvpkg.model.build_root import BuildRootSettings
    from venvpkg.targets.selection import Selection


DATE: Final = "{snapshot}"


def reject_unused_settings(
    selection: Selection, settings: BuildRootSettings, places: Iterable[str], *, of_others: Iterable[str]
) -> None:
    """Refuse what would have no effect: whoever names a date or a keyring relies on it.

    Args:
        selection: the system.
        settings: the user's for it.
        places: where packages come from, with ``{snapshot}`` for the date.
        of_others: settings that only another family has.

    Raises:
        ConfigurationError: with all of them.
    """
    problems = [f"{key}: a system of {selection.kind} has none" for key in of_others if getattr(settings, key)]
    is_dated = any(DATE in each for each in places)
    if settings.snapshot and not is_dated:
        problems.append(f"snapshot: {DATE} is in no URL that is named for the system")
    if is_dated and not settings.snapshot:
        problems.append(f"{DATE} is in a URL, and no snapshot is named")
    if problems:
        raise ConfigurationError(
            f"targets.toml, {selection}", problems, resolution="README, Build for another release, has the keys."
        )


_MOST_LINES = 12


def stderr_tail(text: str) -> str:
    """Return the last lines of a program's standard error, indented, with nothing that a terminal would act on."""
    lines = [line for line in text.splitlines() if line.strip()][-_MOST_LINES:]
    return "\n".join(f"  {printable(line)}" for line in lines)


def installation_failed(program: str, packages: Iterable[str], done: Completed) -> TargetError:
    """Return the error of a package manager that could not install what a project asks for."""
    return TargetError(
        f"{program} cannot install {', '.join(packages)}: {done.outcome()}.",
        details=stderr_tail(done.errors),
        resolution="Correct build-depends; a release may have it under another name"
        " ([tool.venvpkg.target.RELEASE] in the configuration).",
    )
