"""Keep what opens a private index out of locks, logs and messages. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

# Greedy up to the last @ before the path, because people do not always percent-encode an @ in a password.
_USERINFO: Final = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)[^/\s\"'<>`]*@")


def redacted(text: str) -> str:
    """Return ``text`` with the user and password of each URL replaced by ``***``."""
    return _USERINFO.sub(r"\g<scheme>***@", text)


def without_credentials(text: str) -> str:
    """Return ``text`` without the user and password of its http URLs.

    The user name of an ssh URL stays: it is needed, and no secret.
    """
    return _USERINFO.sub(lambda url: url["scheme"] if _is_http(url["scheme"]) else url[0], text)


def has_credentials(url: str) -> bool:
    """Return whether an http URL carries a user or password."""
    return without_credentials(url) != url


def host_and_port(url: str) -> str:
    """Return ``host`` or ``host:port`` of a URL, without credentials; empty when it has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _is_http(scheme: str) -> bool:
    return scheme.lower() in {"http://", "https://", "git+http://", "git+https://"}
