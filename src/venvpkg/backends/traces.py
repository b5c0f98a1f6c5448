"""Texts in a file that tell where it was built. Pure; what is searched may be anybody's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The beginnings are found by memory search, and only there a pattern is tried: a gigabyte takes seconds. Places that
# manuals and examples name (/tmp/foo, /home/user) are not meant.
_ROOTED = {
    b"/tmp/": re.compile(rb"/tmp/(?:pip-|build-env-|tmp)[A-Za-z0-9_-]{6,40}/[!-~]{0,160}"),
    b"/build/": re.compile(rb"/build/(?:reproducible-path|[a-z0-9.+-]{2,60}-[A-Za-z0-9]{6})/[!-~]{0,160}"),
    b"/home/": re.compile(
        rb"/home/(?!(?:user|username|me|you|foo|joe|bob|alice|jdoe)/)[a-z_][a-z0-9_-]{0,31}/[!-~]{1,160}"
    ),
    b"/root/": re.compile(rb"/root/[A-Za-z0-9._-]{1,60}/[!-~]{1,160}"),
    b"/__w/": re.compile(rb"/__w/[A-Za-z0-9._-]{1,60}/[!-~]{1,160}"),
}
# A package's staging directory inside its source package, wherever that was.
_STAGING = b"/debian/"
_STAGED = re.compile(rb"/debian/[a-z0-9][a-z0-9.+-]{1,60}/(?:opt|usr|var|etc)/[!-~]{0,160}")
_BEFORE = re.compile(rb"/[A-Za-z0-9._+/-]{0,130}\Z")
_PART_OF_PATH = re.compile(rb"[A-Za-z0-9._~%:+/-]")
# A path ends where text does: at a quote, a bracket, white space.
_END = re.compile(rb"[\"'`<>|(){}\[\];,\\]")
_OVERLAP_BYTES = 512
_MOST_TRIES = 10_000


class TraceFinder:
    """Looks for traces in one file that comes in chunks.

    Attributes:
        first: the first trace, empty for none.
        count: of traces; a file with very many candidates is not searched to its end.
    """

    def __init__(self) -> None:
        self.first = ""
        self.count = 0
        self._tail = b""
        self._tries = 0
        self._places: set[int] = set()
        self._offset = 0

    def feed(self, chunk: bytes) -> None:
        """Search the next chunk; a trace may lie across two of them."""
        window = self._tail + chunk
        start = self._offset - len(self._tail)
        for place, text in self._found(window):
            if start + place not in self._places:
                self._places.add(start + place)
                self.count += 1
                self.first = self.first or _END.split(text)[0].decode("ascii")
        self._offset += len(chunk)
        self._tail = window[-_OVERLAP_BYTES:]
        self._places = {place for place in self._places if place >= self._offset - len(self._tail)}

    def _found(self, window: bytes) -> Iterator[tuple[int, bytes]]:
        for beginning, pattern in _ROOTED.items():
            for place in self._places_of(beginning, window):
                # What stands before decides whether it is the root's: "https://example.org/home/page" is not.
                is_root = not _PART_OF_PATH.match(window, place - 1) if place else not self._offset
                if is_root and (match := pattern.match(window, place)):
                    yield place, match[0]
        for place in self._places_of(_STAGING, window):
            before = _BEFORE.search(window[max(0, place - 131) : place])
            if before and (match := _STAGED.match(window, place)):
                yield place, before[0] + match[0]

    def _places_of(self, beginning: bytes, window: bytes) -> Iterator[int]:
        place = window.find(beginning)
        while place >= 0 and self._tries < _MOST_TRIES:
            self._tries += 1
            yield place
            place = window.find(beginning, place + 1)
