"""Manual pages of the application, where man(1) finds them."""

from __future__ import annotations

import re
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from venvpkg.backends.deb.gzip9 import compressed
from venvpkg.model.staged import PathKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvpkg.model.package import PackageSpec

MANUAL = PurePosixPath("/usr/share/man")

_PAGE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]*)\.(?P<section>[1-8])(?:\.gz)?")
_MOST_BYTES = 4 * 2**20
_GZIP = b"\x1f\x8b"


def manual_pages(spec: PackageSpec) -> Mapping[PurePosixPath, bytes]:
    """Return the pages of the linked commands: place in /usr/share/man → compressed page.

    A wheel brings its pages as data, below the environment's ``share/man``, where man(1) does not look. Those of a
    command, and of its subcommands (``git-add``), are shipped once more; those of anything else could be in the way
    of another package's. What is no text, or absurdly large, is left where it is.

    Source:
        Debian Policy 12.1.
    """
    commands = {link.name for link, _ in spec.links}
    pages: dict[PurePosixPath, bytes] = {}
    directory = spec.staged.prefix / "share/man"
    for each in spec.staged.payload.paths:
        found = _PAGE.fullmatch(each.path.name)
        if each.kind is not PathKind.FILE or found is None or each.path.parent.parent != directory:
            continue
        if each.path.parent.name != f"man{found['section']}" or not _of_command(found["name"], commands):
            continue
        text = _text((spec.staged.destdir / each.path.relative_to("/")).read_bytes())
        if text:
            pages[MANUAL / each.path.parent.name / f"{found['name']}.{found['section']}.gz"] = compressed(text)
    return pages


def _of_command(page: str, commands: Iterable[str]) -> bool:
    return any(page == command or page.startswith(f"{command}-") for command in commands)


def _text(content: bytes) -> bytes:
    """Return the page itself, with at most as many bytes as a page may have; empty when it cannot be read."""
    if not content.startswith(_GZIP):
        return content if len(content) <= _MOST_BYTES else b""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = reader.decompress(content, _MOST_BYTES + 1)
    except zlib.error:
        return b""
    return text if len(text) <= _MOST_BYTES and reader.eof else b""
