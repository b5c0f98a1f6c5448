"""Check a wheel from anywhere before anything of it is used: names, sizes, RECORD."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from venvpkg.errors import WheelError
from venvpkg.host.archive import MOST_METADATA_BYTES, Budget, name_problem
from venvpkg.host.oserrors import is_environment_error
from venvpkg.model.elf import ELF_MAGIC

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.tags import Tag


# RECORD cannot hold its own hash, nor that of its signatures.
UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_NEEDED = ("METADATA", "WHEEL", "RECORD")
# What the wheel specification allows: "sha256 or better".
_HASHES = frozenset({"sha256", "sha384", "sha512"})
_DIST_INFO = re.compile(r"([^/]+)-([^/-]+)\.dist-info")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, OverflowError)


@dataclass(frozen=True, slots=True)
class WheelFacts:
    """What a checked wheel is.

    Attributes:
        name: normalised.
        version: PEP 440.
        tags: of its file name.
        dist_info: name of its .dist-info directory.
        elf: members that are ELF files, sorted; empty when the contents were not read.
    """

    name: str
    version: Version
    tags: frozenset[Tag]
    dist_info: str
    elf: tuple[str, ...]


def check_wheel(path: Path, *, contents: bool = True) -> WheelFacts:
    """Return what the wheel is, when nothing is wrong with it.

    Args:
        path: of the wheel, under its own name.
        contents: read every member and compare it with RECORD. Without, names, sizes and completeness of RECORD are
            checked; zipfile never yields more of a member than its declared size, so a bomb is found either way.

    Raises:
        WheelError: damaged or hostile; all problems are named.

    Source:
        Binary distribution format (PyPA specification, from PEP 427 and PEP 491).
    """
    check = _Check(path)
    check.run(contents=contents)
    if check.problems:
        shown = check.problems[:50]
        more = len(check.problems) - len(shown)
        raise WheelError(
            f"The wheel {path.name} cannot be used.",
            details="\n".join(f"  {each}" for each in (*shown, *([f"and {more} more"] if more else []))),
            resolution="Report it to its publisher, or choose another version.",
        )
    return WheelFacts(check.name, check.version, check.tags, check.dist_info, tuple(sorted(check.elf)))


class _Check:
    """One wheel under examination; problems collect."""

    def __init__(self, path: Path) -> None:
        self.problems: list[str] = []
        self.elf: list[str] = []
        self.dist_info = ""
        self.name = ""
        self.version = Version("0")
        self.tags: frozenset[Tag] = frozenset()
        self._path = path
        self._files: dict[str, zipfile.ZipInfo] = {}

    def run(self, *, contents: bool) -> None:
        try:
            self.name, self.version, _, self.tags = parse_wheel_filename(self._path.name)
        except InvalidWheelFilename as error:
            self.problems.append(f"its name is no wheel's name: {error}")
        try:
            with zipfile.ZipFile(self._path) as archive:
                self._members(archive)
                self._metadata(archive)
                if not self.problems:
                    self._record(archive, contents=contents)
        except _DAMAGE as error:
            if is_environment_error(error):
                raise
            self.problems.append(f"it is damaged: {str(error) or type(error).__name__}")

    def _members(self, archive: zipfile.ZipFile) -> None:
        budget = Budget.of_distribution(self._path.stat().st_size)
        for info in archive.infolist():
            excess = budget.excess(info.file_size)
            if excess:
                self.problems.append(f"it {excess}")
                return
            name = info.orig_filename.removesuffix("/")
            problem = name_problem(name)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if problem:
                self.problems.append(f"{name!r} {problem}")
            elif kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
                self.problems.append(f"{name!r} is neither a file nor a directory")
            elif name in self._files:
                self.problems.append(f"{name!r} is there twice")
            elif not info.is_dir():
                self._files[name] = info
        for name in self._files:
            parents = name.split("/")[:-1]
            if any("/".join(parents[:depth]) in self._files for depth in range(1, len(parents) + 1)):
                self.problems.append(f"{name!r} lies below a file")

    def _metadata(self, archive: zipfile.ZipFile) -> None:
        tops = {name.partition("/")[0] for name in self._files}
        found = sorted(top for top in tops if top.endswith(".dist-info"))
        if len(found) != 1:
            self.problems.append(f"it has {len(found)} .dist-info directories instead of one")
            return
        (self.dist_info,) = found
        if self.tags and not self._is_own(self.dist_info):
            self.problems.append(f"{self.dist_info!r} belongs to another distribution or version")
        for name in _NEEDED:
            if f"{self.dist_info}/{name}" not in self._files:
                self.problems.append(f"it has no {name}")
        for name, info in self._files.items():
            if name.startswith(f"{self.dist_info}/") and info.file_size > MOST_METADATA_BYTES:
                self.problems.append(f"{name!r} is larger than {MOST_METADATA_BYTES >> 20} MiB")
        if not self.problems:
            text = archive.read(f"{self.dist_info}/WHEEL").decode("utf-8", "replace")
            if not re.search(r"(?mi)^Wheel-Version:\s*1\.\d+\s*$", text):
                self.problems.append("its WHEEL is not of version 1")

    def _is_own(self, dist_info: str) -> bool:
        match = _DIST_INFO.fullmatch(dist_info)
        try:
            return match is not None and (canonicalize_name(match[1]), Version(match[2])) == (self.name, self.version)
        except InvalidVersion:
            return False

    def _record(self, archive: zipfile.ZipFile, *, contents: bool) -> None:
        unhashed = {f"{self.dist_info}/{name}" for name in UNHASHED}
        recorded: dict[str, tuple[str, str]] = {}
        text = archive.read(f"{self.dist_info}/RECORD").decode("utf-8")
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        except csv.Error as error:
            self.problems.append(f"its RECORD is malformed: {error}")
            return
        for row in rows:
            if len(row) != 3:  # noqa: PLR2004 -- path, hash, size
                self.problems.append(f"its RECORD has the line {row!r}")
            elif row[0] in recorded:
                self.problems.append(f"its RECORD has {row[0]!r} twice")
            else:
                recorded[row[0]] = (row[1], row[2])
        # A recorded file that is not there does no harm: what is installed gets a RECORD of its own.
        for name, info in self._files.items():
            if name in unhashed:
                continue
            if name not in recorded:
                self.problems.append(f"{name!r} is not in its RECORD")
            else:
                self._file(archive, info, *recorded[name], contents=contents)

    def _file(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, digest: str, size: str, *, contents: bool) -> None:
        algorithm, _, expected = digest.partition("=")
        if algorithm not in _HASHES or not expected:
            self.problems.append(f"{info.filename!r} has no sha256 in its RECORD")
        elif size and size != str(info.file_size):
            self.problems.append(f"{info.filename!r} has another size than its RECORD tells")
        elif contents:
            with archive.open(info) as member:
                start = member.read(len(ELF_MAGIC))
                actual = hashlib.new(algorithm, start)
                while chunk := member.read(1 << 20):
                    actual.update(chunk)
            if base64.urlsafe_b64encode(actual.digest()).rstrip(b"=").decode() != expected.rstrip("="):
                self.problems.append(f"{info.filename!r} is not what its RECORD tells")
            if start == ELF_MAGIC:
                self.elf.append(info.filename)
