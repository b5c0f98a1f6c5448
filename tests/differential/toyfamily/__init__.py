"""A package family that venvpkg does not know: all that a third one takes, but for its entry in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.families.registry import Family

if TYPE_CHECKING:
    from differential.toyfamily import bootstrap, format, host  # noqa: A004 - the name of the module in every family
    from venvpkg.families.base import Bootstrapper, BuildHost, PackageFormat

    _: tuple[BuildHost, PackageFormat, Bootstrapper] = (host, format, bootstrap)

TOY = Family(
    name="toy",
    module="differential.toyfamily",
    suffix=".toy",
    magic=b"TOYPKG1\n",
    release_ids=frozenset({"debian", "ubuntu"}),
    bootstraps=("toyland",),
)
