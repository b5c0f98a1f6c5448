"""The interpreter as a dependency: the release's own minor, from some patch release on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.deb.versions import is_higher, without_revision
from venvpkg.depends.derive import Claim
from venvpkg.errors import PackageDatabaseError
from venvpkg.model.depends import Evidence, Source

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from venvpkg.backends.deb.owners import Owners
    from venvpkg.model.target import Interpreter

# The package that has the program has a part of the standard library only; the full one depends on it.
_PARTIAL = "-minimal"


def full_package(interpreter: Interpreter) -> str:
    """Return the package that has the interpreter with its standard library, as Debian and Ubuntu name it."""
    return f"python{interpreter.minor}"


def interpreter_claim(interpreter: Interpreter, owners: Owners, floor: str, needed_by: PurePosixPath) -> Claim:
    """Return the claim ``python3.X (>= floor)``.

    The package's name is the upper bound: ``python3 (<< 3.12)`` would make a release upgrade remove the application or
    be held back by it.

    Args:
        interpreter: of the target.
        owners: has been asked for the interpreter's path and for ``full_package``.
        floor: lowest patch release that the distributions accept, ``3.11.0``.
        needed_by: the environment's own ``bin/python``.

    Raises:
        PackageDatabaseError: no package owns the interpreter, the package with its standard library is not installed,
            or is older than the floor.
    """
    full = full_package(interpreter)
    shipped_by = [name.partition(":")[0] for name in owners.of(interpreter.path)]
    if not {full, full + _PARTIAL} & set(shipped_by):
        raise PackageDatabaseError(
            f"{interpreter.path} does not belong to the package {full}.",
            details=f"  It belongs to {', '.join(shipped_by)}." if shipped_by else "  No package ships it.",
            resolution="A package can only depend on an interpreter that comes from a package of the release.",
        )
    installed = owners.versions.get(full)
    if installed is None:
        raise PackageDatabaseError(
            f"{full} is not installed.",
            details=f"  {interpreter.path} comes from {', '.join(shipped_by)}, without the whole standard library.",
            resolution=f"Run: apt-get install --no-install-recommends {full}",
        )
    if is_higher(floor, without_revision(installed)):
        raise PackageDatabaseError(
            f"{full} {installed} is older than {floor}, which the application asks for.",
            resolution="Choose versions of its distributions that accept the release's interpreter.",
        )
    evidence = Evidence(
        source=Source.INTERPRETER, needed_by=needed_by, floor=floor, library=interpreter.path, owner=shipped_by[0]
    )
    return Claim(f"{full} #MINVER#", evidence)
