"""Manual pages of the application, where man(1) finds them."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvpkg.model.package import PackageSpec
    from venvpkg.model.staged import PayloadPath


MANUAL = PurePosixPath("/usr/share/man")

_PAGE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]*)\.(?P<section>[1-8])(?:\.gz)?")
_MOST_BYTES = 4 * 2**20
_GZIP = b"\x1f\x8b"


def manual_pages(spec: PackageSpec) -> Mapping[PurePosixPath, bytes]:
    """Return the pages of the linked commands: place in /usr/share/man → compressed page.

    A wheel brings its pages as data, below the environment's ``share/man``, where man(1) does not look. Those of a
    command, and of its subcommands (``git-add``), are shipped once more; those of anything else could be in the way
    of another package's. What is no text, or absurdly large, is left where it is, and a page that the project itself
    ships there stays.

    Source:
        Debian Policy 12.1.
    """
    commands = {link.name for link, _ in spec.links}
    taken = {each.path for each in spec.staged.payload.paths}
    pages: dict[PurePosixPath, bytes] = {}
    for each, name, section in _page_files(spec):
        place = MANUAL / f"man{section}" / f"{name}.{section}.gz"
        if place not in taken and _of_command(name, commands):
            text = _text((spec.staged.destdir / each.path.relative_to("/")).read_bytes())
            if text:
                pages[place] = compressed(text)
    return pages


def _page_files(spec: PackageSpec) -> Iterator[tuple[PayloadPath, str, str]]:
    """Yield what is named as a page in the directory of its section, with name and section."""
    directory = spec.staged.prefix / "share/man"
    for each in spec.staged.payload.files():
        found = _PAGE.fullmatch(each.path.name)
        if found and each.path.parent == directory / f"man{found['section']}" and each.size_bytes <= _MOST_BYTES:
            yield each, found["name"], found["section"]


def _of_command(page: str, commands: Iterable[str]) -> bool:
    return any(page == command or page.startswith(f"{command}-") for command in commands)


def _text(content: bytes) -> bytes:
    """Return the page itself, with at most as many bytes as a page may have; empty when it cannot be read."""
    if not content.startswith(_GZIP):
        return content
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = reader.decompress(content, _MOST_BYTES + 1)
    except zlib.error:
        return b""
    return text if len(text) <= _MOST_BYTES and reader.eof else b""


def compressed(text: bytes) -> bytes:
    """Return what ``gzip -9n`` makes of ``text``; the bytes depend on zlib alone.

    Source:
        Debian Policy 12.1, 12.7.
    """
    # Not gzip.compress: the system byte of its header depends on the version of Python.
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(text)
    return buffer.getvalue()
