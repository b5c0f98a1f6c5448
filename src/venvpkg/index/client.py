"""The only module on the wire: an HTTP client with the indexes' credentials, certificates and proxies."""

from __future__ import annotations

import contextlib
import ipaddress
import netrc
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import httpx2  # noqa: TID251
from unearth.auth import MultiDomainBasicAuth  # noqa: TID251
from unearth.fetchers import PyPIClient  # noqa: TID251

from venvpkg import __version__
from venvpkg.errors import DownloadError
from venvpkg.index.downloads import TransientWireError, WireError
from venvpkg.index.urls import host_and_port, redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from venvpkg.console import Reporter
    from venvpkg.index.pip_settings import UvSettings


# uv's defaults, which UV_HTTP_TIMEOUT and UV_HTTP_RETRIES change for both.
_TIMEOUT_S: Final = 30.0
# Worth another try: the request was fine, the server was not.
_TRANSIENT: Final = frozenset({
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class HttpClient:
    """Streams files of indexes. Safe to use from several threads."""

    client: PyPIClient

    @contextlib.contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        """Yield a file's bytes as the server sends them, in pieces.

        Nothing is decompressed: servers that label a .tar.gz with a Content-Encoding mean the file itself, and it is
        the file whose hash is locked.

        Raises:
            WireError: the server does not give the file, or cannot be reached.
        """
        try:
            with self.client.stream("GET", url) as response:
                _check_status(response)
                # As they arrive: given a size, httpx2 waits until a piece is full, and a slow server goes unseen.
                yield response.iter_raw()
        except (httpx2.TransportError, httpx2.StreamError) as error:
            match error:
                case httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError():
                    raise WireError(redact(str(error))) from error
                case _:
                    raise TransientWireError(_failure(error)) from error
        except (httpx2.InvalidURL, httpx2.TooManyRedirects, httpx2.DecodingError, ssl.SSLError) as error:
            raise WireError(redact(str(error))) from error

    def close(self) -> None:
        """Let go of the connections."""
        self.client.close()


def open_wire(settings: UvSettings, urls: Sequence[str], reporter: Reporter) -> HttpClient:
    """Return a wire for ``urls`` that is secured and authenticated as uv's is.

    Args:
        settings: proxies, certificates, trusted hosts, timeout; the indexes' credentials.
        urls: what will be asked for; netrc and NO_PROXY are searched for their hosts.
        reporter: hears of a netrc that cannot be read.

    Raises:
        DownloadError: the certificates or proxies that are set cannot be used.
    """
    environ = settings.environ
    try:
        client = PyPIClient(
            trusted_hosts=environ.get("UV_INSECURE_HOST", "").split(),
            verify=_tls(environ),
            trust_env=False,  # the environment that counts is the one uv was given
            timeout=httpx2.Timeout(timeout_s(environ), connect=min(timeout_s(environ), 10.0)),
            follow_redirects=True,
            headers={"Accept-Encoding": "identity", "User-Agent": f"venvpkg/{__version__}"},
            # A redirect to file: must not read this machine's files.
            mounts={**_proxies(environ, {urlsplit(url).hostname or "" for url in urls}), "file://": None},
        )
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise DownloadError(
            "The network settings cannot be used.",
            details=f"  {redact(str(error))}",
            resolution="Check SSL_CERT_FILE, SSL_CERT_DIR, SSL_CLIENT_CERT, the proxies, and what pip says about them.",
        ) from error
    # prompting would wait for a terminal that a build job does not have
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=_logins(settings, urls, reporter))
    return HttpClient(client)


def timeout_s(environ: Mapping[str, str]) -> float:
    """Return after how many seconds without a byte a server counts as silent."""
    text = environ.get("UV_HTTP_TIMEOUT", "")
    return float(text) if text.isascii() and text.isdigit() and int(text) > 0 else _TIMEOUT_S


def _check_status(response: httpx2.Response) -> None:
    code = response.status_code
    if code == HTTPStatus.OK:
        return
    answer = f"the server answers {code} {response.reason_phrase}".rstrip()
    if code in _TRANSIENT:
        raise TransientWireError(answer)
    hints = {
        HTTPStatus.UNAUTHORIZED: "put credentials into netrc, the index's URL, or UV_INDEX_<NAME>_PASSWORD",
        HTTPStatus.FORBIDDEN: "give credentials that may read it",
        HTTPStatus.NOT_FOUND: "it was removed, or the lock is of another index; run 'venvpkg lock'",
        HTTPStatus.GONE: "it was removed; run 'venvpkg lock'",
    }
    hint = next((text for status, text in hints.items() if status == code), "")
    raise WireError(f"{answer}; {hint}" if hint else answer)


def _failure(error: Exception) -> str:
    return redact(str(error)) or type(error).__name__


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext | bool:
    """Return the trusted certificates: those of the environment, else the system's."""
    file, directory = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    context: ssl.SSLContext | None = None
    if file or directory:
        # Several directories are allowed, as for OpenSSL; those that are not there are passed over, as by uv.
        directories = [each for each in (directory or "").split(":") if Path(each).is_dir()] if directory else []
        if file or directories:
            context = ssl.create_default_context(cafile=file or None, capath=directories[0] if directories else None)
            for more in directories[1:]:
                context.load_verify_locations(capath=more)
    if client := environ.get("SSL_CLIENT_CERT"):
        context = context or ssl.create_default_context()
        context.load_cert_chain(client)
    return context if context is not None else True


def _proxies(environ: Mapping[str, str], hosts: Collection[str]) -> dict[str, httpx2.HTTPTransport | None]:
    """Return the transports by URL pattern; None goes there directly.

    Source:
        curl(1), ENVIRONMENT, for the variables; libcurl, CURLOPT_NOPROXY(3), for the grammar of NO_PROXY.
    """
    mounts: dict[str, httpx2.HTTPTransport | None] = {}
    for scheme in ("http", "https", "all"):
        # The upper-case HTTP_PROXY of a CGI request's header is no concern here, so both spellings count.
        proxy = environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY")
        if proxy:
            url = proxy if "://" in proxy else f"http://{proxy}"
            mounts[f"{scheme}://"] = httpx2.HTTPTransport(proxy=url, verify=_tls(environ), trust_env=False)
    if not mounts:
        return {}
    for exception in (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(","):
        name = exception.strip()
        if name == "*":
            return {}
        if name:
            mounts |= dict.fromkeys(_direct(name, hosts))
    return mounts


def _direct(exception: str, hosts: Collection[str]) -> list[str]:
    """Return the URL patterns of an exception: a name with all that ends in it, an address, or a network (CIDR)."""
    try:
        network = ipaddress.ip_network(exception.strip("[]"), strict=False)
    except ValueError:
        # People write *.example.org, which the others take for a name; a pattern has its own asterisk.
        return [f"all://{exception}" if exception == "localhost" else f"all://*{exception.removeprefix('*')}"]
    # No pattern says a network; an address may also be one that a redirect leads to.
    addresses = {network.network_address} if network.num_addresses == 1 else set(_addresses(hosts))
    within = sorted(str(address) for address in addresses if address in network)
    return [f"all://[{each}]" if ":" in each else f"all://{each}" for each in within]


def _addresses(hosts: Collection[str]) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    for host in hosts:
        with contextlib.suppress(ValueError):
            yield ipaddress.ip_address(host)


def _logins(settings: UvSettings, urls: Iterable[str], reporter: Reporter) -> list[str]:
    """Return index URLs that carry credentials for the hosts of ``urls``: the indexes' own, then netrc's.

    unearth takes the first index of a host, so that one without credentials is only named (for a keyring) where
    nothing better is known.
    """
    with_password = [url for url in settings.indexes if urlsplit(url).password is not None]
    known = {host_and_port(url) for url in with_password}
    of_netrc = [url for url in _netrc_urls(settings.environ, urls, reporter) if host_and_port(url) not in known]
    known |= {host_and_port(url) for url in of_netrc}
    return [*with_password, *of_netrc, *(url for url in settings.indexes if host_and_port(url) not in known)]


def _netrc_urls(environ: Mapping[str, str], urls: Iterable[str], reporter: Reporter) -> list[str]:
    home = environ.get("HOME")
    path = environ.get("NETRC") or (f"{home}/.netrc" if home else "")
    if not path or not Path(path).is_file():
        return []
    try:
        logins = netrc.netrc(path)
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError) as error:
        # Its text is left out: it may quote the file.
        reporter.warn(f"{path} does not count: {type(error).__name__}")
        return []
    found: dict[str, None] = {}
    for url in urls:
        parts = urlsplit(url)
        login = logins.authenticators(parts.hostname or "")
        if login is not None:
            user, _, password = login
            netloc = f"{quote(user or '', safe='')}:{quote(password or '', safe='')}@{host_and_port(url)}"
            found[f"{parts.scheme}://{netloc}/"] = None
    return list(found)
