"""``venvpkg build`` and ``rebuild``."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venvpkg import api
from venvpkg.api import Action, record_path, short_names
from venvpkg.cli.options import LOCKED, ApplicationCommand, on_targets, with_options
from venvpkg.cli.output import print_result

if TYPE_CHECKING:
    from venvpkg.api import Artifact, Options, Outcome, Project
    from venvpkg.cli.options import Application
    from venvpkg.cli.output import Output


_ORIGINS = {
    Action.COMPILE: "compiled",
    Action.REUSE: "reused",
    Action.PURE: "pure",
    Action.BINARY: "prebuilt",
}


@click.command("build", cls=ApplicationCommand)
@on_targets
@click.option(
    "-o",
    "--out",
    "destination",
    type=click.Path(file_okay=False, readable=False, path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="Directory for the package.",
)
@LOCKED
def build(application: Application, output: Output, options: Options, *, destination: Path, locked: bool) -> None:
    """Build the native package of an application and print its path.

    The application is a directory with a pyproject.toml, or a requirement such as 'borgbackup==1.4.5'. With several
    targets, one package is built for each, and a target that fails does not stop the others.
    """
    project, options = application.read(), replace(options, out=destination, locked=locked)
    if len(set(options.targets)) > 1:
        _build_for_each(project, output, options)
        return
    start = time.monotonic()
    (artifact,) = api.build(project, options, on_event=output.reporter)
    output.reporter.summary(_summary(artifact, time.monotonic() - start))
    print_result(_package_paths(artifact), _artifact_facts(artifact))


def _build_for_each(project: Project, output: Output, options: Options) -> None:
    outcomes = api.build_each(project, options, on_event=output.reporter, on_failure=output.report_target_failure)
    names = short_names([each.target for each in outcomes])
    output.reporter.summary(tuple((name, each.summary) for name, each in zip(names, outcomes, strict=True)))
    paths = [path for each in outcomes if each.artifact is not None for path in _package_paths(each.artifact)]
    print_result(paths, {"targets": [{"target": str(each.target), **_outcome_facts(each)} for each in outcomes]})
    api.require_all(outcomes)


def _outcome_facts(outcome: Outcome) -> dict[str, object]:
    if outcome.artifact is not None:
        return _artifact_facts(outcome.artifact)
    if outcome.error is None:
        raise ValueError("neither a package nor an error")
    error = outcome.error
    parts = {"brief": error.brief, "details": error.details, "resolution": error.resolution}
    return {"error": {"exit_code": error.exit_code, **parts}}


def _package_paths(artifact: Artifact) -> list[str]:
    return [str(each) for each in (artifact.path, *artifact.debug_packages)]


def _summary(artifact: Artifact, elapsed_s: float) -> tuple[tuple[str, str], ...]:
    relations = artifact.spec.dependencies.relations()
    counts = Counter(_ORIGINS[wheel.origin] for wheel in artifact.wheels)
    wheels = ", ".join(f"{counts[origin]} {origin}" for origin in dict.fromkeys(_ORIGINS.values()) if counts[origin])
    system = [f"{each.distribution.name} {each.distribution.title}" for each in artifact.spec.staged.system]
    return (
        ("package", ", ".join(each.name for each in (artifact.path, *artifact.debug_packages))),
        ("size", f"{artifact.size_bytes / 1e6:.1f} MB"),
        ("depends", f"{len(relations)}: {', '.join(relations)}" if relations else "nothing"),
        ("wheels", f"{len(artifact.wheels)}: {wheels}"),
        *((("system", f"{len(system)}: {', '.join(system)}"),) if system else ()),
        ("elapsed", f"{elapsed_s:.1f} s"),
    )


def _artifact_facts(artifact: Artifact) -> dict[str, object]:
    spec = artifact.spec
    return {
        "artifact": str(artifact.path),
        "companions": [str(each) for each in artifact.debug_packages],
        "record": str(record_path(artifact.path)),
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "name": spec.name,
        "version": spec.upstream_version,
        "source_date_epoch": spec.source_date_epoch,
        "depends": list(spec.dependencies.relations()),
        "wheels": [
            {
                "name": each.name,
                "version": each.version,
                "action": each.origin.value,
                "filename": each.path.name,
                "sha256": each.sha256,
            }
            for each in artifact.wheels
        ],
        "system": [
            {
                "name": each.distribution.name,
                "version": each.distribution.version,
                "package": each.distribution.package.name,
                "package_version": each.distribution.package.version,
            }
            for each in spec.staged.system
        ],
    }


@click.command("rebuild")
@click.argument("record", metavar="RECORD", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("project", default=".", metavar="[PROJECT]")
@with_options
@click.option(
    "-o",
    "--out",
    "keep",
    type=click.Path(file_okay=False, readable=False, path_type=Path),
    help="Directory to keep the new package in.",
)
def rebuild(output: Output, options: Options, *, record: Path, project: str, keep: Path | None) -> None:
    """Repeat a recorded build and compare the bytes.

    RECORD is the file NAME_VERSION_ARCH.build.json next to a package. Wheels in the wheelhouse are reused; an empty
    --wheelhouse compiles all of them.
    """
    if keep is not None and keep.is_dir() and record.parent.is_dir() and keep.samefile(record.parent):
        raise click.BadParameter(
            f"{keep} contains the record: the new package and record would replace the recorded ones.",
            param_hint="--out",
        )
    artifact = api.rebuild(record, project, options, keep=keep, on_event=output.reporter)
    name, digest = artifact.path.name, artifact.sha256
    print_result(f"{name} is identical, sha256 {digest}", {"artifact": name, "sha256": digest, "is_same": True})
