"""Tell uv what pip is told: uv ignores pip's settings and would ask the public index for private names.

Comes in: the user's variables and pip's configuration. Goes out: the whole environment of uv, and what downloads need.
Pure but for ``read`` and ``exists``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from venvpkg.errors import LockError
from venvpkg.index.pip_config import pip_settings, read_text
from venvpkg.index.urls import redact
from venvpkg.index.uv_config import urls_with_credentials, uv_indexes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from venvpkg.console import Reporter
    from venvpkg.index.pip_config import PipSetting, Read


# What uv may see of the user's environment: where distributions come from, which are chosen, how the wire is secured.
_PASSED_ON: Final = frozenset("""
    HOME LOGNAME PATH USER XDG_CACHE_HOME XDG_CONFIG_DIRS XDG_CONFIG_HOME XDG_DATA_HOME
    GIT_ASKPASS GIT_SSH GIT_SSH_COMMAND SSH_AUTH_SOCK
    NETRC SSL_CERT_DIR SSL_CERT_FILE SSL_CLIENT_CERT
    ALL_PROXY HTTPS_PROXY HTTP_PROXY NO_PROXY all_proxy http_proxy https_proxy no_proxy
    UV_BUILD_CONSTRAINT UV_CACHE_DIR UV_CONFIG_FILE UV_CONSTRAINT UV_CREDENTIALS_DIR UV_DEFAULT_INDEX UV_EXCLUDE
    UV_EXCLUDE_NEWER UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_FORK_STRATEGY UV_HTTP_CONNECT_TIMEOUT UV_HTTP_RETRIES
    UV_HTTP_TIMEOUT UV_INDEX UV_INDEX_STRATEGY UV_INDEX_URL UV_INSECURE_HOST UV_KEYRING_PROVIDER UV_NATIVE_TLS
    UV_NO_CACHE UV_NO_CONFIG UV_NO_SOURCES UV_OVERRIDE UV_PRERELEASE UV_REQUEST_TIMEOUT UV_RESOLUTION UV_SYSTEM_CERTS
    UV_TORCH_BACKEND
