"""Keep what opens a private index out of locks, logs and messages. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

# Greedy up to the last @ before the path, because people do not always percent-encode an @ in a password. No word
# boundary before the scheme: what a program prints may put an escape sequence there.
_USERINFO: Final = re.compile(r"(://)[^/\s]*@")
_HTTP_USERINFO: Final = re.compile(r"(https?://)[^/\s]*@", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return ``text`` with the user and password of each URL replaced by ``***``."""
    return _USERINFO.sub(r"\1***@", text)


def without_credentials(text: str) -> str:
    """Return ``text`` without the user and password of its http URLs.

    The user name of an ssh URL stays: it is needed, and no secret.
    """
    return _HTTP_USERINFO.sub(r"\1", text)


def has_credentials(url: str) -> bool:
    """Return whether an http URL carries a user or password."""
    return without_credentials(url) != url


def host_and_port(url: str) -> str:
    """Return ``host`` or ``host:port`` of a URL, without credentials; empty when it has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
