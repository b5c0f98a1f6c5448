"""Ship the application's manual pages where man(1) finds them."""

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
    """Return the pages of the linked commands: path in /usr/share/man → compressed page.

    A wheel installs its pages as data, below ``share/man`` of the virtual environment, where man(1) does not look. The
    pages of a command, and of its subcommands (``git-add``), are shipped a second time. Other pages could conflict with
    those of another package. Unreadable or absurdly large pages are skipped, and a page that the project itself ships
    is kept.

    Source:
        Debian Policy 12.1.
    """
    commands = {link.name for link, _ in spec.links}
    taken = {each.path for each in spec.staged.payload.paths}
    pages: dict[PurePosixPath, bytes] = {}
    for each, name, section in _page_files(spec):
        place = MANUAL / f"man{section}" / f"{name}.{section}.gz"
        if place not in taken and _is_page_of_command(name, commands):
            text = _decompress_page((spec.staged.destdir / each.path.relative_to("/")).read_bytes())
            if text:
                pages[place] = compressed(text)
    return pages


def _page_files(spec: PackageSpec) -> Iterator[tuple[PayloadPath, str, str]]:
    """Yield the files with a page's name in the directory of its section, with name and section."""
    directory = spec.staged.prefix / "share/man"
    for each in spec.staged.payload.files():
        found = _PAGE.fullmatch(each.path.name)
        if found and each.path.parent == directory / f"man{found['section']}" and each.size_bytes <= _MOST_BYTES:
            yield each, found["name"], found["section"]


def _is_page_of_command(page: str, commands: Iterable[str]) -> bool:
    return any(page == command or page.startswith(f"{command}-") for command in commands)


def _decompress_page(content: bytes) -> bytes:
    """Return the decompressed page; empty when it is damaged or too large."""
    if not content.startswith(_GZIP):
        return content
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = reader.decompress(content, _MOST_BYTES + 1)
    except zlib.error:
        return b""
    return text if len(text) <= _MOST_BYTES and reader.eof else b""


def compressed(text: bytes) -> bytes:
    """Compress ``text`` like ``gzip -9n``; the bytes depend on zlib alone.

    Source:
        Debian Policy 12.1, 12.7.
    """
    # Not gzip.compress: the system byte of its header depends on the version of Python.
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(text)
    return buffer.getvalue()
