"""An interpreter that no package owns, such as one of /usr/local: refused, or allowed with a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.errors import PackageDatabaseError

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from venvpkg.backends.base import Backend
    from venvpkg.host.runner import Runner
    from venvpkg.model.project import Project
    from venvpkg.model.target import Target


def is_owned(target: Target, runner: Runner, backend: Backend) -> bool:
    """Whether a package ships the target's interpreter.

    The release's own is not looked at: without its package its dependencies cannot be derived anyway.

    Raises:
        PackageDatabaseError: it cannot be found out.
    """
    interpreter = target.interpreter
    return interpreter.is_default or interpreter.path in backend.packages_shipping([interpreter.path], target, runner)


def require_owned(project: Project, target: Target, runner: Runner, backend: Backend) -> None:
    """Refuse an interpreter that no package owns, where the project does not want that.

    Raises:
        PackageDatabaseError: no package owns it, or that cannot be found out.
    """
    interpreter = target.interpreter
    if not project.settings.unowned_python and not is_owned(target, runner, backend):
        raise PackageDatabaseError(
            f"No package owns {interpreter.path}, and unowned-python is false.",
            details="  A package cannot depend on it: it may be missing, or another one, where that is installed.",
            resolution="Name an interpreter of the release's packages with the key 'python', or allow this one with"
            " unowned-python = true.",
        )


def warning_of(path: PurePosixPath) -> str:
    """Return what the user should know who builds for such an interpreter."""
    return (
        f"no package owns {path}, so the package does not depend on an interpreter: whoever installs it must have that"
        " one, at that path, and gets no updates of it from the release"
    )
