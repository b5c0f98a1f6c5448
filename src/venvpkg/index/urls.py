"""Check URLs and file names from an index. Pure."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from venvpkg.model.lock import RemoteFile
from venvpkg.text import has_credentials, redact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from packaging.utils import NormalizedName
    from packaging.version import Version


def host_and_port(url: str) -> str:
    """Return ``host`` or ``host:port`` of a URL, without credentials; empty if it has no host."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


# PyPA specifications of wheel and sdist names, restricted to characters that are safe in paths, shells and terminals.
_FILENAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!~-]{0,250}")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._+!~-]")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class RemoteFileError(ValueError):
    """An entry is invalid; the text does not say where the entry is."""


def remote_file(filename: str, url: str, hashes: Mapping[str, object], uploaded: datetime | None) -> RemoteFile:
    """Return a validated wheel or sdist.

    Args:
        filename: from the lock, or the last part of the URL.
        url: http, https, or file with an absolute path.
        hashes: hashes by algorithm.
        uploaded: upload time; UTC if it has no time zone.

    Raises:
        RemoteFileError: one of them is invalid.
    """
    if not _FILENAME.fullmatch(filename):
        raise RemoteFileError(f"{filename!r} is not a valid file name")
    parse_filename(filename)
    return _validate(filename, url, hashes, uploaded)


def source_archive(url: str, hashes: Mapping[str, object], uploaded: datetime | None, subdirectory: str) -> RemoteFile:
    """Return a validated source archive of any name: forges call theirs ``main.zip`` or ``v1.0.tar.gz``.

    Raises:
        RemoteFileError: the URL or the hash is invalid.
    """
    filename = _UNSAFE.sub("_", filename_of_url(url)).lstrip("._+!~-")[:200] or "archive"
    return _validate(filename, url.partition("#")[0], hashes, uploaded, subdirectory)


def parse_filename(filename: str) -> tuple[NormalizedName, Version]:
    """Return the name and version in the file name of a wheel or sdist.

    Raises:
        RemoteFileError: the file name is neither a wheel's nor an sdist's.
    """
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
            return name, version
        return parse_sdist_filename(filename)
    except ValueError as error:  # also packaging's InvalidWheelFilename, InvalidSdistFilename, InvalidVersion
        raise RemoteFileError(f"{filename!r} is not a valid wheel or sdist file name") from error


def filename_of_url(url: str) -> str:
    """Return the last part of a URL's path, decoded; empty if there is none."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""


def _validate(
    filename: str, url: str, hashes: Mapping[str, object], uploaded: datetime | None, subdirectory: str = ""
) -> RemoteFile:
    digest = hashes.get("sha256")
    if not isinstance(digest, str):
        raise RemoteFileError(f"{filename} has no sha256; venvpkg does not accept other hashes")
    if not _SHA256.fullmatch(digest.lower()):
        raise RemoteFileError(f"{filename}: {digest[:80]!r} is not a valid sha256")
    _check_url(filename, url)
    if uploaded is not None and uploaded.tzinfo is None:
        uploaded = uploaded.replace(tzinfo=UTC)
    return RemoteFile(filename, url, digest.lower(), uploaded, subdirectory)


def _check_url(filename: str, url: str) -> None:
    shown = redact(url)
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed on access
    except ValueError as error:
        raise RemoteFileError(f"{filename}: {shown!r} is not a valid URL") from error
    if not url.isprintable() or " " in url:
        raise RemoteFileError(f"{filename}: {shown!r} contains a character that is not allowed in a URL")
    if has_credentials(url):
        raise RemoteFileError(
            f"{filename}: {shown} contains a user or password;"
            " keep them in netrc or the index's settings, not in the lock"
        )
    match parts.scheme:
        case "http" | "https" if parts.hostname:
            return
        case "file" if parts.path.startswith("/") and parts.netloc in {"", "localhost"}:
            return
        case _:
            raise RemoteFileError(f"{filename}: {shown!r} is not http, https, or an absolute file: URL")
