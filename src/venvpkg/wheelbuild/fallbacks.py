"""Find sources that cannot be compiled, whatever packages are installed."""

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
    """What is needed to examine sources.

    Attributes:
        fetch: fetches sdists; the compile uses the same files later.
        crates: fetches the Rust crates that an sdist does not include; the compile uses the same later.
        workspace: private directory of this run.
    """

    fetch: Fetch
    crates: Crates
    workspace: Path


def find_uncompilable(plan: WheelPlan, project: Project, target: Target, access: SourceAccess) -> tuple[Fallback, ...]:
    """Return a fallback for each source that the plan prefers to compile but that cannot be compiled.

    Only properties of the sdist count. A missing header, compiler or library could be installed, and a compile that
    fails is an error; both are reported when the wheel is compiled. A source with known build requirements has been
    examined before.

    Args:
        plan: its wheels that are compiled under ``prefer-compile`` are examined.
        project: the project, for its policies.
        target: the target of the build.
        access: fetches sources.

    Returns:
        Fallbacks in the order of the plan, sorted by name; usually none.

    Raises:
        WheelError, CompileError: an sdist is damaged or hostile, or its pyproject.toml is malformed.
        DownloadError: an sdist could not be fetched, or its crates do not match its Cargo.lock.
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
        work = access.workspace / "examined"
        detail = _find_obstacle(wheel, paths[source], source.subdirectory, work, access.crates)
        if detail:
            found.append(
                Fallback(
                    wheel.name, wheel.version, source.sha256, target.abi_name, Cause.NO_CRATE_SOURCE, detail
                )
            )  # fmt: skip
    return tuple(found)


def _find_obstacle(wheel: PlannedWheel, sdist: Path, subdirectory: str, directory: Path, crate_store: Crates) -> str:
    """Return a clause with the reason why a source cannot be compiled; empty if none is found."""
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
