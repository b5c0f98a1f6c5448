"""Compose small files and fields of a binary package: changelog, conffiles, md5sums, licences, size, Description."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.families.common.description import normalise_wording, synopsis_and_paragraphs
from venvpkg.families.common.documents import compressed
from venvpkg.families.deb.versions import package_version
from venvpkg.model.staged import PathKind
from venvpkg.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath
    from venvpkg.model.target import Target


def compressed_changelog(spec: PackageSpec, target: Target) -> bytes:
    """Return ``changelog.Debian.gz`` with one entry, dated with the time of the sources.

    Source:
        Debian Policy 4.4 (format), 12.7 (place, gzip -9n).
    """
    text = render(
        "deb",
        "changelog.j2",
        {
            "package": spec.name,
            "version": package_version(spec, target),
            "distribution": target.release.codename or target.release.id,
            "entry": f"Packaged {spec.staged.application.name} {spec.upstream_version} with venvpkg.",
            "maintainer": spec.maintainer,
            "date": format_datetime(datetime.fromtimestamp(spec.source_date_epoch, UTC)),
        },
        spec.project_files.templates,
    )
    return compressed(text.encode())


_ETC = PurePosixPath("/etc")


def conffiles(paths: Iterable[PayloadPath]) -> tuple[PayloadPath, ...]:
    """Return the conffiles, for which dpkg keeps the administrator's changes, sorted by path.

    Source:
        Debian Policy 10.7.2, 10.7.3; deb-conffiles(5).
    """
    found = (each for each in paths if each.kind is PathKind.FILE and each.path.is_relative_to(_ETC))
    return tuple(sorted(found, key=lambda each: str(each.path)))


def md5sums(paths: Iterable[PayloadPath]) -> bytes:
    """Return the md5sums file for ``dpkg --verify``: all regular files except conffiles, sorted by path.

    Source:
        deb-md5sums(5).
    """
    paths = tuple(paths)
    left_out = set(conffiles(paths))  # dpkg itself keeps their sums, and the administrator may change them
    lines = (
        f"{each.md5}  {str(each.path).removeprefix('/')}\n"
        for each in sorted(paths, key=lambda each: str(each.path))
        if each.kind is PathKind.FILE and each not in left_out
    )
    return "".join(lines).encode()


_PLACE: Final = PurePosixPath("/usr/share/common-licenses")

# SPDX identifier, without a suffix for later versions → file. Source: Debian Policy 12.5.
COMMON_LICENSES: Final = {
    "Apache-2.0": _PLACE / "Apache-2.0",
    "Artistic-1.0-Perl": _PLACE / "Artistic",
    "CC0-1.0": _PLACE / "CC0-1.0",
    "GFDL-1.2": _PLACE / "GFDL-1.2",
    "GFDL-1.3": _PLACE / "GFDL-1.3",
    "GPL-1.0": _PLACE / "GPL-1",
    "GPL-2.0": _PLACE / "GPL-2",
    "GPL-3.0": _PLACE / "GPL-3",
    "LGPL-2.0": _PLACE / "LGPL-2",
    "LGPL-2.1": _PLACE / "LGPL-2.1",
    "LGPL-3.0": _PLACE / "LGPL-3",
    "MPL-1.1": _PLACE / "MPL-1.1",
    "MPL-2.0": _PLACE / "MPL-2.0",
}


def installed_size(paths: Iterable[PayloadPath]) -> int:
    """Return the Installed-Size field value, in KiB (1024 bytes); 0 for an empty tree.

    Policy asks for an estimate. As in dpkg-gencontrol, each file and link is rounded up to whole KiB, and anything else
    counts as 1 KiB. For thousands of small modules this is much closer to the disk usage than the sum of their sizes.

    Source:
        Debian Policy 5.6.20; deb-substvars(5), Installed-Size.
    """
    return sum(1 if each.kind is PathKind.DIRECTORY else -(-each.size_bytes // 1024) for each in paths)


_WIDTH = 78
# If the first line of the description would repeat the synopsis, the paragraph is wrapped at the next of these.
_NARROWER = (66, 54, 42)
# Debian Policy 3.4.1.
_LONGEST_SYNOPSIS = 80


def folded_description(summary: str, text: str, package: str) -> str:
    """Return the value of Description: a synopsis, then folded lines.

    Args:
        summary: one line. If it is too long for a synopsis, it is cut, and repeated in full below.
        text: paragraphs, separated by empty lines; may be empty.
        package: name of the package.

    Source:
        Debian Policy 3.4.1 and 5.6.13: a continuation line begins with a space; an empty line is a space and a full
        stop; a space, a full stop and more is reserved; two spaces mean verbatim.
    """
    synopsis, paragraphs = synopsis_and_paragraphs(summary, text, package, longest=_LONGEST_SYNOPSIS)
    lines: list[str] = []
    for paragraph in paragraphs:
        wrapped = _wrap_paragraph(paragraph, unlike="" if lines else synopsis)
        if lines:
            lines.append(" .")
        lines.extend(f"  {line}" if line.startswith(".") else f" {line}" for line in wrapped)
    return "\n".join((synopsis, *lines))


def _wrap_paragraph(paragraph: str, unlike: str) -> list[str]:
    """Return the lines of a paragraph, the first of which differs from ``unlike`` if possible."""
    tried = [
        textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)
        for width in (_WIDTH, *_NARROWER)
    ]
    return next(
        (lines for lines in tried if lines and normalise_wording(lines[0]) != normalise_wording(unlike)), tried[0]
    )
