"""Jobs of CI services that build a project's packages, as text. Pure but for reading the template."""

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


# Where venvpkg itself runs: the newest release of Debian that has one, because its mmdebstrap and keys make all others.
_IMAGE: Final = "debian:trixie"
_PACKAGES: Final = ("ca-certificates", "git", "mmdebstrap", "python3-venv", "zstd")


class CiService(StrEnum):
    """Whose jobs."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class CiJob:
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


def ci_job_text(service: CiService, job: CiJob) -> str:
    """Return the YAML of a job.

    Values of the user stand in it as JSON strings, which YAML takes as they are, and reach the shell as variables.

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
