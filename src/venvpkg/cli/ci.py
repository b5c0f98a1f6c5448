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


def _selections(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[Selection, ...]:
    return _parsed(texts)


def _parsed(texts: tuple[str, ...]) -> tuple[Selection, ...]:
    try:
        return tuple(dict.fromkeys(parse_selection(text) for text in texts))
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


def _plain(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse what the services' own syntax would act on, and what would end a line of the job."""
    if value is not None and ("$" in value or not value.isprintable()):
        raise click.BadParameter(f"{value!r} has a '$', or a character that cannot be printed.")
    return value


def _in_repository(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and (Path(value).is_absolute() or ".." in Path(value).parts):
        raise click.BadParameter(f"{value!r} is no path inside the repository.")
    return _plain(context, parameter, value)


def _job(function: Callback) -> Callback:
    for option in reversed(
        (
            click.argument("argument", default=".", metavar="[PROJECT | REQUIREMENT]", callback=_plain),
            click.option(
                "-t",
                "--target",
                "targets",
                multiple=True,
                metavar="debian:SUITE|fedora:N|…",
                callback=_selections,
                help="A release to build for; may be given several times.  [default: the key ci-targets]",
            ),
            click.option(
                "--targets-file",
                metavar="FILE",
                callback=_in_repository,
                help="The targets.toml, in the repository, that says what releases other than Debian's are made from.",
            ),
            click.option(
                "--requirement",
                metavar="REQUIREMENT",
                default=f"venvpkg=={venvpkg.__version__}",
                show_default=True,
                callback=_plain,
                help="What pip installs there as venvpkg.",
            ),
        )
    ):
        function = option(function)
    return function


@click.group("ci")
def command() -> None:
    """Print a job that builds the packages for all releases."""


@command.command("github")
@_job
def github(argument: str, targets: tuple[Selection, ...], targets_file: str | None, requirement: str) -> None:
    """Print a workflow of GitHub Actions: for .github/workflows/packages.yml.

    There is a job for each release; its packages are an artifact, and vendor wheels and the release's system are kept.
    """
    _tell(CiService.GITHUB, argument, targets, targets_file, requirement)


@command.command("gitlab")
@_job
def gitlab(argument: str, targets: tuple[Selection, ...], targets_file: str | None, requirement: str) -> None:
    """Print a job of GitLab CI: for .gitlab-ci.yml. Its runner's containers must be privileged.

    There is a job for each release; its packages are an artifact, and vendor wheels and the release's system are kept.
    """
    _tell(CiService.GITLAB, argument, targets, targets_file, requirement)


def _tell(
    service: CiService, argument: str, targets: tuple[Selection, ...], targets_file: str | None, requirement: str
) -> None:
    project = read_project(argument)
    chosen = targets or _parsed(project.settings.ci_targets)
    _require_targets(chosen, targets_file)
    job = CiJob(chosen, argument, requirement, _is_locked(project), targets_file)
    click.echo(ci_job_text(service, job), nl=False)


def _require_targets(targets: tuple[Selection, ...], targets_file: str | None) -> None:
    if not targets:
        raise click.UsageError("Name the releases: with --target, or as ci-targets in the configuration.")
    if other := [str(each) for each in targets if not each.is_bootstrapped]:
        raise click.UsageError(f"{', '.join(other)}: a job has releases that venvpkg makes, such as debian:trixie.")
    unknown = [str(each) for each in targets if each.kind != "debian"]
    if unknown and targets_file is None:
        raise click.UsageError(
            f"{', '.join(unknown)}: say what to make them from, in a targets.toml of the repository (README, Build for"
            " another release), and name it with --targets-file."
        )


def _is_locked(project: Project) -> bool:
    """Whether there is a lock that the job can insist on."""
    others = [project.directory / "uv.lock"] if project.directory else []
    return project.settings.lock is not None or any(each.exists() for each in (project.lock, *others))
