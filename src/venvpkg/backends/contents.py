"""What is among the files of any package: one pass, nothing extracted but one ELF file at a time."""

from __future__ import annotations

import heapq
import json
import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from venvpkg.backends.destdir import EVIDENCE, SBOM
from venvpkg.backends.traces import TraceFinder
from venvpkg.elf.read import MAGIC, read_object
from venvpkg.errors import ElfError
from venvpkg.host.files import sha256_of
from venvpkg.model.inspection import Inspection, Leak, PackedDistribution, PackedElf, PackedFile, PackedLink

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterable

    from venvpkg.backends.tarball import Member

_CHUNK_BYTES = 1 << 20
# The largest libraries there are have some GiB; a file that claims more is not copied to be read.
_MOST_ELF_BYTES = 4 << 30
_MOST_METADATA_BYTES = 1 << 16
_LARGEST = 10
# Of each kind; a package of a million commands is not worth the memory.
_MOST_NAMED = 100_000
_PROGRAMS = frozenset(map(PurePosixPath, ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/games", "/usr/local/bin")))
_SERVICES = re.compile(r"/(usr/)?lib/systemd/(system|user)/[^/]+\.[a-z]+|/etc/init\.d/[^/]+|/etc/cron\.[a-z]+/[^/]+")
_METADATA = re.compile(r"/[^/]+\.(dist-info/METADATA|egg-info/PKG-INFO|egg-info)\Z")
_DOCUMENTS = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/info/")
_CREATED_BY = re.compile(rb"^command *= *(.*)$", re.MULTILINE)


class PackedContents:
    """What one pass over the files of a package gathers."""

    def __init__(self) -> None:
        self.counts = {"files": 0, "directories": 0, "links": 0, "others": 0}
        self.payload_bytes = 0
        self.largest: list[tuple[int, str]] = []
        self.distributions: list[PackedDistribution] = []
        self.commands: list[PackedLink] = []
        self.services: list[str] = []
        self.elf: list[PackedElf] = []
        self.leaks: list[Leak] = []
        self.records: list[str] = []

    def inspection(
        self,
        artifact: Path,
        fields: tuple[tuple[str, str], ...],
        scripts: tuple[str, ...],
        configuration: tuple[str, ...],
    ) -> Inspection:
        """Return what was gathered, with what the package's metadata says, which the family knows how to read."""
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
            records=tuple(sorted(self.records)),
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
        if path.endswith((f"/{EVIDENCE}", f"/{SBOM}")) and len(self.records) < _MOST_NAMED:
            self.records.append(path)
        head = content.read(_CHUNK_BYTES)
        self._add_named(path, head[:_MOST_METADATA_BYTES])
        traces = TraceFinder()
        if head.startswith(MAGIC) and size <= _MOST_ELF_BYTES and len(self.elf) < _MOST_NAMED:
            with tempfile.NamedTemporaryFile(prefix="venvpkg-") as copy:
                _pass(head, content, traces, copy)
                copy.flush()
                self.elf.append(_elf(Path(copy.name), path))
        else:
            _pass(head, content, traces, None)
        if traces.count and not path.startswith(_DOCUMENTS) and len(self.leaks) < _MOST_NAMED:
            self.leaks.append(Leak(path, traces.first, traces.count))

    def _add_named(self, path: str, head: bytes) -> None:
        """Note what files of a known name say: whose metadata, and where an environment was made."""
        if len(self.leaks) >= _MOST_NAMED or len(self.distributions) >= _MOST_NAMED:
            return
        metadata = _METADATA.search(path)
        if metadata is not None:
            fields = dict(re.findall(rb"^(Name|Version):[ \t]*(.*?)\r?$", head.partition(b"\n\n")[0], re.MULTILINE))
            name, version = (fields.get(key, b"").decode("utf-8", "replace") for key in (b"Name", b"Version"))
            self.distributions.append(PackedDistribution(name, version, path))
        elif path.endswith(".dist-info/direct_url.json"):
            self.leaks.append(Leak(path, _url(head), 1))
        elif path.endswith("/pyvenv.cfg") and (found := _CREATED_BY.search(head)):
            command = found[1].decode("utf-8", "replace").strip()
            # The environment itself may be named; how and by what it was made tells of the machine.
            if command.startswith("/") or not command.endswith(path.removesuffix("/pyvenv.cfg")):
                self.leaks.append(Leak(path, f"command = {command}", 1))


def _pass(head: bytes, content: IO[bytes], traces: TraceFinder, copy: IO[bytes] | None) -> None:
    """Read the whole content once, chunk by chunk; write it to ``copy`` if there is to be one."""
    chunk = head
    while chunk:
        traces.feed(chunk)
        if copy is not None:
            copy.write(chunk)
        chunk = content.read(_CHUNK_BYTES)


def _elf(copy: Path, path: str) -> PackedElf:
    try:
        facts = read_object(copy, PurePosixPath(path))
    except ElfError as error:
        return PackedElf(path, problem=error.problems[0].removeprefix(f"{path}: "))
    return PackedElf(path, facts.soname or "", facts.needed, facts.rpath, facts.runpath)


def _url(head: bytes) -> str:
    try:
        document = json.loads(head)
    except (ValueError, RecursionError):
        return "direct_url.json"
    url = document.get("url") if isinstance(document, dict) else None
    return url if isinstance(url, str) else "direct_url.json"
