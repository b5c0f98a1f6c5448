"""HTTP client with the indexes' credentials, certificates and proxies. Only this module opens connections."""

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
from venvpkg.index.downloads import TransferError, TransientTransferError
from venvpkg.index.urls import host_and_port
from venvpkg.text import redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from venvpkg.console import Reporter
    from venvpkg.index.pip_settings import UvSettings


# uv's default; UV_HTTP_TIMEOUT changes it for both.
_TIMEOUT_S: Final = 30.0
# Worth a retry: the request was valid, the server had a problem.
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
    """Streams files from indexes; thread-safe."""

    client: PyPIClient

    @contextlib.contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        """Yield an iterator over a file's bytes in chunks, as the server sends them.

        Nothing is decompressed: a server that sends a .tar.gz with a Content-Encoding means the file itself, and the
        locked hash is that of the file.

        Raises:
            TransferError: the server cannot be reached or does not send the file.
        """
        try:
            with self.client.stream("GET", url) as response:
                _check_status(response)
                # Without a size: httpx2 would wait for a full chunk, and a slow server would go unnoticed.
                yield response.iter_raw()
        except (httpx2.TransportError, httpx2.StreamError) as error:
            match error:
                case httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError():
                    raise TransferError(redact(str(error))) from error
                case _:
                    raise TransientTransferError(_describe(error)) from error
        except (httpx2.InvalidURL, httpx2.TooManyRedirects, httpx2.DecodingError, ssl.SSLError) as error:
            raise TransferError(redact(str(error))) from error

    def close(self) -> None:
        """Close all connections."""
        self.client.close()


def open_client(settings: UvSettings, urls: Sequence[str], reporter: Reporter) -> HttpClient:
    """Return a client for ``urls`` with the same security and authentication settings as uv.

    Args:
        settings: proxies, certificates, trusted hosts, timeout and the indexes' credentials.
        urls: URLs to fetch; netrc and NO_PROXY are searched for their hosts.
        reporter: is warned about a netrc file that cannot be read.

    Raises:
        DownloadError: the configured certificates or proxies cannot be used.
    """
    environ = settings.environ
    try:
        client = PyPIClient(
            trusted_hosts=environ.get("UV_INSECURE_HOST", "").split(),
            verify=_tls_context(environ),
            trust_env=False,  # use uv's variables, not those of this process
            timeout=httpx2.Timeout(timeout_s(environ), connect=min(timeout_s(environ), 10.0)),
            follow_redirects=True,
            headers={"Accept-Encoding": "identity", "User-Agent": f"venvpkg/{__version__}"},
            # A redirect to a file: URL must not read this machine's files.
            mounts={**_proxies(environ, {urlsplit(url).hostname or "" for url in urls}), "file://": None},
        )
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise DownloadError(
            "the network settings cannot be used.",
            details=f"  {redact(str(error))}",
            resolution="Check SSL_CERT_FILE, SSL_CERT_DIR, SSL_CLIENT_CERT, the proxies, and pip's settings for them.",
        ) from error
    # no prompting: a build job has no terminal
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=_authenticated_urls(settings, urls, reporter))
    return HttpClient(client)


def timeout_s(environ: Mapping[str, str]) -> float:
    """Return the read timeout in seconds."""
    text = environ.get("UV_HTTP_TIMEOUT", "")
    return float(text) if text.isascii() and text.isdigit() and int(text) > 0 else _TIMEOUT_S


def _check_status(response: httpx2.Response) -> None:
    code = response.status_code
    if code == HTTPStatus.OK:
        return
    answer = f"the server returned {code} {response.reason_phrase}".rstrip()
    if code in _TRANSIENT:
        raise TransientTransferError(answer)
    hints = {
        HTTPStatus.UNAUTHORIZED: "put credentials in netrc, the index's URL, or UV_INDEX_<NAME>_PASSWORD",
        HTTPStatus.FORBIDDEN: "use credentials with permission to read it",
        HTTPStatus.NOT_FOUND: "the file was removed, or the lock is for another index; run 'venvpkg lock'",
        HTTPStatus.GONE: "the file was removed; run 'venvpkg lock'",
    }
    hint = next((text for status, text in hints.items() if status == code), "")
    raise TransferError(f"{answer}; {hint}" if hint else answer)


