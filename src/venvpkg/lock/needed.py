"""Check a lock against what was built: computed dependencies are known for certain only from the wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from venvpkg.errors import LockError
from venvpkg.lock.inputs import wheel_declares_dependencies
from venvpkg.lock.lockfile import read_document, venvpkg_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.lock.obtain import ObtainedLock
    from venvpkg.model.project import Project
    from venvpkg.model.staged import StagedVenv


def require_all_needed(obtained: ObtainedLock, staged: StagedVenv, project: Project) -> None:
    """Check that the application needs every distribution of its lock, by the metadata that its backend computed.

    A backend may read dependencies from anywhere, so files alone do not show that a lock is current. What a lock lacks
    is found in staging. Locks of other programs may hold more than the application needs.

    Raises:
        LockError: some distributions are needed by nothing.
    """
    table = venvpkg_table(read_document(obtained.path))
    if table is None or not wheel_declares_dependencies(project):
        return
    declared = table.get("requirements")
    of_system = (requirement for each in staged.system for requirement in each.distribution.requires)
    queue = [project.name, *_names(declared if isinstance(declared, list) else ()), *_names(of_system)]
    requires = {each.name: each.requires for each in staged.distributions}
    needed: set[str] = set()
    while queue:
        name = queue.pop()
        if name not in needed:
            needed.add(name)
            queue.extend(requires.get(name, ()))
    unneeded = sorted(requires.keys() - needed)
    if unneeded:
        raise LockError(
            f"{project.lock.name} is out of date: {project.name} no longer needs {', '.join(unneeded)}.",
            details=f"  The build backend of {project.name} computes its dependencies.",
            resolution="Run 'venvpkg lock', which asks the backend again.",
        )


def _names(requirements: Iterable[object]) -> Iterator[str]:
    return (canonicalize_name(Requirement(str(each)).name) for each in requirements)
