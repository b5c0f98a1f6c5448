"""The commands of a printed job, run as its service would: from nothing in a bare Debian, then with what was kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
import ruamel.yaml

from acceptance.cleanroot import CleanRoot
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from acceptance.packages import Venvpkg

pytestmark = pytest.mark.full

SOURCES = Path(__file__).parents[2]
# The job's second run is in another container, with what the service has kept.
AGAIN = """\
mkdir /kept
cp -r --parents {paths} /kept
cp *.toml *.lock /kept
rm -rf ./* .venvpkg
cp -r /mnt/project/. .
cp -r /kept/. .
"""


def shell_of(job: dict[str, Any], target: str) -> tuple[str, str]:
    """Return what GitLab's runner gives to a shell before a job and in it, for a row of the matrix."""
    variables = "".join(f'export {name}="{value}"\n' for name, value in job["variables"].items())
    before = "\n".join(job["before_script"])
    return f"TARGET={target}\n{variables}{before}\n", "\n".join(job["script"])


def test_the_job_builds_from_nothing_and_reuses_what_was_kept(
    venvpkg: Venvpkg, clean_root: CleanRoot, tmp_path: Path
) -> None:
    del clean_root
    project = write_project(tmp_path / "project" / NAME)
    source = tmp_path / "venvpkg"
    source.mkdir()
    for name in ("src", "debian-templates", "rpm-templates", "deploy", "docs"):
        shutil.copytree(SOURCES / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(SOURCES / name, source)
    printed = venvpkg.run("ci", "gitlab", "--target=debian:bookworm", "--requirement=/root/venvpkg", str(project))
    job = ruamel.yaml.YAML(typ="safe", pure=True).load(printed.stdout.replace(str(project), "."))["package"]
    before, script = shell_of(job, "debian:bookworm")
    paths = " ".join(job["cache"]["paths"])

    outcome = CleanRoot.of_release(job["image"].partition(":")[2], ()).run(
        "\n".join(
            (
                "set -e",
                "cp -r /mnt/venvpkg /root; mkdir /builds; cd /builds; cp -r /mnt/project/. .",
                before,
                script,
                AGAIN.format(paths=paths),
                script.replace("venvpkg build", "venvpkg build --locked"),
                "ls dist",
            )
        ),
        binds={source: PurePosixPath("/mnt/venvpkg"), project: PurePosixPath("/mnt/project")},
        # The root's own bundle has this machine's authorities, which an index or a proxy here may be signed by.
        environment={
            **{key: value for key, value in os.environ.items() if key.startswith(("PIP_INDEX", "UV_DEFAULT"))},
            "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt",
        },
        timeout_s=3600,
    )

    assert outcome.code == 0, outcome.transcript
    assert outcome.stderr.count("created debian:bookworm in ") == 1
    assert outcome.stderr.count("1 compiled") == 1
    assert outcome.stderr.count("1 reused") == 1
    assert f"{NAME}_1.0.0-1~debian12_" in outcome.stdout.splitlines()[-1]
