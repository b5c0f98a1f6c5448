"""Collect the passwords and tokens that a run knows, as they could be spelled in a file. Pure except ``read``."""

from __future__ import annotations

import base64
import netrc
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from venvpkg.text import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvpkg.index.pip_settings import UvSettings


# Only schemes of indexes, proxies and repositories: a build does not use URLs of databases, and many applications
# contain a default such as postgres://postgres:postgres@localhost.
_CREDENTIALS: Final = re.compile(
    r"(?:https?|ssh|socks5h?)://(?P<user>[^/\s:@'\"]*)(?::(?P<password>[^/\s'\"]*))?@(?P<host>[^/\s'\"@?#]+)",
    re.IGNORECASE,
)
# Variables that uv, git, cargo and prepare commands receive, or from which their settings are derived.
_USED_VARIABLE: Final = re.compile(r"(?:PIP|UV|GIT|CARGO|NPM_CONFIG|YARN|COREPACK)_\w+|\w+_PROXY", re.IGNORECASE)
# Variables whose whole value is a secret, for uv and for cargo.
_SECRET_VARIABLE: Final = re.compile(r"UV_INDEX_\w+_PASSWORD|CARGO_REGISTR(Y|IES_\w+)_TOKEN")
# git's http.extraHeader, as CI services set it: ``AUTHORIZATION: basic eDpnaG...``.
_HEADER: Final = re.compile(r"authorization:\s*\w+\s+(\S+)", re.IGNORECASE)
# Simpler passwords may be ordinary words, or common ones (``password1``). They are only recognised together with
# their user and host.
_FEWEST_CHARACTERS: Final = 8
_FEWEST_OF_TWO_KINDS: Final = 12
_FEWEST_KINDS: Final = 3


def known_secrets(settings: UvSettings, environ: Mapping[str, str], texts: Iterable[str] = ()) -> Secrets:
    """Return the secrets in the indexes' settings, in variables, in netrc and in the project's own requirements.

    Args:
        settings: the indexes with their credentials.
        environ: the user's variables.
        texts: what the user wrote for this run, such as pyproject.toml; only URLs in it count.

    Returns:
        For each URL and each entry of netrc: user, password and host as in a URL, and the password alone if it is
        unlikely to occur by chance. Each is listed unchanged and percent-encoded; longest first.
    """
    found: set[str] = set()
    used = (value for name, value in environ.items() if _USED_VARIABLE.fullmatch(name))
    for text in (*settings.indexes, *settings.environ.values(), *used, *texts):
        for match in _CREDENTIALS.finditer(text):
            found.update(_spellings(unquote(match["user"]), unquote(match["password"] or ""), match["host"]))
        found.update(match[1] for match in _HEADER.finditer(text) if _is_distinctive(match[1]))
    for name, value in environ.items():
        if _SECRET_VARIABLE.fullmatch(name) and _is_distinctive(value):
            found.update((value, quote(value, safe="")))
    for host, user, password in _netrc_logins(environ):
        found.update(_spellings(user, password, host))
    return Secrets(tuple(sorted((each.encode("utf-8", "surrogateescape") for each in found),
                                key=lambda each: (-len(each), each))))  # fmt: skip


def _spellings(user: str, password: str, host: str) -> Iterator[str]:
    secret = password or user  # a user without a password is a token
    if not secret or (not password and not _is_distinctive(user)):
        return
    for encode in (str, lambda text: quote(text, safe="")):
        yield f"{encode(user)}:{encode(password)}@{host}" if password else f"{encode(user)}@{host}"
        if _is_distinctive(secret):
            yield encode(secret)
    if _is_distinctive(secret):
        yield base64.b64encode(f"{user}:{password}".encode()).decode()


def _is_distinctive(text: str) -> bool:
    tests = (str.islower, str.isupper, str.isdigit, lambda each: not each.isalnum())
    kinds = sum(any(map(test, text)) for test in tests)
    return len(text) >= _FEWEST_CHARACTERS and (
        kinds >= _FEWEST_KINDS or (kinds > 1 and len(text) >= _FEWEST_OF_TWO_KINDS)
    )


def _netrc_logins(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield host, user and password of each entry; the client reports a file that cannot be read."""
    home = environ.get("HOME")
    path = environ.get("NETRC") or (f"{home}/.netrc" if home else "")
    try:
        hosts = netrc.netrc(path).hosts if path and Path(path).is_file() else {}
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError):
        return
    for host, (user, _, password) in hosts.items():
        if password:
            yield host, user or "", password
