"""Read a requirements file with its pins and hashes, which uv drops; report all problems at once."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from venvpkg.errors import LockError
from venvpkg.host.files import read_regular
from venvpkg.text import has_credentials, redact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_LARGEST: Final = 16 * 2**20
_DEEPEST: Final = 20
_COMMENT: Final = re.compile(r"(^|\s)#.*$")
_OPTION_AFTER: Final = re.compile(r"\s--?[A-Za-z]")
_SHA256: Final = re.compile(r"sha256:([0-9a-fA-F]{64})")
_VARIABLE: Final = re.compile(r"\$\{[A-Z0-9_]+\}")
# Options without effect here.
_WITHOUT_EFFECT: Final = frozenset({"--require-hashes", "--use-feature", "--no-use-wheel"})
_INDEXES: Final = frozenset({
    "-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--trusted-host",
})  # fmt: skip
_CONSTRAINT: Final = "set UV_CONSTRAINT for constraints instead"
_WHEELS: Final = "use [tool.venvpkg.wheels] instead: binary, compile, prefer-compile"
_DIRECTORY: Final = "a directory has neither pin nor hash; declare it as a dependency with [tool.uv.sources] instead"
_REFUSED: Final = {
    "-c": _CONSTRAINT,
    "--constraint": _CONSTRAINT,
    "-e": _DIRECTORY,
    "--editable": _DIRECTORY,
    "--no-binary": _WHEELS,
    "--only-binary": _WHEELS,
    "--prefer-binary": _WHEELS,
    "--pre": "pin the version instead",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """A requirement with its hashes.

    Attributes:
        requirement: the requirement.
        sha256: hashes of the acceptable files; empty if the line has no hashes.
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
    """The content of a requirements file.

    Attributes:
        path: path of the file.
        pins: requirements of the file and of included files, in order.
        indexes: options that set an index, without credentials; they are ignored, or rejected without hashes.
    """

    path: Path
    pins: tuple[Pin, ...]
    indexes: tuple[str, ...]

    @property
    def hashed(self) -> bool:
        """Whether it has hashes; then all of its pins have."""
        return any(pin.sha256 for pin in self.pins)

    @property
    def lines(self) -> tuple[str, ...]:
        """The requirements (PEP 508) without hashes."""
        return tuple(str(pin.requirement) for pin in self.pins)

    @property
    def constraints(self) -> tuple[str, ...]:
        """The requirements without extras, as constraints; unique, sorted."""
        return tuple(sorted({_without_extras(pin.requirement) for pin in self.pins}))

    def trusted(self, name: str) -> frozenset[str]:
        """Return all sha256 hashes of a distribution in the file."""
        return frozenset[str]().union(*(pin.sha256 for pin in self.pins if pin.name == name))


def read_requirements(path: Path, own: Path | None = None) -> RequirementsFile:
    """Return the content of a requirements file.

    Args:
        path: path of the file.
        own: directory of the application, which a line may refer to; by default, the directory of the file.

    Raises:
        LockError: it cannot be read, has unsupported lines, or has hashes on only some of them; lists every problem.

    Source:
        pip documentation, "Requirements File Format" and "Secure installs" (hash-checking mode).
    """
    reader = _Reader(own or path.parent)
    reader.read(path, path.name, 0)
    requirements = RequirementsFile(path, tuple(reader.pins), tuple(dict.fromkeys(reader.indexes)))
    if requirements.hashed:
        reader.problems.extend(_hash_problems(requirements))
    elif requirements.indexes and not reader.problems:
        # Hashes reveal a file from the wrong index. Without hashes, it would be used.
        reader.problems.extend(f"{line}: set the index for uv or pip instead (UV_DEFAULT_INDEX, pip.conf)"
                               for line in requirements.indexes)  # fmt: skip
    if reader.problems:
        count = len(reader.problems)
        raise LockError(
            f"{path} cannot be used: {count} problem{'s' * (count != 1)}.",
            details="\n".join(f"  {problem}" for problem in reader.problems),
            resolution="Fix it, or generate it again with the program that wrote it.",
        )
    return requirements


def _hash_problems(file: RequirementsFile) -> Iterator[str]:
    for pin in file.pins:
        requirement = pin.requirement
        if not pin.sha256:
            yield f"{pin.where}: {requirement.name} has no sha256, but other lines have"
        exact = [each for each in requirement.specifier if each.operator in {"==", "==="} and "*" not in each.version]
        if not exact and requirement.url is None:
            yield f"{pin.where}: {requirement.name} has hashes but no exact version (==)"


def _without_extras(requirement: Requirement) -> str:
    plain = Requirement(str(requirement))
    plain.extras = set()
    plain.name = canonicalize_name(plain.name)
    return str(plain)


