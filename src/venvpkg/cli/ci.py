"""``venvpkg ci``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import venvpkg
from venvpkg.api import CiJob, CiService, ci_job_text, parse_selection, read_project

if TYPE_CHECKING:
    from venvpkg.api import Project, Selection
    from venvpkg.cli.options import Callback


def _targets_option(
    _context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Selection, ...]:
    return _parse_selections(texts)


def _parse_selections(texts: tuple[str, ...]) -> tuple[Selection, ...]:
    try:
        return tuple(dict.fromkeys(parse_selection(text) for text in texts))
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


def _literal(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a value that the CI service would expand, or that would end a line of the job."""
    if value is not None and ("$" in value or not value.isprintable()):
        raise click.BadParameter(f"{value!r} contains a '$' or a character that cannot be printed.")
    return value


def _path_in_repository(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and (Path(value).is_absolute() or ".." in Path(value).parts):
        raise click.BadParameter(f"{value!r} is not a relative path inside the repository.")
    return _literal(context, parameter, value)


def _with_job_options(function: Callback) -> Callback:
    for option in reversed(
        (
            click.argument("argument", default=".", metavar="[PROJECT | REQUIREMENT]", callback=_literal),
            click.option(
                "-t",
                "--target",
                "targets",
                multiple=True,
                metavar="debian:SUITE|fedora:N|…",
                callback=_targets_option,
                help="Release to build for; may be given several times.  [default: the key ci-targets]",
            ),
            click.option(
                "--targets-file",
                metavar="FILE",
                callback=_path_in_repository,
                help="The targets.toml in the repository; required for releases other than Debian's.",
            ),
            click.option(
                "--requirement",
                metavar="REQUIREMENT",
                default=f"venvpkg=={venvpkg.__version__}",
                show_default=True,
                callback=_literal,
                help="Requirement that pip installs as venvpkg in the job.",
            ),
        )
    ):
        function = option(function)
    return function


@click.group("ci")
def ci() -> None:
    """Print a CI job that builds the packages for all releases."""


@ci.command("github")
@_with_job_options
def github(argument: str, targets: tuple[Selection, ...], targets_file: str | None, requirement: str) -> None:
    """Print a GitHub Actions workflow, for .github/workflows/packages.yml.

    It runs one job for each release. The packages are uploaded as artifacts; vendor wheels and build roots are cached.
    """
    _print_job(CiService.GITHUB, argument, targets, targets_file, requirement)


@ci.command("gitlab")
@_with_job_options
def gitlab(argument: str, targets: tuple[Selection, ...], targets_file: str | None, requirement: str) -> None:
    """Print a GitLab CI job, for .gitlab-ci.yml. The runner must use privileged containers.

    It runs one job for each release. The packages are uploaded as artifacts; vendor wheels and build roots are cached.
    """
    _print_job(CiService.GITLAB, argument, targets, targets_file, requirement)


def _print_job(
    service: CiService, argument: str, targets: tuple[Selection, ...], targets_file: str | None, requirement: str
) -> None:
    project = read_project(argument)
    chosen = targets or _parse_selections(project.settings.ci_targets)
    _require_targets(chosen, targets_file)
    job = CiJob(chosen, argument, requirement, _is_locked(project), targets_file)
    click.echo(ci_job_text(service, job), nl=False)


def _require_targets(targets: tuple[Selection, ...], targets_file: str | None) -> None:
    if not targets:
        raise click.UsageError("Name the releases with --target, or as ci-targets in the configuration.")
    if other := [str(each) for each in targets if not each.is_bootstrapped]:
        raise click.UsageError(
            f"{', '.join(other)}: a CI job only builds for releases that venvpkg bootstraps, such as debian:trixie."
        )
    not_debian = [str(each) for each in targets if each.kind != "debian"]
    if not_debian and targets_file is None:
        raise click.UsageError(
            f"{', '.join(not_debian)}: configure their mirrors in a targets.toml in the repository (README, Build for"
            " another release), and name the file with --targets-file."
        )


def _is_locked(project: Project) -> bool:
    """Whether a lockfile exists, so that the job can build with ``--locked``."""
    others = [project.directory / "uv.lock"] if project.directory else []
    return project.settings.lock is not None or any(each.exists() for each in (project.lock, *others))
