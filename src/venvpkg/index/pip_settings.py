"""Translate pip's settings for uv, which ignores them and would request private names from the public index.

Input: the user's variables and pip's configuration. Output: all of uv's variables, and the settings for downloads.
Pure except ``read`` and ``exists``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from venvpkg.errors import LockError
from venvpkg.index.pip_config import read_pip_settings, read_text
from venvpkg.index.uv_config import urls_with_credentials, uv_indexes
from venvpkg.text import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from venvpkg.console import Reporter
    from venvpkg.index.pip_config import PipSetting, ReadText


# The user's variables that uv inherits: where distributions come from, which are chosen, how connections are secured.
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

_WHEELS: Final = "use [tool.venvpkg.wheels] instead: binary, compile, prefer-compile"
_DECLARE: Final = "declare it in the project's dependencies instead"
_TARGET: Final = "the target determines it"
_UNSUPPORTED: Final = "venvpkg has no such setting"
# pip's settings that affect which files are chosen or how they are used, and that have no equivalent in uv.
_REFUSED: Final[Mapping[str, str]] = {
    "abi": _TARGET,
    "build-option": _UNSUPPORTED,
    "config-settings": _UNSUPPORTED,
    "editable": _DECLARE,
    "global-option": _UNSUPPORTED,
    "group": _DECLARE,
    "ignore-requires-python": _TARGET,
    "implementation": _TARGET,
    "no-binary": _WHEELS,
    "no-deps": "a package contains everything that the application needs",
    "only-binary": _WHEELS,
    "only-deps": "a package contains everything that the application needs",
    "platform": _TARGET,
    "prefer-binary": _WHEELS,
    "python-version": _TARGET,
    "requirement": _DECLARE,
    "requirements-from-script": _DECLARE,
}


@dataclass(frozen=True, slots=True)
class UvSettings:
    """Settings for running uv and fetching files. Contains secrets, which are not in its ``repr``.

    Attributes:
        environ: all of uv's variables.
        arguments: options for settings without a variable.
        indexes: http URLs of the indexes, with credentials.
        order: the indexes in the order in which uv asks them, as values of UV_DEFAULT_INDEX; uv's own default index is
            empty. Indexes of uv's configuration files are not among them: their author knows uv's rules.
        is_chosen_by_pip: whether the order is translated from pip's settings; pip itself would ask all of them.
    """

    environ: Mapping[str, str] = field(repr=False)
    arguments: tuple[str, ...] = ()
    indexes: tuple[str, ...] = field(default=(), repr=False)
    order: tuple[str, ...] = field(default=(), repr=False)
    is_chosen_by_pip: bool = False


def translate_pip_settings(  # noqa: PLR0913 - three of them stand for the outside world, with defaults
    environ: Mapping[str, str],
    reporter: Reporter,
    *,
    cwd: Path,
    project: Path | None = None,
    read: ReadText = read_text,
    exists: Callable[[Path], bool] = Path.exists,
) -> UvSettings:
    """Return settings that make uv take distributions from where pip would.

    The user's own settings for uv override pip's settings for the same thing, and a default index for uv overrides all
    of pip's indexes and links. pip takes the best version from all its indexes. uv takes a name from the first index
    that has it, so that no other index can shadow a private name. The index that the user trusts most is asked first:
    an index-url that replaces the public index, or else the additional indexes. ``lock.indexes`` compares the result
    with pip's choice.

    Args:
        environ: the user's variables.
        reporter: receives warnings about missing directories, and details about overridden settings of pip.
        cwd: absolute directory that pip's relative paths start from.
        project: directory of the application, whose ``[tool.uv]`` counts as the user's setting for uv.
        read: returns a file's text, or None.
        exists: returns whether a path exists.

    Raises:
        LockError: pip settings can be neither translated nor ignored; lists all of them.
    """
    translation = _Translation(read_pip_settings(environ, read), environ, reporter, cwd, read, exists)
    inherited = {key: value for key, value in environ.items() if key in _PASSED_ON or _PASSED_ON_TOO.fullmatch(key)}
    own = uv_indexes(environ, project, read)
    uv_environ = inherited | translation.translate(default_is_set=any(index.default for index in own))
    if translation.problems:
        raise LockError(
            f"{len(translation.problems)} of pip's settings cannot be translated for uv.",
            details="\n".join(translation.problems),
            resolution="Unset them for venvpkg, for example: env -u PIP_NO_BINARY venvpkg ...",
        )
    indexes = uv_indexes(uv_environ, project, read)
    return UvSettings(
        environ=uv_environ,
        arguments=("--no-index",) if translation.without_index else (),
        indexes=urls_with_credentials(indexes, environ),
        order=() if translation.without_index else _order(uv_environ),
        is_chosen_by_pip="UV_INDEX" in uv_environ
        and "UV_INDEX" not in inherited
        and "UV_INDEX_STRATEGY" not in environ,
    )


def _order(environ: Mapping[str, str]) -> tuple[str, ...]:
    more = (*environ.get("UV_INDEX", "").split(), *environ.get("UV_EXTRA_INDEX_URL", "").split())
    return tuple(dict.fromkeys((*more, environ.get("UV_DEFAULT_INDEX", "") or environ.get("UV_INDEX_URL", ""))))


@dataclass(slots=True)
class _Translation:
    """One pass over pip's settings that collects those that cannot be translated."""

    pip: Mapping[str, PipSetting]
    environ: Mapping[str, str]
    reporter: Reporter
    cwd: Path
    read: ReadText
    exists: Callable[[Path], bool]
    problems: list[str] = field(default_factory=list)
    without_index: bool = False

    def translate(self, *, default_is_set: bool) -> dict[str, str]:
        """Return uv's variables for pip's settings."""
        self.problems.extend(
            f"  {setting.source}: {_REFUSED[name]}"
            for name, setting in self.pip.items()
            if name in _REFUSED and setting.flag is not False and setting.value.strip() != ":none:"
        )
        return {
            **dict(self._translate_indexes(default_is_set=default_is_set)),
            **dict(self._translate_choices()),
            **dict(self._translate_security()),
            **dict(self._translate_connection()),
        }

    def _translate_indexes(self, *, default_is_set: bool) -> Iterator[tuple[str, str]]:
        """Yield variables for indexes and links; a default index for uv overrides all of pip's."""
        more = next((name for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL") if self.environ.get(name)), "")
        own = "uv's default index" if default_is_set else ""
        if (setting := self.pip.get("no-index")) and self._parse_flag(setting):
            self.without_index = not self._is_overridden(setting, own or more)
        urls: list[str] = []
        setting = None if self.without_index else self.pip.get("index-url")
        if setting and not self._is_overridden(setting, own):
            # Kept even if it does not exist: uv must fail then, and not fall through to the public index.
            urls.append(self._to_url(setting.value.strip()))
        has_default = bool(urls)
        setting = None if self.without_index else self.pip.get("extra-index-url")
        if setting and not self._is_overridden(setting, own or more):
            urls.extend(self._existing_urls(setting, self.reporter.warn))
        if has_default:
            # uv asks its default index last. The index-url comes first: it is what the user chose instead of the public
            # index, which may well be one of the others.
            yield "UV_DEFAULT_INDEX", urls.pop()
        if urls:
            yield "UV_INDEX", " ".join(urls)
        setting = self.pip.get("find-links")
        if setting and not self._is_overridden(
            setting, own or ("UV_FIND_LINKS" if "UV_FIND_LINKS" in self.environ else "")
        ):
            links = self._existing_urls(setting, self.reporter.detail)
            yield from [("UV_FIND_LINKS", ",".join(url.replace(",", "%2C") for url in links))] if links else []

    def _translate_choices(self) -> Iterator[tuple[str, str]]:
        for name, variable in (("constraint", "UV_CONSTRAINT"), ("build-constraint", "UV_BUILD_CONSTRAINT")):
            if setting := self._effective(name, variable):
                yield variable, " ".join(self._to_path(word) for word in setting.words)
        if setting := self._effective("uploaded-prior-to", "UV_EXCLUDE_NEWER"):
            yield "UV_EXCLUDE_NEWER", setting.value.strip()
        for name, word in (("only-final", "disallow"), ("all-releases", "allow")):
            setting = self._effective(name, "UV_PRERELEASE")
            if setting and setting.value.strip() == ":all:":
                yield "UV_PRERELEASE", word
            elif setting and setting.value.strip() != ":none:":
                self.problems.append(f"  {setting.source}: only ':all:' is supported; or set UV_PRERELEASE")
        if (setting := self._effective("pre", "UV_PRERELEASE")) and self._parse_flag(setting):
            yield "UV_PRERELEASE", "allow"

    def _translate_security(self) -> Iterator[tuple[str, str]]:
        if (cert := self._ca_bundle()) and not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & self.environ.keys():
            path = self._to_path(cert)
            # pip also accepts a directory of hashed certificates.
            yield ("SSL_CERT_DIR" if self.read(Path(path)) is None else "SSL_CERT_FILE"), path
        if setting := self._effective("client-cert", "SSL_CLIENT_CERT"):
            yield "SSL_CLIENT_CERT", self._to_path(setting.value.strip())
        if setting := self._effective("trusted-host", "UV_INSECURE_HOST"):
            yield "UV_INSECURE_HOST", " ".join(setting.words)
        if setting := self._effective("keyring-provider", "UV_KEYRING_PROVIDER"):
            match setting.value.strip():
                case "subprocess" | "disabled" as word:
                    yield "UV_KEYRING_PROVIDER", word
                case "import":
                    self.problems.append(f"  {setting.source}: only 'subprocess' and 'disabled' are supported")
                case _:  # auto: uv has no such mode; netrc and credentials in URLs still work
                    pass

    def _ca_bundle(self) -> str:
        """Return the path of pip's CA bundle, from its setting or the variables of its HTTP library; empty for none.

        Source:
            pip documentation, "HTTPS Certificates"; Requests documentation, "SSL Cert Verification".
        """
        if setting := self.pip.get("cert"):
            return setting.value.strip()
        return self.environ.get("REQUESTS_CA_BUNDLE") or self.environ.get("CURL_CA_BUNDLE") or ""

    def _translate_connection(self) -> Iterator[tuple[str, str]]:
        if setting := self.pip.get("proxy"):
            proxy = setting.value.strip()
            for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                url = proxy if "://" in proxy else f"http://{proxy}"
                yield variable, url
                yield variable.lower(), url
        if setting := self._effective("timeout", "UV_HTTP_TIMEOUT"):
            yield from self._translate_number(setting, "UV_HTTP_TIMEOUT", least=1)
        if setting := self._effective("retries", "UV_HTTP_RETRIES"):
            yield from self._translate_number(setting, "UV_HTTP_RETRIES", least=0)

    def _effective(self, name: str, variable: str) -> PipSetting | None:
        """Return a setting of pip's, or None if it is unset or uv's variable for the same thing is set."""
        setting = self.pip.get(name)
        if setting is None or self._is_overridden(setting, variable if self.environ.get(variable) else ""):
            return None
        return setting

    def _is_overridden(self, setting: PipSetting, by: str) -> bool:
        """Return whether a setting of uv's overrides one of pip's; ``by`` is its name, or empty if there is none."""
        if by:
            self.reporter.detail(f"ignoring {setting.source}: {by} is set")
        return bool(by)

    def _parse_flag(self, setting: PipSetting) -> bool:
        if setting.flag is None:
            self.problems.append(f"  {setting.source}: must be yes or no")
        return bool(setting.flag)

    def _translate_number(self, setting: PipSetting, variable: str, *, least: int) -> Iterator[tuple[str, str]]:
        """Yield the variable with a number rounded up; pip accepts fractions, uv does not."""
        try:
            number = float(setting.value)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and number >= 0:
            yield variable, str(max(least, math.ceil(number)))
        else:
            self.problems.append(f"  {setting.source}: must be a number")

    def _existing_urls(self, setting: PipSetting, report: Callable[[str], None]) -> tuple[str, ...]:
        """Return the URLs of a setting without file: URLs that do not exist."""
        urls: list[str] = []
        for word in setting.words:
            url = self._to_url(word)
            try:
                parts = urlsplit(url)
            except ValueError:  # its text could contain credentials
                self.problems.append(f"  {setting.source}: contains an invalid URL")
                continue
            if parts.scheme == "file" and not self.exists(Path(unquote(parts.path))):
                report(f"{setting.source}: {redact(word)} does not exist; ignored")
            else:
                urls.append(url)
        return tuple(urls)

    def _to_url(self, word: str) -> str:
        """Return a URL or path as a URL; pip also accepts relative paths and those that begin with ``~/``."""
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", word):
            return word
        return Path(self._to_path(word)).as_uri()

    def _to_path(self, word: str) -> str:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", word):
            return word
        if word.startswith("~/") and self.environ.get("HOME"):
            word = self.environ["HOME"] + word[1:]
        return str(self.cwd / word)
