"""Repeat a recorded build and compare the bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvpkg.config.project import read_project
from venvpkg.config.settings import read_configuration
from venvpkg.errors import ConfigurationError, NotReproducedError
from venvpkg.families.registry import family_of_file
from venvpkg.host.files import sha256_of, write_whole
from venvpkg.lock.lockfile import relocate_lock
from venvpkg.pipeline import build
from venvpkg.record.file import read_build_record
from venvpkg.record.inputs import changes_between
from venvpkg.store.directories import workspace

if TYPE_CHECKING:
    from venvpkg.context import Session
    from venvpkg.host.command import Streamer
    from venvpkg.model.package import Artifact, BuildRecord
    from venvpkg.model.project import Project


def rebuild(record_file: Path, argument: str, session: Session, *, keep: Path | None) -> Artifact:
    """Repeat a recorded build with its locks, settings and time, and return the package if it is identical.

    Args:
        record_file: ``NAME_VERSION_ARCH.build.json``. If its package is next to it, differing members are reported.
        argument: the project's directory; ignored if the record is of a requirement.
        session: this run. Wheels may come from its wheelhouse; the package is always packed again.
        keep: directory for the package; None for a temporary one.

    Raises:
        NotAPackageError: the file is not a build record.
        NotReproducedError: the package differs; with the inputs that changed and the members that differ.
        VenvpkgError: the build failed.
    """
    record = read_build_record(record_file)
    with workspace(session.dirs) as work:
        project = _recorded_project(record, argument, work)
        environ = {**session.environ, "SOURCE_DATE_EPOCH": str(record.source_date_epoch)}
        artifact, now = build(
            project,
            keep or work / "dist",
            replace(session, environ=environ, repacks=True),
            locked=True,
            leave_out=(record_file.parent.absolute(),),
        )
        if (artifact.sha256, now.debug_packages) != (record.sha256, record.debug_packages):
            raise _not_reproduced(record_file, record, artifact, now, session.host)
    return artifact


def _recorded_project(record: BuildRecord, argument: str, work: Path) -> Project:
    """Return the recorded project; its lockfiles are in ``work``, so that those next to the project do not change."""
    origin = Path.cwd()
    project = read_project(record.requirement or argument, {}, origin)
    configuration = read_configuration(record.settings, "", {}, {})
    problems = configuration.problems
    if record.requirement is None and project.directory is None:
        problems = (*problems, f"{argument}: not a directory with a pyproject.toml")
    if project.name != record.name:
        problems = (*problems, f"{project.name}: not the recorded application {record.name}")
    if problems:
        raise ConfigurationError("the record", problems, resolution="Name the directory of the recorded project.")
    lock, build_lock = work / "pylock.toml", work / "venvpkg.lock"
    write_whole(lock, relocate_lock(record.lock, project.directory or origin, work).encode())
    if record.build_lock:
        write_whole(build_lock, record.build_lock.encode())
    return replace(project, settings=configuration.settings, targets=(), lock=lock, build_lock=build_lock)


def _not_reproduced(
    record_file: Path, record: BuildRecord, artifact: Artifact, now: BuildRecord, runner: Streamer
) -> NotReproducedError:
    changes = changes_between(record.inputs, now.inputs)
    others = sorted(set(record.debug_packages.items()) ^ set(now.debug_packages.items()))
    original = record_file.parent / record.artifact
    has_original = original.is_file() and sha256_of(original) == record.sha256
    if not has_original:
        resolution = f"Put the recorded {record.artifact} next to its record to see which members differ."
    elif changes:
        resolution = "Restore the inputs that have changed; snapshots of the release have older packages."
    else:
        resolution = "No input has changed, so the difference is a bug in venvpkg or in a build backend."
    differences = tuple(f"{name}: not the same" for name in dict(others))
    if has_original and family_of_file(original) != family_of_file(artifact.path):
        differences += (f"{artifact.path.name} is a package of another family",)
        resolution = "Select the target of the recorded package with --target."
    elif has_original and artifact.sha256 != record.sha256:
        differences += family_of_file(original).format.differences(original, artifact.path, runner) or (
            "no member differs, only the order of members or the compression",
        )
    return NotReproducedError(record.artifact, changes, differences, resolution=resolution)
