"""Look into the sources that are to be compiled, for what no installed package could remedy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

from venvpkg.model.lock import Cause, Fallback, RemoteFile
from venvpkg.model.project import WheelPolicy
from venvpkg.model.wheels import Action
from venvpkg.sources.build_system import read_build_system
from venvpkg.sources.crates import CratesError, describe_missing_crates, missing_crates
from venvpkg.sources.unpack import unpack_sdist

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.project import Project
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import PlannedWheel, WheelPlan
    from venvpkg.wheelbuild.context import Crates, Fetch


class SourceAccess(NamedTuple):
    """How sources are looked into.

    Attributes:
        fetch: brings sdists here; the compile uses the same files afterwards.
        crates: fetches the Rust crates that an sdist does not bring; the compile uses the same afterwards.
        workspace: private directory of this run.
    """

    fetch: Fetch
    crates: Crates
    workspace: Path


def find_uncompilable(plan: WheelPlan, project: Project, target: Target, access: SourceAccess) -> tuple[Fallback, ...]:
    """Return the obstacles in the sources that the plan compiles by preference; sorted by name, usually none.

    An obstacle is a property of the sdist. What an installed package would remedy (a missing header, compiler or
    library) and a compile that fails are none: they are errors, told when it is compiled. A source whose build
    requirements are known has been looked at before.

    Args:
        plan: only what is to be compiled under ``prefer-compile`` is looked at.
        project: its policies.
        target: which the obstacle is found for.
        access: brings sources here.

    Raises:
        WheelError, CompileError: an sdist is damaged or hostile, or its pyproject.toml is malformed.
        DownloadError: an sdist cannot be had, or its crates are not those that it names.
    """
    wheels = {
        wheel.source: wheel
        for wheel in plan.by_action(Action.COMPILE)
        if isinstance(wheel.source, RemoteFile)
        and wheel.key is None
        and project.settings.wheels.policy_of(wheel.name) is WheelPolicy.PREFER_COMPILE
    }
    paths = access.fetch(sorted(wheels)) if wheels else {}
    found = []
    for source, wheel in wheels.items():
        detail = _obstacle(wheel, paths[source], source.subdirectory, access.workspace / "examined", access.crates)
        if detail:
            found.append(
                Fallback(
                    wheel.name, wheel.version, source.sha256, target.abi_name, Cause.NO_CRATE_SOURCE, detail
                )
            )  # fmt: skip
    return tuple(found)


def _obstacle(wheel: PlannedWheel, sdist: Path, subdirectory: str, directory: Path, crate_store: Crates) -> str:
    """Return why this source cannot be compiled, a clause; empty when nothing is known to stand against it."""
    title = f"{wheel.name} {wheel.version}".rstrip()
    crates: tuple[str, ...] = ()
    try:
        unpack_sdist(sdist, directory)
        crates = missing_crates(directory, read_build_system(directory, title, subdirectory))
        if crates:
            crate_store.vendor(directory, title)
    except CratesError as error:
        return f"{describe_missing_crates(crates)}, and {error}"
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return ""
