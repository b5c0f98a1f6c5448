"""Compress a document as Debian Policy wants it. Pure."""

from __future__ import annotations

import gzip
import io


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
