"""Read lockfiles of other programs: uv, poetry, pdm and pipenv export theirs."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import LockError
from venvpkg.host.command import Command
from venvpkg.host.files import write_whole
from venvpkg.host.oserrors import require_no_environment_error
from venvpkg.lock.inputs import computes_dependencies
from venvpkg.lock.lockfile import plain_text, read_document
from venvpkg.lock.requirements import read_requirements
from venvpkg.lock.source import LockKind
from venvpkg.lock.uv import block_build_backends, error_output, uv_environ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.host.command import Completed
    from venvpkg.lock.requirements import RequirementsFile
    from venvpkg.lock.source import LockSource
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


_TIMEOUT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Exporter:
    """Commands that export a program's lockfile as a requirements file.

    Attributes:
        check: command that fails if the lockfile is out of date.
        export: command that prints the requirements file.
        extra: option before the name of an extra; empty if the program cannot export extras.
        group: the same for a dependency group.
        refresh: command for the user to update the lockfile.
        needs: what the program needs in addition, for messages.
        copies: files to copy to a temporary directory in which to run a program that creates files of its own.
    """

    check: tuple[str, ...]
    export: tuple[str, ...]
    extra: str
    group: str
    refresh: str
    needs: str = ""
    copies: tuple[str, ...] = ()


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
        copies=("pyproject.toml", "pdm.lock"),
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
    """Return the pins of another program's lockfile, exported by that program.

    Raises:
        LockError: the program is not installed or rejects the lockfile; the resolution has the command to run.
    """
    exporter = _EXPORTERS[source.kind]
    parts = (*project.settings.extras, *project.settings.groups)
    if parts and not exporter.extra:
        raise LockError(
            f"{source.path.name} has neither extras nor dependency groups; requested: {', '.join(parts)}.",
            resolution=_describe_export(exporter.export, exporter),
        )
    export = (
        *exporter.export,
        *(word for extra in project.settings.extras for word in (exporter.extra, extra)),
        *(word for group in project.settings.groups for word in (exporter.group, group)),
    )
    directory = _prepare_directory(exporter, source, resolver)
    check = _run_exporter(exporter.check, directory, resolver)
    if check.not_found:
        raise LockError(
            f"{source.path} is the application's lockfile, but {exporter.check[0]}, which reads it, is not installed.",
            resolution=_describe_export(export, exporter),
        )
    if not check.ok:
        raise LockError(
            f"{source.path} is out of date, or {exporter.check[0]} could not check it.",
            details=error_output(check),
            resolution=f"Run '{exporter.refresh}', and keep the file with the application.",
        )
    done = _run_exporter(export, directory, resolver)
    if not done.ok:
        require_no_environment_error(done.errors)
        raise LockError(
            f"{source.path} could not be exported: {' '.join(export[:2])} failed ({done.outcome()}).",
            details=error_output(done),
            resolution=_describe_export(export, exporter),
        )
    file = Path(tempfile.mkdtemp(prefix="export-", dir=resolver.work)) / f"{source.path.name}.txt"
    file.write_bytes(done.stdout)
    requirements = read_requirements(file, own=source.path.parent)
    if requirements.pins and not requirements.hashed:
        raise LockError(
            f"{source.path} has no hashes, so its files cannot be verified.",
            resolution=f"Run '{exporter.refresh}' with a version of {exporter.check[0]} that writes hashes.",
        )
    return requirements


def _run_exporter(argv: tuple[str, ...], directory: Path, resolver: Resolver) -> Completed:
    env = {
        "NO_COLOR": "1",
        "PDM_CHECK_UPDATE": "0",
        "PDM_IGNORE_SAVED_PYTHON": "1",
        "PDM_USE_VENV": "0",
        "PIPENV_NOSPIN": "1",
        "PIPENV_PIPFILE": str(directory / "Pipfile"),
    }
    return resolver.runner.run(Command(argv, cwd=directory, env=env, timeout_s=_TIMEOUT_S))


def _prepare_directory(exporter: _Exporter, source: LockSource, resolver: Resolver) -> Path:
    """Return the directory to run the program in."""
    if not exporter.copies:
        return source.path.parent
    directory = Path(tempfile.mkdtemp(prefix="project-", dir=resolver.work))
    try:
        for name in exporter.copies:
            shutil.copyfile(source.path.parent / name, directory / name)
    except OSError as error:
        raise LockError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return directory


def _describe_export(export: tuple[str, ...], exporter: _Exporter) -> str:
    return (
        f"Install {exporter.check[0]}{exporter.needs}, or run this where it is installed:\n"
        f"  {' '.join(export)} > requirements.txt\n"
        'and set lock = "requirements.txt" in the configuration.'
    )


_UV_TIMEOUT_S: Final = 900.0
# uv considers a lock out of date if it refers to an index that is not configured. But the indexes of this machine say
# nothing about whether the lock fits the project, and the lock was not resolved with pip's settings.
_INDEX_VARIABLES: Final = frozenset(
    {"UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL"}
)


def export_uv_lock(project: Project, path: Path, target: Target, resolver: Resolver, *, backends: bool = True) -> Path:
    """Export uv.lock for ``project`` as a lockfile (PEP 751) below ``resolver.work``, and return that file's path.

    uv.lock is never changed.

    Args:
        project: a project in a directory; may be a member of a workspace.
        path: its uv.lock.
        target: its interpreter is passed to uv; the export covers all environments of the lock.
        resolver: how to run uv.
        backends: whether build backends may run, for a project with dynamic metadata.

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
        require_no_environment_error(done.errors)
        raise LockError(
            f"{path} could not be exported: uv failed ({done.outcome()}).",
            details=error_output(done),
            resolution="Fix the problem that uv reports, or run 'uv lock' to recreate the file.",
        )
    _require_current(path, run, resolver)
    write_whole(output, plain_text(read_document(output), directory, directory).encode())
    return output


def _require_current(path: Path, run: _Uv, resolver: Resolver) -> None:
    """Check that uv.lock fits the project: first offline and with the indexes that it was resolved with."""
    sources = ("--refresh-package", run.project.name) if computes_dependencies(run.project) else ()
    if run("lock", "--check", "--offline", *sources, indexes=False).ok:
        return
    offline = ("--offline",) if resolver.offline else ()
    done = run("lock", "--check", *sources, *resolver.settings.arguments, *offline)
    if not done.ok:
        require_no_environment_error(done.errors)
        raise LockError(
            f"{path} is out of date, or uv could not check it.",
            details=error_output(done),
            resolution="Run 'uv lock', and keep the file with the application.",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _Uv:
    """Runs uv in the project's directory."""

    project: Project
    target: Target
    resolver: Resolver
    directory: Path
    backends: bool = dataclasses.field(kw_only=True)

    def __call__(self, *arguments: str, indexes: bool = True) -> Completed:
        environ = uv_environ(self.resolver, self.directory)
        if not indexes:
            environ = {key: value for key, value in environ.items() if key not in _INDEX_VARIABLES}
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
