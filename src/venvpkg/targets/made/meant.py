"""What the user says of a system, compared with what its family has a use for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.recipe import SystemSettings
    from venvpkg.targets.selection import Selection

DATE: Final = "{snapshot}"


def require_meant(
    selection: Selection, settings: SystemSettings, places: Iterable[str], *, of_others: Iterable[str]
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
