"""URLs and file names of an index: stripped of credentials, and checked before anybody uses them. Pure."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from venvpkg.model.lock import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from packaging.utils import NormalizedName
    from packaging.version import Version


# Greedy up to the last @ before the path, because people do not always percent-encode an @ in a password. No word
# boundary before the scheme: what a program prints may put an escape sequence there.
_USERINFO: Final = re.compile(r"(://)[^/\s]*@")
_HTTP_USERINFO: Final = re.compile(r"(https?://)[^/\s]*@", re.IGNORECASE)


def redact(text: str) -> str:
    """Return ``text`` with the user and password of each URL replaced by ``***``."""
    return _USERINFO.sub(r"\1***@", text)


def strip_credentials(text: str) -> str:
    """Return ``text`` without the user and password of its http URLs.

    The user name of an ssh URL stays: it is needed, and no secret.
    """
    return _HTTP_USERINFO.sub(r"\1", text)


def has_credentials(url: str) -> bool:
    """Return whether an http URL carries a user or password."""
    return strip_credentials(url) != url


def host_and_port(url: str) -> str:
    """Return ``host`` or ``host:port`` of a URL, without credentials; empty when it has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


# PyPA specifications of wheel and sdist names, without what a path, a shell or a terminal could take amiss.
_FILENAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!~-]{0,250}")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._+!~-]")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class RemoteFileError(ValueError):
    """What is wrong with an entry, in a sentence without its place."""


def remote_file(filename: str, url: str, hashes: Mapping[str, object], uploaded: datetime | None) -> RemoteFile:
    """Return a checked wheel or sdist.

    Args:
        filename: as the lock gives it, or the end of the URL.
        url: http, https, or file with an absolute path.
        hashes: by algorithm.
        uploaded: taken as UTC when it names no zone.

    Raises:
        RemoteFileError: one of them cannot be used.
    """
    if not _FILENAME.fullmatch(filename):
        raise RemoteFileError(f"{filename!r} is no name for a file")
    parse_filename(filename)
    return _checked(filename, url, hashes, uploaded)


def source_archive(url: str, hashes: Mapping[str, object], uploaded: datetime | None, subdirectory: str) -> RemoteFile:
    """Return a checked archive with source, whatever its name: forges call theirs ``main.zip`` and ``v1.0.tar.gz``.

    Raises:
        RemoteFileError: one of them cannot be used.
    """
    filename = _UNSAFE.sub("_", filename_of_url(url)).lstrip("._+!~-")[:200] or "archive"
    return _checked(filename, url.partition("#")[0], hashes, uploaded, subdirectory)


def parse_filename(filename: str) -> tuple[NormalizedName, Version]:
    """Return name and version in the file name of a wheel or an sdist.

    Raises:
        RemoteFileError: it is neither.
    """
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
            return name, version
        return parse_sdist_filename(filename)
    except ValueError as error:  # also packaging's InvalidWheelFilename, InvalidSdistFilename, InvalidVersion
        raise RemoteFileError(f"{filename!r} is the name of neither a wheel nor an sdist") from error


def filename_of_url(url: str) -> str:
    """Return the last part of a URL's path, decoded; empty when there is none."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""


def _checked(
    filename: str, url: str, hashes: Mapping[str, object], uploaded: datetime | None, subdirectory: str = ""
) -> RemoteFile:
    digest = hashes.get("sha256")
    if not isinstance(digest, str):
        raise RemoteFileError(f"{filename} has no sha256; venvpkg trusts no other hash")
    if not _SHA256.fullmatch(digest.lower()):
        raise RemoteFileError(f"{filename}: {digest[:80]!r} is no sha256")
    _check_url(filename, url)
    if uploaded is not None and uploaded.tzinfo is None:
        uploaded = uploaded.replace(tzinfo=UTC)
    return RemoteFile(filename, url, digest.lower(), uploaded, subdirectory)


def _check_url(filename: str, url: str) -> None:
    shown = redact(url)
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed when asked for
    except ValueError as error:
        raise RemoteFileError(f"{filename}: {shown!r} is no URL") from error
    if not url.isprintable() or " " in url:
        raise RemoteFileError(f"{filename}: {shown!r} holds a character that no URL has")
    if has_credentials(url):
        raise RemoteFileError(
            f"{filename}: {shown} holds a user or password; keep them out of the lock, in netrc or the index's settings"
        )
    match parts.scheme:
        case "http" | "https" if parts.hostname:
            return
        case "file" if parts.path.startswith("/") and parts.netloc in {"", "localhost"}:
            return
        case _:
            raise RemoteFileError(f"{filename}: {shown!r} is not http, https, or an absolute file: URL")
