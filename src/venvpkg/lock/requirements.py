"""Read a requirements file: its pins, and the hashes beside them, which uv drops. All problems at once."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from venvpkg.errors import LockError
from venvpkg.host.files import read_regular
from venvpkg.index.urls import has_credentials, redact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_LARGEST: Final = 16 * 2**20
_DEEPEST: Final = 20
_COMMENT: Final = re.compile(r"(^|\s)#.*$")
_OPTION_AFTER: Final = re.compile(r"\s--?[A-Za-z]")
_SHA256: Final = re.compile(r"sha256:([0-9a-fA-F]{64})")
_VARIABLE: Final = re.compile(r"\$\{[A-Z0-9_]+\}")
# What a line may say that changes nothing here.
_WITHOUT_EFFECT: Final = frozenset({"--require-hashes", "--use-feature", "--no-use-wheel"})
_INDEXES: Final = frozenset({
    "-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--trusted-host",
})  # fmt: skip
_WHEELS: Final = "say it in [tool.venvpkg.wheels]: binary, compile, prefer-compile"
_DIRECTORY: Final = "a directory has neither hash nor pin; declare it as a dependency, under [tool.uv.sources]"
_REFUSED: Final = {
    "-c": "constraints belong into UV_CONSTRAINT",
    "--constraint": "constraints belong into UV_CONSTRAINT",
    "-e": _DIRECTORY,
    "--editable": _DIRECTORY,
    "--no-binary": _WHEELS,
    "--only-binary": _WHEELS,
    "--prefer-binary": _WHEELS,
    "--pre": "pin the version instead",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of the file.

    Attributes:
        requirement: what it asks for.
        sha256: of the files that may be taken; none when the line has no hashes.
        where: ``requirements.txt:12``.
    """

    requirement: Requirement
    sha256: frozenset[str]
    where: str

    @property
    def name(self) -> str:
        """Normalised name of the distribution."""
        return canonicalize_name(self.requirement.name)


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """What a requirements file says.

    Attributes:
        path: of the file.
        pins: its lines and those of the files that it names, in their order.
        indexes: lines that name an index, without credentials; indexes are set for uv or pip, not here.
    """

    path: Path
    pins: tuple[Pin, ...]
    indexes: tuple[str, ...]

    @property
    def hashed(self) -> bool:
        """Whether its files are pinned by their hashes; then all of them are."""
        return any(pin.sha256 for pin in self.pins)

    @property
    def lines(self) -> tuple[str, ...]:
        """The requirements (PEP 508), one a line, without hashes."""
        return tuple(str(pin.requirement) for pin in self.pins)

    @property
    def constraints(self) -> tuple[str, ...]:
        """The requirements as constraints, which have no extras; unique, sorted."""
        return tuple(sorted({_without_extras(pin.requirement) for pin in self.pins}))

    def trusted(self, name: str) -> frozenset[str]:
        """Return every sha256 that the file lists for a distribution."""
        return frozenset[str]().union(*(pin.sha256 for pin in self.pins if pin.name == name))


def read_requirements(path: Path, own: Path | None = None) -> RequirementsFile:
    """Return what a requirements file says.

    Args:
        path: of the file.
        own: directory of the application, which a line may name; the file's own when it is not given.

    Raises:
        LockError: it cannot be read, holds what cannot be honoured, or has hashes on some lines only; every problem is
            in the details.

    Source:
        pip documentation, "Requirements File Format" and "Secure installs" (hash-checking mode).
    """
    reader = _Reader(own or path.parent)
    reader.read(path, path.name, 0)
    found = RequirementsFile(path, tuple(reader.pins), tuple(dict.fromkeys(reader.indexes)))
    if found.hashed:
        reader.problems.extend(_problems_of_hashed(found))
    elif found.indexes and not reader.problems:
        # With hashes, a file from the wrong index is noticed. Without, it would be taken.
        reader.problems.extend(f"{line}: set the index for uv or pip instead (UV_DEFAULT_INDEX, pip.conf)"
                               for line in found.indexes)  # fmt: skip
    if reader.problems:
        count = len(reader.problems)
        raise LockError(
            f"{path} cannot be used: {count} problem{'s' * (count != 1)}.",
            details="\n".join(f"  {problem}" for problem in reader.problems),
            resolution="Correct it, or let the program that wrote it write it again.",
        )
    return found


def _problems_of_hashed(file: RequirementsFile) -> Iterator[str]:
    for pin in file.pins:
        requirement = pin.requirement
        if not pin.sha256:
            yield f"{pin.where}: {requirement.name} has no sha256, and other lines have"
        exact = [each for each in requirement.specifier if each.operator in {"==", "==="} and "*" not in each.version]
        if not exact and requirement.url is None:
            yield f"{pin.where}: {requirement.name} has hashes and no exact version (==)"