def _describe(error: Exception) -> str:
    return redact(str(error)) or type(error).__name__


def _tls_context(environ: Mapping[str, str]) -> ssl.SSLContext | bool:
    """Return a context with the certificates that the variables configure; True for the default certificates."""
    file, directory = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    context: ssl.SSLContext | None = None
    if file or directory:
        # Several directories are allowed, as in OpenSSL; missing ones are skipped, as in uv.
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
    """Return a mapping from URL pattern to transport; None bypasses the proxy.

    Source:
        curl(1), ENVIRONMENT, for the variables; libcurl, CURLOPT_NOPROXY(3), for the grammar of NO_PROXY.
    """
    mounts: dict[str, httpx2.HTTPTransport | None] = {}
    for scheme in ("http", "https", "all"):
        # Only in a CGI program could HTTP_PROXY come from a request header, so both spellings are read here.
        proxy = environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY")
        if proxy:
            url = proxy if "://" in proxy else f"http://{proxy}"
            mounts[f"{scheme}://"] = httpx2.HTTPTransport(proxy=url, verify=_tls_context(environ), trust_env=False)
    if not mounts:
        return {}
    for exception in (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(","):
        name = exception.strip()
        if name == "*":
            return {}
        if name:
            mounts |= dict.fromkeys(_no_proxy_patterns(name, hosts))
    return mounts


def _no_proxy_patterns(exception: str, hosts: Collection[str]) -> list[str]:
    """Return the URL patterns for an entry of NO_PROXY: a domain with subdomains, an address or a network (CIDR)."""
    try:
        network = ipaddress.ip_network(exception.strip("[]"), strict=False)
    except ValueError:
        # People write *.example.org, which other programs do not treat as a pattern; httpx2 adds its own asterisk.
        return [f"all://{exception}" if exception == "localhost" else f"all://*{exception.removeprefix('*')}"]
    # There are no patterns for networks. A single address is kept even if it is not among the hosts: a redirect may
    # lead to it.
    addresses = {network.network_address} if network.num_addresses == 1 else set(_addresses(hosts))
    within = sorted(str(address) for address in addresses if address in network)
    return [f"all://[{each}]" if ":" in each else f"all://{each}" for each in within]


def _addresses(hosts: Collection[str]) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    for host in hosts:
        with contextlib.suppress(ValueError):
            yield ipaddress.ip_address(host)


def _authenticated_urls(settings: UvSettings, urls: Iterable[str], reporter: Reporter) -> list[str]:
    """Return index URLs with credentials for the hosts of ``urls``: the indexes' own, then those from netrc.

    unearth uses the first index of a host. An index without credentials is therefore only included, for a keyring, if
    there are no credentials for its host.
    """
    with_password = [url for url in settings.indexes if urlsplit(url).password is not None]
    known = {host_and_port(url) for url in with_password}
    from_netrc = [url for url in _netrc_urls(settings.environ, urls, reporter) if host_and_port(url) not in known]
    known |= {host_and_port(url) for url in from_netrc}
    return [*with_password, *from_netrc, *(url for url in settings.indexes if host_and_port(url) not in known)]


def _netrc_urls(environ: Mapping[str, str], urls: Iterable[str], reporter: Reporter) -> list[str]:
    home = environ.get("HOME")
    path = environ.get("NETRC") or (f"{home}/.netrc" if home else "")
    if not path or not Path(path).is_file():
        return []
    try:
        logins = netrc.netrc(path)
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError) as error:
        # Without the error's text, which may quote the file.
        reporter.warn(f"ignoring {path}: {type(error).__name__}")
        return []
    netrc_urls: dict[str, None] = {}
    for url in urls:
        parts = urlsplit(url)
        login = logins.authenticators(parts.hostname or "")
        if login is not None:
            user, _, password = login
            netloc = f"{quote(user or '', safe='')}:{quote(password or '', safe='')}@{host_and_port(url)}"
            netrc_urls[f"{parts.scheme}://{netloc}/"] = None
    return list(netrc_urls)
