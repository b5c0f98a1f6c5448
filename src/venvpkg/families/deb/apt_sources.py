"""The repositories that this machine's apt reads, and those of another release on the same mirrors.

apt itself is not asked, because it does not say enough: up to 3.0 at least, ``apt-get indextargets`` has no word about
keyrings, and prints nothing for repositories whose lists are not there, as in most container images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from venvpkg.families.deb.deb822 import parse_stanzas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


# Suites beside the release itself; Debian's unstable has none of them.
_BESIDE: Final = ("-updates", "-security")
_ROLLING: Final = frozenset({"sid", "unstable", "rc-buggy", "experimental"})
_ONE_LINE: Final = re.compile(r"\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)(?:#.*)?")


@dataclass(frozen=True, slots=True)
class AptSource:
    """One repository.

    Attributes:
        uri: of the archive.
        suite: ``bookworm-updates``.
        components: ``main``.
        keyring: file with the keys that sign it; empty for those that apt trusts.
    """

    uri: str
    suite: str
    components: tuple[str, ...]
    keyring: str = ""

    def __str__(self) -> str:
        """Return it as a line of sources.list(5)."""
        option = f"[signed-by={self.keyring}] " if self.keyring else ""
        return f"deb {option}{self.uri} {self.suite} {' '.join(self.components)}"


def sources_on_same_mirrors(sources: Iterable[AptSource], here: str, there: str) -> tuple[AptSource, ...]:
    """Return the repositories of the release ``there``, from those of the release ``here``; each once, in order.

    Those of others (a vendor's own suite) say nothing about another release, and are left out; so is one that is
    signed with keys that are no archive's of the release.
    """
    suites = {here, *(f"{here}{each}" for each in _BESIDE)}
    found = (
        replace(each, suite=each.suite.replace(here, there, 1))
        for each in sources
        if each.suite in suites and (not each.keyring or "-archive-" in each.keyring)
    )
    return tuple(dict.fromkeys(each for each in found if there not in _ROLLING or each.suite == there))


def read_apt_sources(directory: Path) -> tuple[AptSource, ...]:
    """Return the repositories that apt reads in a directory such as /etc/apt, each once.

    Source:
        sources.list(5).
    """
    found: list[AptSource] = []
    for path in (directory / "sources.list", *sorted(directory.glob("sources.list.d/*"))):
        if path.is_file() and path.suffix in {".list", ".sources"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            found.extend(one_line_sources(text) if path.suffix == ".list" else deb822_sources(text))
    return tuple(dict.fromkeys(found))


def one_line_sources(text: str) -> Iterator[AptSource]:
    """Yield the binary repositories in a file of one-line entries."""
    for line in text.splitlines():
        entry = _ONE_LINE.fullmatch(line)
        if entry is not None:
            options = dict(option.split("=", 1) for option in (entry[1] or "").split() if "=" in option)
            yield AptSource(entry[2], entry[3], tuple(entry[4].split()), options.get("signed-by", ""))


def deb822_sources(text: str) -> Iterator[AptSource]:
    """Yield the enabled binary repositories in a file of deb822 stanzas; one with its keys in it says nothing here."""
    # apt takes comments anywhere, and white space for an empty line. What it cannot read stops it, not us.
    lines = (line.rstrip() for line in text.splitlines() if not line.startswith("#"))
    stanzas, _ = parse_stanzas("\n".join(lines))
    for stanza in stanzas:
        fields = {name: " ".join(value.split()) for name, value in stanza.items()}
        is_enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
        keyring = fields.get("signed-by", "")
        if "deb" not in fields.get("types", "").split() or not is_enabled or " " in keyring:
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield AptSource(uri, suite, tuple(fields.get("components", "").split()), keyring)
