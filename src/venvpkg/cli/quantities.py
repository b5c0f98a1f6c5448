"""Numbers with a unit, as options take them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Seconds, and bytes.
AGES: Final = {"h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
SIZES: Final = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def quantity(units: Mapping[str, int]) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """Return a callback that reads a number with one of the units."""

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        found = re.fullmatch(rf"(\d{{1,6}})([{''.join(units)}])", value)
        if found is None:
            raise click.BadParameter(f"{value!r} is no number with one of the units {', '.join(units)}", ctx, param)
        return int(found[1]) * units[found[2]]

    return read
