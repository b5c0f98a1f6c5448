"""Stage the payload below the destdir: the virtual environment with all wheels, as it will be at its prefix."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from venvpkg.errors import StagingError
from venvpkg.host.files import name_in_errors
from venvpkg.host.oserrors import is_environment_error
from venvpkg.host.tree import normalise_modes
from venvpkg.model.staged import StagedSystem, StagedVenv
from venvpkg.staging.cache import StagedCache
from venvpkg.staging.closure import names_of, require_closure, required_by, unmet_in_system
from venvpkg.staging.installed_paths import misplaced_warnings, patterns_by_distribution, require_recorded, unmatched
from venvpkg.staging.leaks import forbidden_paths, read_payload
from venvpkg.staging.metadata import application_metadata, installed_distribution, python_floor, read_metadata
from venvpkg.staging.populate import StagingContext, populate, store_uncached
from venvpkg.staging.system import expose, require_no_module_conflict
from venvpkg.text import NO_SECRETS, Secrets

if TYPE_CHECKING:
    from venvpkg.families.base import TargetContext
    from venvpkg.model.project import ExtraFile, Project
    from venvpkg.model.target import Target
    from venvpkg.model.wheels import PlannedSystem, ReadyWheel
    from venvpkg.store.dirs import Dirs


class StageInputs(NamedTuple):
    """What the payload is made of.

    Attributes:
        wheels: one a distribution, the application's among them.
        files: of the project, to lie next to the environment.
        system: what the environment shows of the release's own packages.
        secrets: passwords that no file of the payload may contain.
    """

    wheels: tuple[ReadyWheel, ...]
    files: tuple[ExtraFile, ...] = ()
    system: tuple[PlannedSystem, ...] = ()
    secrets: Secrets = NO_SECRETS


def stage(project: Project, inputs: StageInputs, workspace: Path, dirs: Dirs, context: TargetContext) -> StagedVenv:
    """Stage the application.

    Args:
        project: the application and its prefix.
        inputs: what the payload is made of.
        workspace: directory of this run on this machine; receives the destdir.
        dirs: have the cache of staged distributions. The payload must not name any of them.
        context: where it will be installed; its runner runs the target's interpreter.

    Raises:
        WheelError: a wheel is malformed.
        StagingError: a file conflict, an unmet requirement, a refused interpreter, a file with a path of this machine
            or a secret, or a staged file that differs from RECORD.
    """
    target, runner, reporter = context.target, context.runner, context.reporter
    wheels, files, system, secrets = inputs
    destdir = workspace / "destdir"
    destdir.mkdir(parents=True)
    cache = StagedCache(dirs.staged, reporter)
    leave_out = patterns_by_distribution(project.settings.leave_out)
    for warning in unmatched(leave_out, {each.name: _paths_in(each) for each in wheels if each.name in leave_out}):
        reporter.warn(warning)
    populated = populate(wheels, destdir, project.prefix, StagingContext(target, cache, runner, reporter, leave_out))
    installed = populated.installed
    metadata = {each.wheel.name: read_metadata(each, destdir, reporter) for each in installed}
    if project.name not in metadata:
        raise StagingError(f"there is no wheel of the application itself, {project.name}, to install.")
    needs = require_closure(
        metadata,
        target.interpreter.marker_environment,
        {project.name: _requested_extras(project)},
        {each.name: each for each in system},
        target.interpreter.distributions,
    )
    for warning in unmet_in_system(needs, system):
        reporter.warn(warning)
    exposed = [each.distribution for each in system]
    site = project.prefix / "lib" / target.interpreter.name / "site-packages"
    require_no_module_conflict(exposed, installed, site)
    expose(exposed, destdir, site, target, runner)
    for warning in misplaced_warnings(installed, site, {each.target for each in files}):
        reporter.warn(warning)
    floor = python_floor(metadata.values(), target.interpreter)
    normalise_modes(destdir)
    place_files(files, destdir)
    payload = read_payload(
        destdir,
        forbidden_paths(
            _local_paths(project, target, workspace, dirs),
            (
                project.prefix,
                target.interpreter.path,
            ),
        ),
        secrets,
    )
    require_recorded(installed, payload, destdir)
    store_uncached(populated, destdir, payload, cache)
    application = next(each for each in installed if each.wheel.name == project.name)
    return StagedVenv(
        destdir=destdir,
        prefix=project.prefix,
        application=application_metadata(application, metadata[project.name], project.prefix / "bin"),
        distributions=tuple(
            installed_distribution(
                each, metadata[each.wheel.name], destdir, names_of(needs[each.wheel.name], each.wheel.name)
            )
            for each in installed
        ),
        python_floor=floor,
        payload=payload,
        system=tuple(StagedSystem(each, required_by(each.name, needs)) for each in exposed),
    )


def _paths_in(wheel: ReadyWheel) -> list[str]:
    """Return the paths in a wheel; none if it is damaged, which its installation will report."""
    try:
        with zipfile.ZipFile(wheel.path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []


def _requested_extras(project: Project) -> frozenset[str]:
    """Return the normalised extras of the application that the user asked for."""
    of_requirement = Requirement(project.requirement).extras if project.requirement else set()
    return frozenset(canonicalize_name(extra) for extra in (*project.settings.extras, *of_requirement))


def _local_paths(project: Project, target: Target, workspace: Path, dirs: Dirs) -> dict[str, Path]:
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
    """Copy the files to their places in ``destdir``, with their modes; new directories get mode 0755.

    Raises:
        StagingError: paths already exist, or sources could not be read; the error lists all of them.
    """
    problems = []
    for file in files:
        try:
            path = _make_parents(destdir, file)
            with name_in_errors(path), file.source.open("rb") as source, path.open("xb") as copy:
                shutil.copyfileobj(source, copy)
            path.chmod(file.mode)
        except (FileExistsError, NotADirectoryError):
            problems.append(f"{file.target}: path already exists in the virtual environment")
        except OSError as error:
            if is_environment_error(error):
                raise
            problems.append(f"{file.target}: {error.strerror}")
    if problems:
        raise StagingError(
            f"{len(problems)} of the configured files could not be installed.",
            details="\n".join(f"  {each}" for each in problems),
            resolution="Choose other targets under files in [tool.venvpkg].",
        )


def _make_parents(destdir: Path, file: ExtraFile) -> Path:
    current = destdir
    for part in file.target.parts[1:-1]:
        current /= part
        if current.is_symlink():  # it could lead out of the destdir
            raise NotADirectoryError
        if not current.exists():
            current.mkdir()
            current.chmod(0o755)
    return current / file.target.name
