"""Read the application's uv.lock: exported by uv itself as PEP 751, after uv said that it is up to date."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from venvpkg.errors import LockError
from venvpkg.host.files import write_whole
from venvpkg.host.runner import Command
from venvpkg.lock.lock_text import plain_text, read_document
from venvpkg.lock.uv import backends_barred, explanation, uv_environment

if TYPE_CHECKING:
    from venvpkg.host.runner import Completed
    from venvpkg.lock.uv import Resolver
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target

_TIMEOUT_S: Final = 900.0
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
        environment = uv_environment(self.resolver, self.directory)
        if not indexes:
            environment = {key: value for key, value in environment.items() if key not in _OF_INDEXES}
        if not self.backends:
            environment |= backends_barred(self.directory)
        python = self.target.interpreter.path if self.target.is_host else sys.executable
        return self.resolver.runner.run(
            Command(
                (str(self.resolver.uv), *arguments, "--python", str(python)),
                cwd=self.project.directory,
                env=environment,
                clean=True,
                timeout_s=_TIMEOUT_S,
            )
        )
