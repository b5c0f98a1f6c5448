"""The Debian changelog that every package ships."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from venvpkg.backends.deb.metadata import package_version
from venvpkg.backends.gzip9 import compressed
from venvpkg.model.target import Family
from venvpkg.templates import render

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec
    from venvpkg.model.target import Target


def compressed_changelog(spec: PackageSpec, target: Target) -> bytes:
    """Return ``changelog.Debian.gz``: one entry, of the sources' time.

    Source:
        Debian Policy 4.4 (format), 12.7 (place, gzip -9n).
    """
    text = render(
        Family.DEB,
        "changelog.j2",
        {
            "package": spec.name,
            "version": package_version(spec, target),
            "distribution": target.release.codename or target.release.id,
            "entry": f"Packaged {spec.staged.application.name} {spec.upstream_version} with venvpkg.",
            "maintainer": spec.maintainer,
            "date": format_datetime(datetime.fromtimestamp(spec.source_date_epoch, UTC)),
        },
        spec.inclusions.templates,
    )
    return compressed(text.encode())