class _Reader:
    """Reads a file and the files that it includes, and collects pins and problems."""

    def __init__(self, directory: Path) -> None:
        self.pins: list[Pin] = []
        self.indexes: list[str] = []
        self.problems: list[str] = []
        self._own = directory
        self._seen: set[Path] = set()

    def read(self, path: Path, shown: str, depth: int) -> None:
        """Read one file; ``shown`` is its name in messages."""
        try:
            resolved = path.resolve()
            if resolved in self._seen:
                return
            self._seen.add(resolved)
            content = read_regular(path, _LARGEST)
            text = content.decode("utf-8-sig")
        except (OSError, ValueError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "not valid UTF-8"
            self.problems.append(f"{shown}: cannot be read: {reason}")
            return
        if len(content) > _LARGEST or depth > _DEEPEST:
            self.problems.append(f"{shown}: larger than {_LARGEST} bytes, or nested too deeply")
            return
        for number, line in _logical_lines(text):
            self._read_line(line, f"{shown}:{number}", path, depth)

    def _read_line(self, line: str, where: str, path: Path, depth: int) -> None:
        if line.startswith("-"):
            self._read_option(line, where, path, depth)
            return
        start = _OPTION_AFTER.search(line)
        text, options = (line[: start.start()], line[start.start() :]) if start else (line, "")
        if text.strip() in {".", "./"}:
            return  # the application itself, which is built from its source
        if _VARIABLE.search(text):
            self.problems.append(f"{where}: variables are not supported")
            return
        try:
            requirement = Requirement(text.strip())
        except InvalidRequirement:
            shown = redact(text.strip())[:200]
            problem = f"{shown!r} is not a valid requirement (PEP 508); use NAME @ URL for a file"
            self.problems.append(f"{where}: {problem}")
            return
        if has_credentials(requirement.url or ""):
            problem = f"{redact(str(requirement))} contains a user or password; use netrc instead"
            self.problems.append(f"{where}: {problem}")
        elif not str(requirement).isprintable():
            self.problems.append(f"{where}: contains a control character")
        else:
            self.pins.append(Pin(requirement, frozenset(self._parse_hashes(options, where)), where))

    def _parse_hashes(self, options: str, where: str) -> Iterator[str]:
        words = self._split_words(options, where)
        other_algorithm = False
        while words:
            word = words.pop(0)
            if word == "--hash" and words:
                word = f"--hash={words.pop(0)}"
            if not word.startswith("--hash="):
                self.problems.append(f"{where}: {redact(word)[:100]!r} is not supported here")
            elif match := _SHA256.fullmatch(word.removeprefix("--hash=")):
                yield match[1].lower()
            elif word.startswith("--hash=sha256:"):
                self.problems.append(f"{where}: {word.removeprefix('--hash=')[:100]!r} is not a valid sha256")
            else:
                other_algorithm = True
        if other_algorithm and "--hash=sha256:" not in options and "--hash sha256:" not in options:
            self.problems.append(f"{where}: has no sha256; venvpkg does not accept other hashes")

    def _read_option(self, line: str, where: str, path: Path, depth: int) -> None:
        words = self._split_words(line, where)
        if not words:
            return
        name, separator, value = words[0].partition("=")
        rest = [value] if separator else words[1:]
        if re.fullmatch(r"-[rcefi].+", name) and not name.startswith("--"):  # pip also accepts -rFILE
            name, rest = name[:2], [words[0][2:]]
        shown = redact(line)[:200]
        if name in {"-r", "--requirement"}:
            if len(rest) == 1 and "://" not in rest[0]:
                self.read(path.parent / rest[0], rest[0], depth + 1)
            else:
                self.problems.append(f"{where}: {shown!r} is not a file on this machine")
        elif name in {"-e", "--editable"} and len(rest) == 1 and self._is_own(path.parent / rest[0]):
            return
        elif name in _INDEXES:
            self.indexes.append(f"{where}: {shown}")
        elif name not in _WITHOUT_EFFECT:
            reason = _REFUSED.get(name, "unknown option")
            self.problems.append(f"{where}: {shown!r}: {reason}")

    def _is_own(self, path: Path) -> bool:
        try:
            return path.resolve() == self._own.resolve()
        except (OSError, ValueError, RuntimeError):
            return False

    def _split_words(self, text: str, where: str) -> list[str]:
        try:
            return shlex.split(text)
        except ValueError as error:
            self.problems.append(f"{where}: {error}")
            return []


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each logical line with its number: continued lines joined, comments and empty lines dropped.

    As in pip, a comment line ends a continued line, and cannot be continued itself.
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
