"""``venvpkg ci``."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import venvpkg
from venvpkg import pipeline
from venvpkg.targets.selection import Kind, Selection, parse_selection
from venvpkg.templates import render

if TYPE_CHECKING:
    from venvpkg.cli.options import Callback
    from venvpkg.model.project import Project


# Where venvpkg itself runs: the newest release of Debian that has one, because its mmdebstrap and keys make all others.
_IMAGE: Final = "debian:trixie"
_PACKAGES: Final = ("ca-certificates", "git", "mmdebstrap", "python3-venv", "zstd")
_PACKAGES_FOR_RPM: Final = ("dnf",)


class Service(StrEnum):
    """Whose jobs."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class Job:
    """What a job does.

    Attributes:
        targets: releases that venvpkg makes; each is built for by itself. No value has a ``$`` or a line break.
        project: as on the command line, from the top of the repository.
        requirement: what pip installs as venvpkg.
        is_locked: whether the lock must be there and up to date.
        targets_file: targets.toml, from the top of the repository.
    """

    targets: tuple[Selection, ...]
    project: str
    requirement: str
    is_locked: bool = False
    targets_file: str | None = None

    @property
    def command(self) -> str:
        """The arguments of ``venvpkg ci SERVICE`` that give this job, for the shell."""
        words = [f"--target={each}" for each in self.targets]
        if self.targets_file is not None:
            words.append(f"--targets-file={self.targets_file}")
        return shlex.join([*words, self.project])


def job_text(service: Service, job: Job) -> str:
    """Return the YAML of a job.

    Values of the user stand in it as JSON strings, which YAML takes as they are, and reach the shell as variables.

    Source:
        Workflow syntax for GitHub Actions; CI/CD YAML syntax reference of GitLab.
    """
    made_by_dnf = any(each.kind not in {Kind.DEBIAN, Kind.UBUNTU} for each in job.targets)
    packages = (*_PACKAGES, *(_PACKAGES_FOR_RPM if made_by_dnf else ()))
    values = {
        "rows": [{"target": str(each), "name": re.sub(r"[^a-z0-9]+", "-", str(each))} for each in job.targets],
        "project": job.project,
        "requirement": job.requirement,
        "locked": job.is_locked,
        "targets_file": job.targets_file,
        "image": _IMAGE,
        "packages": " ".join(sorted(packages)),
        "made_by": f"venvpkg ci {service} {job.command}",
    }
    return render("ci", f"{service}.yml.j2", values)


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
    _tell(Service.GITHUB, argument, targets, targets_file, requirement)


@command.command("gitlab")
@_job
def gitlab(argument: str, targets: tuple[Selection, ...], targets_file: str | None, requirement: str) -> None:
    """Print a job of GitLab CI: for .gitlab-ci.yml. Its runner's containers must be privileged.

    There is a job for each release; its packages are an artifact, and vendor wheels and the release's system are kept.
    """
    _tell(Service.GITLAB, argument, targets, targets_file, requirement)


def _tell(
    service: Service, argument: str, targets: tuple[Selection, ...], targets_file: str | None, requirement: str
) -> None:
    project = pipeline.read(argument, {}, dict(os.environ))
    chosen = targets or _parsed(project.settings.ci_targets)
    _require_targets(chosen, targets_file)
    job = Job(chosen, argument, requirement, _is_locked(project), targets_file)
    click.echo(job_text(service, job), nl=False)


def _require_targets(targets: tuple[Selection, ...], targets_file: str | None) -> None:
    if not targets:
        raise click.UsageError("Name the releases: with --target, or as ci-targets in the configuration.")
    if other := [str(each) for each in targets if not each.is_bootstrapped]:
        raise click.UsageError(f"{', '.join(other)}: a job has releases that venvpkg makes, such as debian:trixie.")
    unknown = [str(each) for each in targets if each.kind is not Kind.DEBIAN]
    if unknown and targets_file is None:
        raise click.UsageError(
            f"{', '.join(unknown)}: say what to make them from, in a targets.toml of the repository (README, Build for"
            " another release), and name it with --targets-file."
        )


def _is_locked(project: Project) -> bool:
    """Whether there is a lock that the job can insist on."""
    others = [project.directory / "uv.lock"] if project.directory else []
    return project.settings.lock is not None or any(each.exists() for each in (project.lock, *others))
