"""Locks of other programs: uv, poetry, pdm and pipenv export their own, which is then read or refused."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.host.runner import Command
from venvpkg.lock.lockfile import plain_text, read_document
from venvpkg.lock.requirements import read_requirements
from venvpkg.lock.source import LockKind
from venvpkg.lock.uv import block_build_backends, explanation, uv_environ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.host.runner import Completed
    from venvpkg.lock.requirements import RequirementsFile
    from venvpkg.lock.source import LockSource
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


_TIMEOUT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Exporter:
    """How a program is asked for its lock as a requirements file.

    Attributes:
        check: fails when the lock is out of date.
        export: prints the file.
        extra: word that stands before the name of an extra; empty when the program exports no extras.
        group: the same for a dependency group.
        refresh: what the user runs to bring the lock up to date.
        needs: for people, when the program alone is not enough.
        aside: files that it needs, for a program that leaves files of its own where it runs: it runs beside copies.
    """

    check: tuple[str, ...]
    export: tuple[str, ...]
    extra: str
    group: str
    refresh: str
    needs: str = ""
    aside: tuple[str, ...] = ()


_EXPORTERS: Final[Mapping[LockKind, _Exporter]] = {
    LockKind.POETRY: _Exporter(
        check=("poetry", "check", "--lock", "--no-interaction"),
        export=("poetry", "export", "--no-interaction", "--format", "requirements.txt", "--without-urls"),
        extra="--extras",
        group="--with",
        refresh="poetry lock",
        needs=" with the plugin poetry-plugin-export",
    ),
    LockKind.PDM: _Exporter(
        check=("pdm", "lock", "--check"),
        export=("pdm", "export", "--format", "requirements", "--production"),
        extra="--group",
        group="--group",
        refresh="pdm lock",
        aside=("pyproject.toml", "pdm.lock"),
    ),
    LockKind.PIPENV: _Exporter(
        check=("pipenv", "verify"),
        export=("pipenv", "requirements", "--hash"),
        extra="",
        group="",
        refresh="pipenv lock",
    ),
}


def export_foreign_lock(project: Project, source: LockSource, resolver: Resolver) -> RequirementsFile:
    """Return what the lock of another program pins, as that program exports it.

    Raises:
        LockError: the program is not installed, or says that the lock cannot be used; with the command to run.
    """
    exporter = _EXPORTERS[source.kind]
    parts = (*project.settings.extras, *project.settings.groups)
    if parts and not exporter.extra:
        raise LockError(
            f"{source.path.name} knows neither extras nor dependency groups, and {', '.join(parts)} are asked for.",
            resolution=_by_hand(exporter.export, exporter),
        )
    export = (
        *exporter.export,
        *(word for extra in project.settings.extras for word in (exporter.extra, extra)),
        *(word for group in project.settings.groups for word in (exporter.group, group)),
    )
    directory = _place(exporter, source, resolver)
    checked = _run(exporter.check, directory, resolver)
    if checked.not_found:
        raise LockError(
            f"{source.path} is the application's lock, and {exporter.check[0]}, which reads it, is not installed here.",
            resolution=_by_hand(export, exporter),
        )
    if not checked.ok:
        raise LockError(
            f"{source.path} is out of date, or {exporter.check[0]} cannot tell.",
            details=explanation(checked),
            resolution=f"Run '{exporter.refresh}', and keep the file with the application.",
        )
    done = _run(export, directory, resolver)
    if not done.ok:
        raise LockError(
            f"{source.path} cannot be exported; {' '.join(export[:2])} ended: {done.outcome()}.",
            details=explanation(done),
            resolution=_by_hand(export, exporter),
        )
    file = Path(tempfile.mkdtemp(prefix="export-", dir=resolver.work)) / f"{source.path.name}.txt"
    file.write_bytes(done.stdout)
    found = read_requirements(file, own=source.path.parent)
    if found.pins and not found.hashed:
        raise LockError(
            f"{source.path} has no hashes, so nothing would say which files are meant.",
            resolution=f"Run '{exporter.refresh}' with a version of {exporter.check[0]} that writes hashes.",
        )
    return found


def _run(argv: tuple[str, ...], directory: Path, resolver: Resolver) -> Completed:
    env = {
        "NO_COLOR": "1",
        "PDM_CHECK_UPDATE": "0",
        "PDM_IGNORE_SAVED_PYTHON": "1",
        "PDM_USE_VENV": "0",
        "PIPENV_NOSPIN": "1",
        "PIPENV_PIPFILE": str(directory / "Pipfile"),
    }
    return resolver.runner.run(Command(argv, cwd=directory, env=env, timeout_s=_TIMEOUT_S))


def _place(exporter: _Exporter, source: LockSource, resolver: Resolver) -> Path:
    """Return the directory to run the program in."""
    if not exporter.aside:
        return source.path.parent
    directory = Path(tempfile.mkdtemp(prefix="project-", dir=resolver.work))
    try:
        for name in exporter.aside:
            shutil.copyfile(source.path.parent / name, directory / name)
    except OSError as error:
        raise LockError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return directory


def _by_hand(export: tuple[str, ...], exporter: _Exporter) -> str:
    return (
        f"Install {exporter.check[0]}{exporter.needs}, or run this where it is installed:\n"
        f"  {' '.join(export)} > requirements.txt\n"
        'and say lock = "requirements.txt" in the configuration.'
    )


_UV_TIMEOUT_S: Final = 900.0
# uv takes a lock for out of date that names an index which is not set now. Which indexes this machine has says nothing
# about whether the lock fits the project, and pip's settings are not the ones it was made under.
_OF_INDEXES: Final = frozenset({"UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL"})


def export_uv_lock(project: Project, path: Path, target: Target, resolver: Resolver, *, backends: bool = True) -> Path:
    """Return a lock (PEP 751) below ``resolver.work`` with what uv.lock has for ``project``, and never change uv.lock.

    Args:
        project: a project in a directory, perhaps a member of a workspace.
        path: of its uv.lock.
        target: whose interpreter uv is told of; the export itself is for all that the lock is for.
        resolver: how to run uv.
        backends: whether build backends may run, for a project in a directory that computes its metadata.

    Raises:
        LockError: uv.lock is malformed or out of date.
    """
    directory = Path(tempfile.mkdtemp(prefix="export-", dir=resolver.work))
    output = directory / "pylock.toml"
    extras = (word for extra in project.settings.extras for word in ("--extra", extra))
    groups = (word for group in project.settings.groups for word in ("--group", group))
    run = _Uv(project, target, resolver, directory, backends=backends)
    done = run("export", "--quiet", "--frozen", "--offline", "--no-header", "--format", "pylock.toml",
               "--no-emit-project", "--no-editable", "--no-default-groups", *extras, *groups, "--output-file",
               str(output))  # fmt: skip
    if not done.ok or not output.is_file():
        raise LockError(
            f"{path} cannot be used; uv ended: {done.outcome()}.",
            details=explanation(done),
            resolution="Correct what uv says, or run 'uv lock' to write it anew.",
        )
    _require_fresh(path, run, resolver)
    write_whole(output, plain_text(read_document(output), directory, directory).encode())
    return output


def _require_fresh(path: Path, run: _Uv, resolver: Resolver) -> None:
    """Check that uv.lock fits the project, first by what is here alone, under the indexes that it was made under."""
    if run("lock", "--check", "--offline", indexes=False).ok:
        return
    offline = ("--offline",) if resolver.offline else ()
    done = run("lock", "--check", *resolver.settings.arguments, *offline)
    if not done.ok:
        raise LockError(
            f"{path} is out of date, or uv cannot tell.",
            details=explanation(done),
            resolution="Run 'uv lock', and keep the file with the application.",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _Uv:
    """Runs uv in the project."""

    project: Project
    target: Target
    resolver: Resolver
    directory: Path
    backends: bool = dataclasses.field(kw_only=True)

    def __call__(self, *arguments: str, indexes: bool = True) -> Completed:
        environ = uv_environ(self.resolver, self.directory)
        if not indexes:
            environ = {key: value for key, value in environ.items() if key not in _OF_INDEXES}
        if not self.backends:
            environ |= block_build_backends(self.directory)
        python = self.target.interpreter.path if self.target.is_host else sys.executable
        return self.resolver.runner.run(
            Command(
                (str(self.resolver.uv), *arguments, "--python", str(python)),
                cwd=self.project.directory,
                env=environ,
                clean=True,
                timeout_s=_UV_TIMEOUT_S,
            )
        )
