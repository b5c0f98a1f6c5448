"""Find and check the project's files that the configuration refers to: extra files, maintainer scripts, templates."""

from __future__ import annotations

import glob
import os
import re
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError
from venvpkg.host.command import Command
from venvpkg.model.project import ExtraFile, ProjectFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.host.command import Runner
    from venvpkg.model.project import FileSetting, Project


_GLOB: Final = re.compile(r"[*?\[]")
_EXECUTABLE: Final = 0o111
# Maintainer script snippets are written by hand.
_LARGEST_SCRIPT: Final = 256 * 1024
_POSIX_SHELL: Final = re.compile(rb"#!\s*(/usr)?/bin/(env\s+)?(sh|dash)(\s+-[eu]+)?\s*")
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class _UnusablePathError(Exception):
    """A path in the configuration does not lead to the kind of file that its key needs."""


def read_project_files(project: Project, runner: Runner) -> ProjectFiles:
    """Return the project's own files that its settings refer to, in their current state.

    Args:
        project: has the settings, and the directory that their paths are relative to.
        runner: runs the shell that checks the syntax of snippets.

    Raises:
        ConfigurationError: a path does not exist, leads out of the project or is of the wrong kind; lists every
            problem.
    """
    problems: list[str] = []
    settings = project.settings
    files = _find_extra_files(project, problems)
    scripts: list[tuple[str, str]] = []
    for name, path in settings.scripts.items():
        try:
            scripts.append((name, _read_snippet(path, project.base, runner)))
        except _UnusablePathError as problem:
            problems.append(f"scripts.{name}: {problem}")
    templates = None
    if settings.templates is not None:
        try:
            templates = _resolve_directory(settings.templates, project.base)
        except _UnusablePathError as problem:
            problems.append(f"templates: {problem}")
    if problems:
        raise ConfigurationError(project.source, problems)
    return ProjectFiles(files, tuple(scripts), templates)


def _find_extra_files(project: Project, problems: list[str]) -> tuple[ExtraFile, ...]:
    by_target: dict[PurePosixPath, ExtraFile] = {}
    for index, entry in enumerate(project.settings.files):
        try:
            for file in _expand_entry(entry, project.base):
                if file.target in by_target:
                    problems.append(f"files[{index}]: an earlier entry already puts a file at {file.target}")
                by_target.setdefault(file.target, file)
        except _UnusablePathError as problem:
            problems.append(f"files[{index}]: {problem}")
    return tuple(by_target[target] for target in sorted(by_target, key=str))


def _expand_entry(entry: FileSetting, base: Path) -> Iterator[ExtraFile]:
    """Yield the files of one entry with their targets; files matched by ``**`` keep their directories."""
    into_directory = entry.target.endswith("/")
    if not _GLOB.search(entry.source):
        target = PurePosixPath(entry.target)
        if into_directory:
            target /= PurePosixPath(entry.source).name
        yield _extra_file(entry.source, target, entry, base)
        return
    if not into_directory:
        raise _UnusablePathError(f"{entry.source} is a pattern, so the target must end with a slash: {entry.target}/")
    literal = PurePosixPath(*_literal_parts(entry.source))
    # Not Path.glob: it also matches hidden files, such as an editor's leftovers.
    names = glob.glob(entry.source, root_dir=base, recursive=True)  # noqa: PTH207
    matches = sorted(name for name in names if not (base / name).is_dir())
    if not matches:
        raise _UnusablePathError(f"{entry.source} matches no file")
    for name in matches:
        yield _extra_file(name, PurePosixPath(entry.target) / PurePosixPath(name).relative_to(literal), entry, base)


def _literal_parts(pattern: str) -> Iterator[str]:
    for part in PurePosixPath(pattern).parts[:-1]:
        if _GLOB.search(part):
            return
        yield part


def _extra_file(name: str, target: PurePosixPath, entry: FileSetting, base: Path) -> ExtraFile:
    if _UNFIT.search(str(target)):
        raise _UnusablePathError(f"{str(target)!r} contains control characters or is not valid UTF-8")
    if str(target) != str(target).rstrip():
        # dpkg strips trailing blanks from the lines of conffiles (deb-conffiles(5) has no quoting), so it would look
        # for another file.
        raise _UnusablePathError(f"{str(target)!r} ends with a blank")
    source = _resolve_inside(name, base)
    mode = _stat(source, name).st_mode
    if stat.S_ISDIR(mode):
        raise _UnusablePathError(f"{name} is a directory; use {name.rstrip('/')}/** for the files in it")
    if not stat.S_ISREG(mode):
        raise _UnusablePathError(f"{name} is not a regular file")
    return ExtraFile(source, target, (0o755 if mode & _EXECUTABLE else 0o644) if entry.mode is None else entry.mode)


def _resolve_directory(name: str, base: Path) -> Path:
    path = _resolve_inside(name, base)
    if not path.is_dir():
        raise _UnusablePathError(f"{name} is not a directory")
    return path


def _resolve_inside(name: str, base: Path) -> Path:
    """Return the resolved path of a configured name; symbolic links may not lead out of ``base``."""
    root = Path(os.path.realpath(base))
    path = Path(os.path.realpath(root / name))
    if not path.is_relative_to(root):
        raise _UnusablePathError(f"{name} is a link that leaves the project")
    return path


def _stat(path: Path, name: str) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise _UnusablePathError(f"{name}: {error.strerror}") from error


def _read_snippet(name: str, base: Path, runner: Runner) -> str:
    """Return the text of a maintainer script snippet without its shebang line."""
    path = _resolve_inside(name, base)
    if not stat.S_ISREG(_stat(path, name).st_mode):
        raise _UnusablePathError(f"{name} is not a regular file")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_SCRIPT + 1)
    except OSError as error:
        raise _UnusablePathError(f"{name}: {error.strerror}") from error
    if len(content) > _LARGEST_SCRIPT:
        raise _UnusablePathError(f"{name} is larger than {_LARGEST_SCRIPT} bytes")
    first, _, rest = content.partition(b"\n")
    if first.startswith(b"#!"):
        if not _POSIX_SHELL.fullmatch(first):
            shebang = first[:80].decode("utf-8", "replace")
            raise _UnusablePathError(f"{name} is not a POSIX shell script: {shebang}; it is run by sh")
        content = rest
    if b"\r" in content or b"\0" in content:
        raise _UnusablePathError(f"{name} has CR line endings or is not text")
    try:
        text = content.decode("utf-8").strip("\n")
    except UnicodeDecodeError:
        raise _UnusablePathError(f"{name} is not valid UTF-8") from None
    if not text.strip():
        raise _UnusablePathError(f"{name} is empty")
    _require_complete_shell(name, text, runner)
    return f"{text}\n"


def _require_complete_shell(name: str, text: str, runner: Runner) -> None:
    """Require that a snippet is complete and valid shell.

    The shell accepts an unterminated here-document, which would swallow the rest of a maintainer script.
    """
    for checked, problem in (
        (text, "is not valid shell"),
        (f"(\n{text}\n)", "is incomplete, such as an unterminated here-document"),
    ):
        done = runner.run(Command(("/bin/sh", "-n"), stdin=f"{checked}\n".encode(), timeout_s=30))
        if not done.ok:
            first_error = next(iter(done.errors.strip().splitlines()), done.outcome())
            raise _UnusablePathError(f"{name} {problem}: {first_error[:200]}")
