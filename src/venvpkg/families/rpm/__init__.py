"""Everything that is particular to rpm packages and their releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the three sides of a family, checked against their protocols
    from venvpkg.families.base import Bootstrapper, BuildHost, PackageFormat
    from venvpkg.families.rpm import bootstrap, format, host  # noqa: A004 - the name of the module in every family

    _: tuple[BuildHost, PackageFormat, Bootstrapper] = (host, format, bootstrap)
