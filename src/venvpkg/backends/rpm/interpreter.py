"""The interpreter as a dependency: of the minor that the payload is for, by its path and by its ABI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.backends.rpm.relations import MINVER
from venvpkg.backends.rpm.versions import is_higher, without_release
from venvpkg.depends.derive import Claim
from venvpkg.errors import PackageDatabaseError
from venvpkg.model.depends import Evidence, Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from venvpkg.backends.rpm.owners import Owners
    from venvpkg.model.depends import NativePackage
    from venvpkg.model.target import Interpreter


def interpreter_claims(
    interpreter: Interpreter, shipped_by: Sequence[NativePackage], owners: Owners, floor: str, needed_by: PurePosixPath
) -> tuple[Claim, ...]:
    """Return ``/usr/bin/python3.X``, ``python(abi) = 3.X`` and, where the distributions ask for it, a patch release.

    rpm's own generator knows modules below ``/usr/lib*/pythonX.Y`` only: a package with modules elsewhere would
    install on a release with another Python, and be broken there. An ABI that no package tells of, such as PyPy's, is
    known by the path alone, which names the minor.

    Args:
        interpreter: of the target.
        shipped_by: the packages that ship its path.
        owners: of the target.
        floor: lowest patch release that the distributions accept, ``3.11.0``.
        needed_by: the environment's own ``bin/python``.

    Raises:
        PackageDatabaseError: no package ships the interpreter or provides its ABI, or it is older than the floor.

    Source:
        Fedora Python Packaging Guidelines, "Automatically generated dependencies"; python(abi) = 3.13t is that of the
        free-threaded build.
    """
    abi = f"python(abi) = {interpreter.series}"
    with_abi = None if interpreter.is_pypy else owners.of(abi)
    is_told = interpreter.path.name == interpreter.name and not interpreter.is_default
    if not shipped_by or (with_abi is None and not is_told):
        raise PackageDatabaseError(
            f"{interpreter.path} does not belong to a package of the release.",
            details="  No package ships it." if not shipped_by else f"  No installed package provides {abi}.",
            resolution="A package can only depend on an interpreter that comes from a package of the release.",
        )
    owner = shipped_by[0]
    if not interpreter.is_pypy and is_higher(floor, without_release(owner.version)):
        raise PackageDatabaseError(
            f"{owner.name} {owner.version} is older than {floor}, which the application asks for.",
            resolution="Choose versions of its distributions that accept the release's interpreter.",
        )

    def evidence(package: str, lowest: str | None = None) -> Evidence:
        return Evidence(
            source=Source.INTERPRETER, needed_by=needed_by, floor=lowest, library=interpreter.path, owner=package
        )

    claims = [Claim(str(interpreter.path), evidence(owner.name))]
    if with_abi is not None:
        claims.append(Claim(abi, evidence(with_abi.name)))
    if not interpreter.is_pypy and not floor.endswith(".0"):
        claims.append(Claim(f"{owner.name} {MINVER}", evidence(owner.name, floor)))
    return tuple(claims)
