"""The changelog that every package has: one entry, of the sources' time. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec

# Not strftime's: those are of a locale.
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# 1997-01-01: rpm takes an earlier date for a mistake, and leaves the entry out. Sources whose time is not known are of
# 1980.
_EARLIEST: Final = 852_076_800


class ChangelogEntry(NamedTuple):
    """An entry, its values not yet made literal.

    Attributes:
        date: ``Tue Nov 14 2023``, of UTC.
        author: ``Name <address>``.
        version: ``[epoch:]version-release``.
        entry: one sentence.
    """

    date: str
    author: str
    version: str
    entry: str


def changelog_entry(spec: PackageSpec, version: str) -> ChangelogEntry:
    """Return the entry.

    Source:
        rpm's manual, "Spec file format", %changelog.
    """
    day = datetime.fromtimestamp(max(spec.source_date_epoch, _EARLIEST), UTC)
    return ChangelogEntry(
        f"{_DAYS[day.weekday()]} {_MONTHS[day.month - 1]} {day.day:02} {day.year}",
        spec.maintainer,
        version,
        f"Packaged {spec.staged.application.name} {spec.upstream_version} with venvpkg.",
    )
