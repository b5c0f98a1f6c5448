"""Inspect the files of any package in one pass; only ELF files are extracted, one at a time."""

from __future__ import annotations

import heapq
import json
import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from venvpkg.errors import ElfError
from venvpkg.families.common.destdir import EVIDENCE, SBOM
from venvpkg.host.files import sha256_of
from venvpkg.linking.read import read_object
from venvpkg.model.elf import ELF_MAGIC
from venvpkg.model.package import Inspection, Leak, PackedDistribution, PackedElf, PackedFile, PackedLink

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterable, Iterator

    from venvpkg.families.common.read import Member


_CHUNK_BYTES = 1 << 20
# The largest existing libraries have a few GiB; a file that claims more is not extracted.
_MOST_ELF_BYTES = 4 << 30
_MOST_METADATA_BYTES = 1 << 16
_LARGEST = 10
# Limit for each list; a package with a million commands is not worth the memory.
_MOST_NAMED = 100_000
_PROGRAMS = frozenset(map(PurePosixPath, ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/games", "/usr/local/bin")))
_SERVICES = re.compile(r"/(usr/)?lib/systemd/(system|user)/[^/]+\.[a-z]+|/etc/init\.d/[^/]+|/etc/cron\.[a-z]+/[^/]+")
_METADATA = re.compile(r"/[^/]+\.(dist-info/METADATA|egg-info/PKG-INFO|egg-info)\Z")
_DOCUMENTS = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/info/")
_CREATED_BY = re.compile(rb"^command *= *(.*)$", re.MULTILINE)


class PackedContents:
    """Facts about the files of a package, gathered in one pass."""

    def __init__(self) -> None:
        self.counts = {"files": 0, "directories": 0, "links": 0, "others": 0}
        self.payload_bytes = 0
        self.largest: list[tuple[int, str]] = []
        self.distributions: list[PackedDistribution] = []
        self.commands: list[PackedLink] = []
        self.services: list[str] = []
        self.elf: list[PackedElf] = []
        self.leaks: list[Leak] = []
        self.own_documents: list[str] = []

    def inspection(
        self,
        artifact: Path,
        fields: tuple[tuple[str, str], ...],
        scripts: tuple[str, ...],
        configuration: tuple[str, ...],
        *,
        is_ours: bool = False,
    ) -> Inspection:
        """Return the gathered facts, combined with those from the package's metadata, which the family reads.

        Args:
            artifact: the package.
            fields: names and values of its metadata.
            scripts: names of its scripts.
            configuration: its configuration files.
            is_ours: whether its metadata name venvpkg as its builder.
        """
        return Inspection(
            filename=artifact.name,
            sha256=sha256_of(artifact),
            size_bytes=artifact.stat().st_size,
            fields=fields,
            scripts=scripts,
            configuration=configuration,
            counts=tuple(self.counts.items()),
            payload_bytes=self.payload_bytes,
            largest=tuple(
                PackedFile(path, size) for size, path in sorted(self.largest, key=lambda each: (-each[0], each[1]))
            ),
            distributions=tuple(sorted(self.distributions, key=lambda each: (each.name.lower(), each.path))),
            commands=tuple(sorted(self.commands, key=lambda each: each.path)),
            services=tuple(sorted(self.services)),
            elf=tuple(sorted(self.elf, key=lambda each: each.path)),
            leaks=tuple(sorted(self.leaks, key=lambda each: each.path)),
            is_ours=is_ours or bool(self.own_documents),
            own_documents=tuple(sorted(self.own_documents)),
        )

    def add_all(self, members: Iterable[Member]) -> None:
        """Read every member once."""
        for member, content in members:
            self._add(member, content)

    def _add(self, member: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        path = "/" + member.name.removeprefix("./").strip("/")
        if member.isdir():
            self.counts["directories"] += 1
            return
        kind = "files" if content is not None else "links" if member.issym() or member.islnk() else "others"
        self.counts[kind] += 1
        points_to = member.linkname if kind == "links" else ""
        if PurePosixPath(path).parent in _PROGRAMS and len(self.commands) < _MOST_NAMED:
            self.commands.append(PackedLink(path, points_to))
        if _SERVICES.fullmatch(path) and len(self.services) < _MOST_NAMED:
            self.services.append(path)
        if content is not None:
            self._add_file(path, member.size, content)

    def _add_file(self, path: str, size: int, content: IO[bytes]) -> None:
        self.payload_bytes += size
        heapq.heappush(self.largest, (size, path))
        if len(self.largest) > _LARGEST:
            heapq.heappop(self.largest)
        if path.endswith((f"/{EVIDENCE}", f"/{SBOM}")) and len(self.own_documents) < _MOST_NAMED:
            self.own_documents.append(path)
        head = content.read(_CHUNK_BYTES)
        self._add_named(path, head[:_MOST_METADATA_BYTES])
        scanner = BuildPathScanner()
        if head.startswith(ELF_MAGIC) and size <= _MOST_ELF_BYTES and len(self.elf) < _MOST_NAMED:
            with tempfile.NamedTemporaryFile(prefix="venvpkg-") as copy:
                _feed_content(head, content, scanner, copy)
                copy.flush()
                self.elf.append(_inspect_elf(Path(copy.name), path))
        else:
            _feed_content(head, content, scanner, None)
        if scanner.count and not path.startswith(_DOCUMENTS) and len(self.leaks) < _MOST_NAMED:
            self.leaks.append(Leak(path, scanner.first, scanner.count))

    def _add_named(self, path: str, head: bytes) -> None:
        """Note the distributions that metadata files name, and the places where a virtual environment was created."""
        if len(self.leaks) >= _MOST_NAMED or len(self.distributions) >= _MOST_NAMED:
            return
        metadata = _METADATA.search(path)
        if metadata is not None:
            fields = dict(re.findall(rb"^(Name|Version):[ \t]*(.*?)\r?$", head.partition(b"\n\n")[0], re.MULTILINE))
            name, version = (fields.get(key, b"").decode("utf-8", "replace") for key in (b"Name", b"Version"))
            self.distributions.append(PackedDistribution(name, version, path))
        elif path.endswith(".dist-info/direct_url.json"):
            self.leaks.append(Leak(path, _url_in_direct_url(head), 1))
        elif path.endswith("/pyvenv.cfg") and (found := _CREATED_BY.search(head)):
            command = found[1].decode("utf-8", "replace").strip()
            # The path of the virtual environment is fine; the program that created it is a path of the build machine.
            if command.startswith("/") or not command.endswith(path.removesuffix("/pyvenv.cfg")):
                self.leaks.append(Leak(path, f"command = {command}", 1))


def _feed_content(head: bytes, content: IO[bytes], scanner: BuildPathScanner, copy: IO[bytes] | None) -> None:
    """Read the whole content once, in chunks; also write it to ``copy`` if given."""
    chunk = head
    while chunk:
        scanner.feed(chunk)
        if copy is not None:
            copy.write(chunk)
        chunk = content.read(_CHUNK_BYTES)


def _inspect_elf(copy: Path, path: str) -> PackedElf:
    try:
        facts = read_object(copy, PurePosixPath(path))
    except ElfError as error:
        return PackedElf(path, problem=error.problems[0].removeprefix(f"{path}: "))
    return PackedElf(path, facts.soname or "", facts.needed, facts.rpath, facts.runpath)


def _url_in_direct_url(head: bytes) -> str:
    try:
        document = json.loads(head)
    except (ValueError, RecursionError):
        return "direct_url.json"
    url = document.get("url") if isinstance(document, dict) else None
    return url if isinstance(url, str) else "direct_url.json"


# The beginnings are found by memory search, and a pattern is tried only there: a gigabyte takes seconds. Paths that
# are common in manuals and examples (/tmp/foo, /home/user) do not count.
_BUILD_PATHS = {
    b"/tmp/": re.compile(rb"/tmp/(?:pip-|build-env-|tmp)[A-Za-z0-9_-]{6,40}/[!-~]{0,160}"),
    b"/build/": re.compile(rb"/build/(?:reproducible-path|[a-z0-9.+-]{2,60}-[A-Za-z0-9]{6})/[!-~]{0,160}"),
    b"/home/": re.compile(
        rb"/home/(?!(?:user|username|me|you|foo|joe|bob|alice|jdoe)/)[a-z_][a-z0-9_-]{0,31}/[!-~]{1,160}"
    ),
    b"/root/": re.compile(rb"/root/[A-Za-z0-9._-]{1,60}/[!-~]{1,160}"),
    b"/__w/": re.compile(rb"/__w/[A-Za-z0-9._-]{1,60}/[!-~]{1,160}"),
}
# The staging directory of a Debian package inside its source package, wherever that is.
_STAGING = b"/debian/"
_STAGED_PATH = re.compile(rb"/debian/[a-z0-9][a-z0-9.+-]{1,60}/(?:opt|usr|var|etc)/[!-~]{0,160}")
_BEFORE = re.compile(rb"/[A-Za-z0-9._+/-]{0,130}\Z")
_PART_OF_PATH = re.compile(rb"[A-Za-z0-9._~%:+/-]")
# A path in text ends at a quote, a bracket or white space.
_PATH_END = re.compile(rb"[\"'`<>|(){}\[\];,\\]")
_OVERLAP_BYTES = 512
_MOST_TRIES = 10_000


class BuildPathScanner:
    """Finds paths of a build machine in one file, which is fed in chunks.

    Attributes:
        first: the first path found; empty when there is none.
        count: number of paths found; a file with very many candidates is not searched to its end.
    """

    def __init__(self) -> None:
        self.first = ""
        self.count = 0
        self._tail = b""
        self._tries = 0
        self._places: set[int] = set()
        self._offset = 0

    def feed(self, chunk: bytes) -> None:
        """Search the next chunk; a path may span two chunks."""
        window = self._tail + chunk
        start = self._offset - len(self._tail)
        for place, text in self._find_paths(window):
            if start + place not in self._places:
                self._places.add(start + place)
                self.count += 1
                self.first = self.first or _PATH_END.split(text)[0].decode("ascii")
        self._offset += len(chunk)
        self._tail = window[-_OVERLAP_BYTES:]
        self._places = {place for place in self._places if place >= self._offset - len(self._tail)}

    def _find_paths(self, window: bytes) -> Iterator[tuple[int, bytes]]:
        for beginning, pattern in _BUILD_PATHS.items():
            for place in self._places_of(beginning, window):
                # The byte before tells whether the path starts here: in "https://example.org/home/page" it does not.
                is_root = not _PART_OF_PATH.match(window, place - 1) if place else not self._offset
                if is_root and (match := pattern.match(window, place)):
                    yield place, match[0]
        for place in self._places_of(_STAGING, window):
            before = _BEFORE.search(window[max(0, place - 131) : place])
            if before and (match := _STAGED_PATH.match(window, place)):
                yield place, before[0] + match[0]

    def _places_of(self, beginning: bytes, window: bytes) -> Iterator[int]:
        place = window.find(beginning)
        while place >= 0 and self._tries < _MOST_TRIES:
            self._tries += 1
            yield place
            place = window.find(beginning, place + 1)