""".split())  # noqa: SIM905  # fmt: skip
_PASSED_ON_TOO: Final = re.compile(r"UV_INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)|GIT_SSL_\w+|GIT_CONFIG_\w+")

_WHEELS: Final = "say it in [tool.venvpkg.wheels]: binary, compile, prefer-compile"
_DECLARE: Final = "declare it in the project's dependencies"
_TARGET: Final = "the target decides it"
# pip's settings that change which files are chosen, or what becomes of them, and that uv has no word for.
_REFUSED: Final[Mapping[str, str]] = {
    "abi": _TARGET,
    "build-option": "there is no such setting here",
    "config-settings": "there is no such setting here",
    "editable": _DECLARE,
    "global-option": "there is no such setting here",
    "group": _DECLARE,
    "ignore-requires-python": _TARGET,
    "implementation": _TARGET,
    "no-binary": _WHEELS,
    "no-deps": "a package holds everything that the application needs",
    "only-binary": _WHEELS,
    "only-deps": "a package holds everything that the application needs",
    "platform": _TARGET,
    "prefer-binary": _WHEELS,
    "python-version": _TARGET,
    "requirement": _DECLARE,
    "requirements-from-script": _DECLARE,
}


@dataclass(frozen=True, slots=True)
class UvSettings:
    """How uv is run, and how files are fetched. Holds secrets, which its representation does not show.

    Attributes:
        environ: uv's whole environment.
        arguments: what uv has no variable for.
        indexes: http URLs of the indexes, with credentials.
    """

    environ: Mapping[str, str] = field(repr=False)
    arguments: tuple[str, ...] = ()
    indexes: tuple[str, ...] = field(default=(), repr=False)


def uv_settings(  # noqa: PLR0913  three of them are the outside world, with the real one as default
    environ: Mapping[str, str],
    reporter: Reporter,
    *,
    cwd: Path,
    project: Path | None = None,
    read: Read = read_text,
    exists: Callable[[Path], bool] = Path.exists,
) -> UvSettings:
    """Return the settings under which uv takes distributions from where pip would.

    What the user set for uv wins over what pip says about the same thing, and a default index that was chosen for uv
    sets all of pip's indexes and links aside. pip asks all its indexes and takes the best
    version; uv takes a name from the first index that has it, so that nobody can shadow a private name.

    Args:
        environ: the user's variables.
        reporter: hears of places that are not there, and of pip settings that uv's own ones displace.
        cwd: absolute; where pip's relative paths start.
        project: directory of the application; its ``[tool.uv]`` counts as set for uv.
        read: returns a file's text, or None.
        exists: whether something is at a path.

    Raises:
        LockError: pip settings that can be neither translated nor ignored; all of them, by name.
    """
    translation = _Translation(pip_settings(environ, read), environ, reporter, cwd, read, exists)
    kept = {key: value for key, value in environ.items() if key in _PASSED_ON or _PASSED_ON_TOO.fullmatch(key)}
    own = uv_indexes(environ, project, read)
    environ = kept | translation.translated(default_is_set=any(index.default for index in own))
    if translation.problems:
        raise LockError(
            f"{len(translation.problems)} of pip's settings cannot be honoured.",
            details="\n".join(translation.problems),
            resolution="Unset them for venvpkg, as with: env -u PIP_NO_BINARY venvpkg ...",
        )
    indexes = uv_indexes(environ, project, read)
    return UvSettings(
        environ=environ,
        arguments=("--no-index",) if translation.without_index else (),
        indexes=urls_with_credentials(indexes, environ),
    )


@dataclass(slots=True)
class _Translation:
    """One pass over pip's settings; gathers what cannot be translated."""

    pip: Mapping[str, PipSetting]
    environ: Mapping[str, str]
    reporter: Reporter
    cwd: Path
    read: Read
    exists: Callable[[Path], bool]
    problems: list[str] = field(default_factory=list)
    without_index: bool = False

    def translated(self, *, default_is_set: bool) -> dict[str, str]:
        """Return the variables for uv that stand for pip's settings."""
        self.problems.extend(
            f"  {setting.source}: {_REFUSED[name]}"
            for name, setting in self.pip.items()
            if name in _REFUSED and setting.flag is not False and setting.value.strip() != ":none:"
        )
        return {
            **dict(self._places(default_is_set=default_is_set)),
            **dict(self._choices()),
            **dict(self._security()),
            **dict(self._connection()),
        }

    def _places(self, *, default_is_set: bool) -> Iterator[tuple[str, str]]:
        """Yield where distributions come from; a default index of uv's own sets all of pip's places aside."""
        more = next((name for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL") if self.environ.get(name)), "")
        own = "uv's own default index" if default_is_set else ""
        if (setting := self.pip.get("no-index")) and self._flag(setting):
            self.without_index = not self._displaced(setting, own or more)
        setting = None if self.without_index else self.pip.get("index-url")
        if setting and not self._displaced(setting, own):
            # A default index that is not there must fail, not fall through to the public one.
            yield "UV_DEFAULT_INDEX", self._url(setting.value.strip())
        setting = None if self.without_index else self.pip.get("extra-index-url")
        if setting and not self._displaced(setting, own or more):
            urls = self._present(setting, self.reporter.warn)
            yield from [("UV_INDEX", " ".join(urls))] if urls else []
        setting = self.pip.get("find-links")
        if setting and not self._displaced(
            setting, own or ("UV_FIND_LINKS" if "UV_FIND_LINKS" in self.environ else "")
        ):
            urls = self._present(setting, self.reporter.detail)
            yield from [("UV_FIND_LINKS", ",".join(url.replace(",", "%2C") for url in urls))] if urls else []

    def _choices(self) -> Iterator[tuple[str, str]]:
        for name, variable in (("constraint", "UV_CONSTRAINT"), ("build-constraint", "UV_BUILD_CONSTRAINT")):
            if setting := self._open(name, variable):
                yield variable, " ".join(self._path(word) for word in setting.words)
        if setting := self._open("uploaded-prior-to", "UV_EXCLUDE_NEWER"):
            yield "UV_EXCLUDE_NEWER", setting.value.strip()
        for name, word in (("only-final", "disallow"), ("all-releases", "allow")):
            setting = self._open(name, "UV_PRERELEASE")
            if setting and setting.value.strip() == ":all:":
                yield "UV_PRERELEASE", word
            elif setting and setting.value.strip() != ":none:":
                self.problems.append(f"  {setting.source}: only :all: can be said; or set UV_PRERELEASE")
        if (setting := self._open("pre", "UV_PRERELEASE")) and self._flag(setting):
            yield "UV_PRERELEASE", "allow"

    def _security(self) -> Iterator[tuple[str, str]]:
        if (cert := self._bundle()) and not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & self.environ.keys():
            path = self._path(cert)
            # pip takes a directory of hashed certificates, too.
            yield ("SSL_CERT_DIR" if self.read(Path(path)) is None else "SSL_CERT_FILE"), path
        if setting := self._open("client-cert", "SSL_CLIENT_CERT"):
            yield "SSL_CLIENT_CERT", self._path(setting.value.strip())
        if setting := self._open("trusted-host", "UV_INSECURE_HOST"):
            yield "UV_INSECURE_HOST", " ".join(setting.words)
        if setting := self._open("keyring-provider", "UV_KEYRING_PROVIDER"):
            match setting.value.strip():
                case "subprocess" | "disabled" as word:
                    yield "UV_KEYRING_PROVIDER", word
                case "import":
                    self.problems.append(f"  {setting.source}: only 'subprocess' and 'disabled' can be said")
                case _:  # auto: uv has no such mode; netrc and the URLs' credentials still count
                    pass

    def _bundle(self) -> str:
        """Return the authorities that pip trusts: its own setting, else the variables of its HTTP library; or empty.

        Source:
            pip documentation, "HTTPS Certificates"; Requests documentation, "SSL Cert Verification".
        """
        if setting := self.pip.get("cert"):
            return setting.value.strip()
        return self.environ.get("REQUESTS_CA_BUNDLE") or self.environ.get("CURL_CA_BUNDLE") or ""

    def _connection(self) -> Iterator[tuple[str, str]]:
        if setting := self.pip.get("proxy"):
            proxy = setting.value.strip()
            for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                url = proxy if "://" in proxy else f"http://{proxy}"
                yield variable, url
                yield variable.lower(), url
        if setting := self._open("timeout", "UV_HTTP_TIMEOUT"):
            yield from self._number(setting, "UV_HTTP_TIMEOUT", least=1)
        if setting := self._open("retries", "UV_HTTP_RETRIES"):
            yield from self._number(setting, "UV_HTTP_RETRIES", least=0)

    def _open(self, name: str, variable: str) -> PipSetting | None:
        """Return pip's setting unless the user set uv's variable for the same thing."""
        setting = self.pip.get(name)
        if setting is None or self._displaced(setting, variable if self.environ.get(variable) else ""):
            return None
        return setting

    def _displaced(self, setting: PipSetting, by: str) -> bool:
        """Return whether something of uv's stands in for a setting of pip's; ``by`` is its name, empty for nothing."""
        if by:
            self.reporter.detail(f"{setting.source} does not count: {by} is set")
        return bool(by)

    def _flag(self, setting: PipSetting) -> bool:
        if setting.flag is None:
            self.problems.append(f"  {setting.source}: must be yes or no")
        return bool(setting.flag)

    def _number(self, setting: PipSetting, variable: str, *, least: int) -> Iterator[tuple[str, str]]:
        """Yield whole seconds or times; pip takes fractions, uv does not."""
        try:
            number = float(setting.value)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and number >= 0:
            yield variable, str(max(least, math.ceil(number)))
        else:
            self.problems.append(f"  {setting.source}: must be a number")

    def _present(self, setting: PipSetting, tell: Callable[[str], None]) -> tuple[str, ...]:
        """Return the URLs of a setting without those on this machine where nothing is."""
        urls: list[str] = []
        for word in setting.words:
            url = self._url(word)
            try:
                parts = urlsplit(url)
            except ValueError:  # whose text could hold the credentials
                self.problems.append(f"  {setting.source}: holds something that is no URL")
                continue
            if parts.scheme == "file" and not self.exists(Path(unquote(parts.path))):
                tell(f"{setting.source}: nothing is at {redact(word)}; left out")
            else:
                urls.append(url)
        return tuple(urls)

    def _url(self, word: str) -> str:
        """Return a place as a URL; pip takes paths, relative ones and those of a home directory as well."""
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", word):
            return word
        return Path(self._path(word)).as_uri()

    def _path(self, word: str) -> str:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", word):
            return word
        if word.startswith("~/") and self.environ.get("HOME"):
            word = self.environ["HOME"] + word[1:]
        return str(self.cwd / word)
