"""Check an untrusted wheel before it is used: names, sizes, RECORD."""

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


# RECORD cannot contain its own hash, nor those of its signatures.
UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_NEEDED = ("METADATA", "WHEEL", "RECORD")
# The wheel specification allows "sha256 or better".
_HASHES = frozenset({"sha256", "sha384", "sha512"})
_DIST_INFO = re.compile(r"([^/]+)-([^/-]+)\.dist-info")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, OverflowError)


@dataclass(frozen=True, slots=True)
class WheelFacts:
    """Facts about a checked wheel.

    Attributes:
        name: normalised name of the distribution.
        version: version of the distribution (PEP 440).
        tags: tags in its file name.
        dist_info: name of its .dist-info directory.
        elf: members that are ELF files, sorted; empty if the contents were not read.
    """

    name: str
    version: Version
    tags: frozenset[Tag]
    dist_info: str
    elf: tuple[str, ...]


def check_wheel(path: Path, *, contents: bool = True) -> WheelFacts:
    """Check a wheel, and return the facts about it.

    Args:
        path: path of the wheel, under its own name.
        contents: whether to read every member and compare it with RECORD. If not, names, sizes and the completeness of
            RECORD are checked. zipfile never yields more of a member than its declared size, so a bomb is found in both
            cases.

    Raises:
        WheelError: the wheel is damaged or hostile; the error lists all problems.

    Source:
        Binary distribution format (PyPA specification, from PEP 427 and PEP 491).
    """
    check = _Check(path)
    check.run(contents=contents)
    if check.problems:
        shown = check.problems[:50]
        more = len(check.problems) - len(shown)
        raise WheelError(
            f"the wheel {path.name} is not valid.",
            details="\n".join(f"  {each}" for each in (*shown, *([f"and {more} more"] if more else []))),
            resolution="Report it to its publisher, or use another version.",
        )
    return WheelFacts(check.name, check.version, check.tags, check.dist_info, tuple(sorted(check.elf)))


class _Check:
    """The check of one wheel, which collects problems."""

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
            self.problems.append(f"its file name is not valid for a wheel: {error}")
        try:
            with zipfile.ZipFile(self._path) as archive:
                self._check_members(archive)
                self._check_metadata(archive)
                if not self.problems:
                    self._check_record(archive, contents=contents)
        except _DAMAGE as error:
            if is_environment_error(error):
                raise
            self.problems.append(f"it is damaged: {str(error) or type(error).__name__}")

    def _check_members(self, archive: zipfile.ZipFile) -> None:
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
                self.problems.append(f"{name!r} occurs twice")
            elif not info.is_dir():
                self._files[name] = info
        for name in self._files:
            parents = name.split("/")[:-1]
            if any("/".join(parents[:depth]) in self._files for depth in range(1, len(parents) + 1)):
                self.problems.append(f"{name!r} is below a file")

    def _check_metadata(self, archive: zipfile.ZipFile) -> None:
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

    def _check_record(self, archive: zipfile.ZipFile, *, contents: bool) -> None:
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
        # A file that only exists in RECORD does no harm: installed distributions get a new RECORD.
        for name, info in self._files.items():
            if name in unhashed:
                continue
            if name not in recorded:
                self.problems.append(f"{name!r} is not in its RECORD")
            else:
                self._check_file(archive, info, *recorded[name], contents=contents)

    def _check_file(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, digest: str, size: str, *, contents: bool
    ) -> None:
        algorithm, _, expected = digest.partition("=")
        if algorithm not in _HASHES or not expected:
            self.problems.append(f"{info.filename!r} has no sha256 in its RECORD")
        elif size and size != str(info.file_size):
            self.problems.append(f"{info.filename!r} does not have the size in its RECORD")
        elif contents:
            with archive.open(info) as member:
                start = member.read(len(ELF_MAGIC))
                actual = hashlib.new(algorithm, start)
                while chunk := member.read(1 << 20):
                    actual.update(chunk)
            if base64.urlsafe_b64encode(actual.digest()).rstrip(b"=").decode() != expected.rstrip("="):
                self.problems.append(f"{info.filename!r} does not match the hash in its RECORD")
            if start == ELF_MAGIC:
                self.elf.append(info.filename)
