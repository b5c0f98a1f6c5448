"""Files of the project that the configuration names, found and checked: extra files, maintainer scripts, templates."""

from __future__ import annotations

import glob
import os
import re
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from venvpkg.errors import ConfigurationError
from venvpkg.host.runner import Command
from venvpkg.model.project import ExtraFile, ProjectFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvpkg.host.runner import Runner
    from venvpkg.model.project import FileSetting, Project


_MAGIC: Final = re.compile(r"[*?\[]")
_EXECUTABLE: Final = 0o111
# A snippet is written by hand.
_LARGEST_SCRIPT: Final = 256 * 1024
_POSIX_SHELL: Final = re.compile(rb"#!\s*(/usr)?/bin/(env\s+)?(sh|dash)(\s+-[eu]+)?\s*")
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class _UnusableError(Exception):
    """One path of the configuration does not lead to what it must."""


def read_project_files(project: Project, runner: Runner) -> ProjectFiles:
    """Return what the settings name, as it is now.

    Args:
        project: its settings and the directory where their paths start.
        runner: runs the shell that checks the syntax of snippets.

    Raises:
        ConfigurationError: something is not there, is outside the project or is not what it must be; all problems.
    """
    problems: list[str] = []
    settings = project.settings
    files = _files(project, problems)
    scripts: list[tuple[str, str]] = []
    for name, path in settings.scripts.named():
        try:
            scripts.append((name, _snippet(path, project.base, runner)))
        except _UnusableError as problem:
            problems.append(f"scripts.{name}: {problem}")
    templates = None
    if settings.templates is not None:
        try:
            templates = _directory(settings.templates, project.base)
        except _UnusableError as problem:
            problems.append(f"templates: {problem}")
    if problems:
        raise ConfigurationError(project.source, problems)
    return ProjectFiles(files, tuple(scripts), templates)


def _files(project: Project, problems: list[str]) -> tuple[ExtraFile, ...]:
    found: dict[PurePosixPath, ExtraFile] = {}
    for index, entry in enumerate(project.settings.files):
        try:
            for file in _matched(entry, project.base):
                if file.target in found:
                    problems.append(f"files[{index}]: {file.target} is there already, by an entry before")
                found.setdefault(file.target, file)
        except _UnusableError as problem:
            problems.append(f"files[{index}]: {problem}")
    return tuple(found[target] for target in sorted(found, key=str))


def _matched(entry: FileSetting, base: Path) -> Iterator[ExtraFile]:
    """Yield the files of one entry, each under its place; what a pattern with ``**`` finds keeps its directories."""
    into_directory = entry.target.endswith("/")
    if not _MAGIC.search(entry.source):
        target = PurePosixPath(entry.target)
        yield _file(entry.source, target / PurePosixPath(entry.source).name if into_directory else target, entry, base)
        return
    if not into_directory:
        raise _UnusableError(f"{entry.source} is a pattern, so the target must end with a slash: {entry.target}/")
    fixed = PurePosixPath(*_fixed_parts(entry.source))
    # Not Path.glob: it would take hidden files too, which an editor leaves there.
    names = glob.glob(entry.source, root_dir=base, recursive=True)  # noqa: PTH207
    found = sorted(name for name in names if not (base / name).is_dir())
    if not found:
        raise _UnusableError(f"{entry.source} matches no file")
    for name in found:
        yield _file(name, PurePosixPath(entry.target) / PurePosixPath(name).relative_to(fixed), entry, base)


def _fixed_parts(pattern: str) -> Iterator[str]:
    for part in PurePosixPath(pattern).parts[:-1]:
        if _MAGIC.search(part):
            return
        yield part


def _file(name: str, target: PurePosixPath, entry: FileSetting, base: Path) -> ExtraFile:
    if _UNFIT.search(str(target)):
        raise _UnusableError(f"{str(target)!r} holds control characters, or is no UTF-8")
    if str(target) != str(target).rstrip():
        # dpkg takes it off the lines of conffiles (deb-conffiles(5) has no quoting), and finds no such file.
        raise _UnusableError(f"{str(target)!r} ends with a blank")
    source = _inside(name, base)
    mode = _status(source, name).st_mode
    if stat.S_ISDIR(mode):
        raise _UnusableError(f"{name} is a directory; {name.rstrip('/')}/** means the files in it")
    if not stat.S_ISREG(mode):
        raise _UnusableError(f"{name} is no regular file")
    return ExtraFile(source, target, (0o755 if mode & _EXECUTABLE else 0o644) if entry.mode is None else entry.mode)


def _directory(name: str, base: Path) -> Path:
    path = _inside(name, base)
    if not path.is_dir():
        raise _UnusableError(f"{name} is no directory")
    return path


def _inside(name: str, base: Path) -> Path:
    """Return where a path of the configuration leads; links are followed as long as they stay inside."""
    root = Path(os.path.realpath(base))
    path = Path(os.path.realpath(root / name))
    if not path.is_relative_to(root):
        raise _UnusableError(f"{name} is a link that leaves the project")
    return path


def _status(path: Path, name: str) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise _UnusableError(f"{name}: {error.strerror}") from error


def _snippet(name: str, base: Path, runner: Runner) -> str:
    """Return the text of a snippet without its first line if that is ``#!``."""
    path = _inside(name, base)
    if not stat.S_ISREG(_status(path, name).st_mode):
        raise _UnusableError(f"{name} is no regular file")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_SCRIPT + 1)
    except OSError as error:
        raise _UnusableError(f"{name}: {error.strerror}") from error
    if len(content) > _LARGEST_SCRIPT:
        raise _UnusableError(f"{name} is larger than {_LARGEST_SCRIPT} bytes")
    first, _, rest = content.partition(b"\n")
    if first.startswith(b"#!"):
        if not _POSIX_SHELL.fullmatch(first):
            raise _UnusableError(f"{name} is no script for sh, which runs it: {first[:80].decode('utf-8', 'replace')}")
        content = rest
    if b"\r" in content or b"\0" in content:
        raise _UnusableError(f"{name} has the line breaks of another system, or is no text")
    try:
        text = content.decode("utf-8").strip("\n")
    except UnicodeDecodeError:
        raise _UnusableError(f"{name} is not UTF-8") from None
    if not text.strip():
        raise _UnusableError(f"{name} is empty")
    done = runner.run(Command(("/bin/sh", "-n"), stdin=content, timeout_s=30))
    if not done.ok:
        said = done.errors.strip().splitlines() or [done.outcome()]
        raise _UnusableError(f"{name} is no shell: {said[0][:200]}")
    return f"{text}\n"