def _without_extras(requirement: Requirement) -> str:
    plain = Requirement(str(requirement))
    plain.extras = set()
    plain.name = canonicalize_name(plain.name)
    return str(plain)


class _Reader:
    """One file and those that it names, gathering pins and problems."""

    def __init__(self, directory: Path) -> None:
        self.pins: list[Pin] = []
        self.indexes: list[str] = []
        self.problems: list[str] = []
        self._own = directory
        self._seen: set[Path] = set()

    def read(self, path: Path, shown: str, depth: int) -> None:
        """Read one file; ``shown`` is what to call it."""
        try:
            resolved = path.resolve()
            if resolved in self._seen:
                return
            self._seen.add(resolved)
            content = read_regular(path, _LARGEST)
            text = content.decode("utf-8-sig")
        except (OSError, ValueError, RuntimeError) as error:
            told = error.strerror if isinstance(error, OSError) and error.strerror else "no text in UTF-8"
            self.problems.append(f"{shown}: cannot be read: {told}")
            return
        if len(content) > _LARGEST or depth > _DEEPEST:
            self.problems.append(f"{shown}: larger than {_LARGEST} bytes, or named by too many files in turn")
            return
        for number, line in _logical_lines(text):
            self._line(line, f"{shown}:{number}", path, depth)

    def _line(self, line: str, where: str, path: Path, depth: int) -> None:
        if line.startswith("-"):
            self._option(line, where, path, depth)
            return
        start = _OPTION_AFTER.search(line)
        text, options = (line[: start.start()], line[start.start() :]) if start else (line, "")
        if text.strip() in {".", "./"}:
            return  # the application itself, which is built from its source
        if _VARIABLE.search(text):
            self.problems.append(f"{where}: variables are not expanded")
            return
        try:
            requirement = Requirement(text.strip())
        except InvalidRequirement:
            shown = redact(text.strip())[:200]
            self.problems.append(f"{where}: {shown!r} is no requirement (PEP 508); write NAME @ URL for a file")
            return
        if has_credentials(requirement.url or ""):
            self.problems.append(f"{where}: {redact(str(requirement))} holds a user or password; put it into netrc")
        elif not str(requirement).isprintable():
            self.problems.append(f"{where}: holds a control character")
        else:
            self.pins.append(Pin(requirement, frozenset(self._hashes(options, where)), where))

    def _hashes(self, options: str, where: str) -> Iterator[str]:
        words = self._words(options, where)
        strange = False
        while words:
            word = words.pop(0)
            if word == "--hash" and words:
                word = f"--hash={words.pop(0)}"
            if not word.startswith("--hash="):
                self.problems.append(f"{where}: {redact(word)[:100]!r} cannot be honoured here")
            elif found := _SHA256.fullmatch(word.removeprefix("--hash=")):
                yield found[1].lower()
            elif word.startswith("--hash=sha256:"):
                self.problems.append(f"{where}: {word.removeprefix('--hash=')[:100]!r} is no sha256")
            else:
                strange = True
        if strange and "--hash=sha256:" not in options and "--hash sha256:" not in options:
            self.problems.append(f"{where}: has no sha256; venvpkg trusts no other hash")

    def _option(self, line: str, where: str, path: Path, depth: int) -> None:
        words = self._words(line, where)
        if not words:
            return
        name, separator, value = words[0].partition("=")
        rest = [value] if separator else words[1:]
        if re.fullmatch(r"-[rcefi].+", name) and not name.startswith("--"):  # pip takes -rFILE, too
            name, rest = name[:2], [words[0][2:]]
        shown = redact(line)[:200]
        if name in {"-r", "--requirement"}:
            if len(rest) == 1 and "://" not in rest[0]:
                self.read(path.parent / rest[0], rest[0], depth + 1)
            else:
                self.problems.append(f"{where}: {shown!r} names no file of this machine")
        elif name in {"-e", "--editable"} and len(rest) == 1 and self._is_own(path.parent / rest[0]):
            return
        elif name in _INDEXES:
            self.indexes.append(f"{where}: {shown}")
        elif name not in _WITHOUT_EFFECT:
            why = _REFUSED.get(name, "no option that is known here")
            self.problems.append(f"{where}: {shown!r}: {why}")

    def _is_own(self, path: Path) -> bool:
        try:
            return path.resolve() == self._own.resolve()
        except (OSError, ValueError, RuntimeError):
            return False

    def _words(self, text: str, where: str) -> list[str]:
        try:
            return shlex.split(text)
        except ValueError as error:
            self.problems.append(f"{where}: {error}")
            return []


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, continued lines joined, without comments and empty ones.

    A comment ends a continued line, as for pip: it cannot be continued itself.
    """
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if joined else number
        comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not comment:
            joined += line[:-1].strip() + " "
            continue
        whole = _COMMENT.sub("", joined if comment else joined + line).strip()
        joined = ""
        if whole:
            yield start, whole
    if joined.strip():
        yield start, joined.strip()
