"""Stage the payload: the virtual environment with all wheels, below the destdir, as it will be at its prefix."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from venvpkg.errors import StagingError
from venvpkg.host.tree import normalise_modes
from venvpkg.model.staged import StagedSystem, StagedVenv
from venvpkg.staging.cache import StagedCache
from venvpkg.staging.closure import names_of, require_closure, required_by, unmet_in_system
from venvpkg.staging.leaks import forbidden_paths, read_payload
from venvpkg.staging.metadata import application_metadata, installed_distribution, python_floor, read_metadata
from venvpkg.staging.populate import Workbench, keep, populate
from venvpkg.staging.system import expose, require_apart

if TYPE_CHECKING:
    from venvpkg.console import Reporter
    from venvpkg.host.runner import Runner
    from venvpkg.model.project import ExtraFile, Project
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import PlannedSystem, ReadyWheel
    from venvpkg.store.dirs import Dirs


def stage(  # noqa: PLR0913 - everything a build knows comes together here
    project: Project,
    wheels: tuple[ReadyWheel, ...],
    target: Target,
    *,
    workspace: Path,
    dirs: Dirs,
    runner: Runner,
    reporter: Reporter,
    files: tuple[ExtraFile, ...] = (),
    system: tuple[PlannedSystem, ...] = (),
) -> StagedVenv:
    """Stage the application.

    Args:
        project: what to stage, and where it will be.
        wheels: one a distribution, the application's among them.
        target: where it will be installed.
        workspace: directory of this run on this machine; the destdir is made in it.
        dirs: whose cache has what earlier builds staged; nothing of it may be named in the payload.
        runner: runs the target's interpreter.
        reporter: hears about modules that do not compile, and what the release's own distributions lack.
        files: of the project, to lie beside the environment.
        system: what the environment shows of the release's own packages.

    Raises:
        WheelError: a wheel is malformed.
        StagingError: clash of files, incomplete closure, refused interpreter, a path of this machine in a file.
    """
    destdir = workspace / "destdir"
    destdir.mkdir(parents=True)
    cache = StagedCache(dirs.staged, reporter)
    populated = populate(wheels, destdir, project.prefix, Workbench(target, cache, runner, reporter))
    installed = populated.installed
    described = {each.wheel.name: read_metadata(each, destdir, reporter) for each in installed}
    if project.name not in described:
        raise StagingError(f"No wheel of the application itself, {project.name}, is among those to install.")
    needs = require_closure(
        described,
        target.interpreter.marker_environment,
        {project.name: _extras(project)},
        {each.name: each for each in system},
        target.interpreter.distributions,
    )
    for warning in unmet_in_system(needs, system):
        reporter.warn(warning)
    exposed = [each.distribution for each in system]
    site = project.prefix / "lib" / target.interpreter.name / "site-packages"
    require_apart(exposed, installed, site)
    expose(exposed, destdir, site, target, runner)
    floor = python_floor(described.values(), target.interpreter)
    normalise_modes(destdir)
    place_files(files, destdir)
    payload = read_payload(
        destdir,
        forbidden_paths(
            _places_here(project, target, workspace, dirs),
            (
                project.prefix,
                target.interpreter.path,
            ),
        ),
    )
    keep(populated, destdir, payload, cache)
    application = next(each for each in installed if each.wheel.name == project.name)
    return StagedVenv(
        destdir=destdir,
        prefix=project.prefix,
        application=application_metadata(application, described[project.name], project.prefix / "bin"),
        distributions=tuple(
            installed_distribution(
                each, described[each.wheel.name], destdir, names_of(needs[each.wheel.name], each.wheel.name)
            )
            for each in installed
        ),
        python_floor=floor,
        payload=payload,
        system=tuple(StagedSystem(each, required_by(each.name, needs)) for each in exposed),
    )


def _extras(project: Project) -> frozenset[str]:
    """Return the application's extras that the user asked for, normalised."""
    of_requirement = Requirement(project.requirement).extras if project.requirement else set()
    return frozenset(canonicalize_name(extra) for extra in (*project.settings.extras, *of_requirement))


def _places_here(project: Project, target: Target, workspace: Path, dirs: Dirs) -> dict[str, Path]:
    here = {
        "the staging root": workspace / "destdir",
        "the workspace": workspace,
        "venvpkg's cache": dirs.cache,
        "the wheelhouse": dirs.wheelhouse,
        "venvpkg's own interpreter": Path(sys.prefix),
        "the target's root": target.root,
    }
    return here | ({"the project's directory": project.directory} if project.directory else {})


def place_files(files: tuple[ExtraFile, ...], destdir: Path) -> None:
    """Copy the files to their places in ``destdir``, with their modes; made directories get 0755.

    Raises:
        StagingError: something is there already, or a source can no longer be read; all of them.
    """
    problems = []
    for file in files:
        try:
            path = _made_parents(destdir, file)
            with file.source.open("rb") as source, path.open("xb") as copy:
                shutil.copyfileobj(source, copy)
            path.chmod(file.mode)
        except (FileExistsError, NotADirectoryError):
            problems.append(f"{file.target}: the environment has something there")
        except OSError as error:
            problems.append(f"{file.target}: {error.strerror}")
    if problems:
        raise StagingError(
            f"{len(problems)} of the files in the configuration cannot be placed.",
            details="\n".join(f"  {each}" for each in problems),
            resolution="Name other targets under files in [tool.venvpkg].",
        )


def _made_parents(destdir: Path, file: ExtraFile) -> Path:
    current = destdir
    for part in file.target.parts[1:-1]:
        current /= part
        if current.is_symlink():  # it would lead out of the destdir
            raise NotADirectoryError
        if not current.exists():
            current.mkdir()
            current.chmod(0o755)
    return current / file.target.name
