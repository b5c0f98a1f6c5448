"""Generate CI jobs that build a project's packages. Pure except for reading the template."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from venvpkg.families.registry import family_of_build_root
from venvpkg.templates import CI, render

if TYPE_CHECKING:
    from venvpkg.targets.selection import Selection


# The image that venvpkg runs in: the newest Debian release, whose mmdebstrap and keys can bootstrap all others.
_IMAGE: Final = "debian:trixie"
_PACKAGES: Final = ("ca-certificates", "git", "mmdebstrap", "python3-venv", "zstd")


class CiService(StrEnum):
    """A CI service."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class CiJob:
    """The parameters of a CI job. No value contains a ``$`` or a line break.

    Attributes:
        targets: releases that venvpkg bootstraps; each is built for separately.
        project: as on the command line, relative to the top of the repository.
        requirement: requirement that pip installs as venvpkg.
        is_locked: whether the lockfile must exist and be up to date.
        targets_file: path of targets.toml, relative to the top of the repository.
    """

    targets: tuple[Selection, ...]
    project: str
    requirement: str
    is_locked: bool = False
    targets_file: str | None = None

    @property
    def command(self) -> str:
        """The arguments of ``venvpkg ci SERVICE`` that generate this job, quoted for the shell."""
        words = [f"--target={each}" for each in self.targets]
        if self.targets_file is not None:
            words.append(f"--targets-file={self.targets_file}")
        return shlex.join([*words, self.project])


def ci_job_text(service: CiService, job: CiJob) -> str:
    """Return a CI job as YAML.

    Values from the user are written as JSON strings, which are valid YAML, and reach the shell as variables.

    Source:
        Workflow syntax for GitHub Actions; CI/CD YAML syntax reference of GitLab.
    """
    families = {family for each in job.targets if (family := family_of_build_root(each.kind)) is not None}
    packages = {*_PACKAGES, *(package for family in families for package in family.bootstrap_packages)}
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
    return render(CI, f"{service}.yml.j2", values)
