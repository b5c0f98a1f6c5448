"""From this machine, packages for another release of Debian: made in a root of it, installed in a clean one."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import CleanRoot
from acceptance.packages import Visit, depends_of, shown
from acceptance.releases import PACKAGES, PYTHON, RELEASE, VERSION
from acceptance.smallproject import NAME, write_project

if TYPE_CHECKING:
    from acceptance.packages import Venvpkg

HERE = Path(__file__).parent
SOURCES = HERE.parents[1]
GUESTBOOK = SOURCES / "examples" / "guestbook"
CLI = """\
import sys

import psycopg2
from ringbell._bell import ring


def main():
    print(ring(3), psycopg2.extensions.libpq_version() // 10000, sys.version_info[:2])
"""


@pytest.fixture(scope="module")
def build_root(clean_root: CleanRoot) -> CleanRoot:
    """What packages are made in; only asked for where this machine can have clean roots at all."""
    del clean_root
    return CleanRoot.of_release(RELEASE, PACKAGES)


@pytest.fixture(scope="module")
def other_release(clean_root: CleanRoot) -> CleanRoot:
    """What they are installed in."""
    del clean_root
    return CleanRoot.of_release(RELEASE, ())


@pytest.fixture(scope="module")
def project(venvpkg: Venvpkg) -> Path:
    """A project with native code of its own, and with a distribution that needs a C library."""
    directory = write_project(venvpkg.directory / "ringbell", configuration='build-depends = ["libpq-dev"]')
    (directory / NAME / "cli.py").write_text(CLI)
    configuration = directory / "pyproject.toml"
    text = configuration.read_text()
    configuration.write_text(text.replace('license = "MIT"\n', 'license = "MIT"\ndependencies = ["psycopg2"]\n'))
    return directory


@pytest.fixture(scope="module")
def package(venvpkg: Venvpkg, build_root: CleanRoot, project: Path) -> Path:
    return venvpkg.built(str(project), f"--target=root:{build_root.base}")[0]


def test_the_package_is_the_other_releases(package: Path) -> None:
    depends = depends_of(package)

    assert package.name.startswith(f"{NAME}_1.0.0-1~debian{VERSION}_")
    assert {"libc6", "libpq5", f"python{PYTHON}"} == depends.keys()


def test_wheels_are_marked_for_the_release_that_they_were_compiled_for(package: Path, venvpkg: Venvpkg) -> None:
    del package
    (shelf,) = (venvpkg.directory / "wheelhouse").glob(f"linux_*_debian_{VERSION}")
    wheels = {path.name for path in shelf.rglob("psycopg2-*.whl")}

    assert wheels
    assert all(name.endswith(f"-{shelf.name}.whl") for name in wheels)


def test_it_runs_in_a_clean_root_of_that_release(package: Path, other_release: CleanRoot) -> None:
    outcome = other_release.run(
        f"""
        set -e
        apt-get -q update
        apt-get -q -y install --no-install-recommends {shown(package)}
        {NAME}
        dpkg --verify {NAME}
        """,
        binds={package: shown(package)},
    )

    assert outcome.code == 0, outcome.transcript
    libpq = {"12": 15, "13": 17}[VERSION]
    assert f"3 rings of 1.0.0 {libpq} (3, {PYTHON.partition('.')[2]})\n" in outcome.stdout


def test_the_root_is_as_it_was(package: Path, build_root: CleanRoot) -> None:
    """Nothing in it is newer than what makes a root: its package database."""
    database = build_root.base / "var/lib/dpkg/status"
    made = database.stat().st_mtime + 600
    newer = [
        str(path)
        for directory, directories, files in os.walk(build_root.base)
        for path in (Path(directory, name) for name in (*directories, *files))
        if path.lstat().st_mtime > made
    ]

    assert package.is_file()
    assert newer == []
    assert not (build_root.base / "usr/src/venvpkg").exists()


@pytest.mark.full
def test_a_native_build_in_that_release_gives_the_same_bytes(
    package: Path, build_root: CleanRoot, project: Path, tmp_path: Path
) -> None:
    source = tmp_path / "venvpkg"
    source.mkdir()
    for name in ("src", "debian-templates", "rpm-templates", "deploy", "pyproject.toml", "README.md", "LICENSE"):
        place = SOURCES / name
        if place.is_dir():
            shutil.copytree(place, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif place.exists():
            shutil.copy(place, source / name)
    # virtualenv writes its own files into the package: another version of it, other bytes.
    versions = {each.name: each.version for each in importlib.metadata.distributions() if each.name != "venvpkg"}
    (source / "constraints.txt").write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))

    outcome = build_root.run(
        """
        set -e
        cp -r /mnt/venvpkg /mnt/project /root
        python3 -m venv /opt/venvpkg
        /opt/venvpkg/bin/pip install --quiet --disable-pip-version-check \\
            --constraint /root/venvpkg/constraints.txt /root/venvpkg >&2
        /opt/venvpkg/bin/venvpkg build --locked --out /root/out /root/project
        sha256sum /root/out/*.deb
        """,
        binds={source: PurePosixPath("/mnt/venvpkg"), project: PurePosixPath("/mnt/project")},
        environment={key: value for key, value in os.environ.items() if key.startswith(("PIP_INDEX", "UV_DEFAULT"))},
    )

    assert outcome.code == 0, outcome.transcript
    ours = subprocess.run(["sha256sum", package], capture_output=True, text=True, check=True).stdout.split()[0]
    assert outcome.stdout.splitlines()[-1].split()[0] == ours


@pytest.mark.full
def test_the_guestbook_is_served_in_a_clean_root_of_that_release(
    venvpkg: Venvpkg, build_root: CleanRoot, other_release: CleanRoot
) -> None:
    directory = venvpkg.directory / "guestbook-there"
    shutil.copytree(GUESTBOOK, directory, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    package, _ = venvpkg.built(str(directory), f"--target=root:{build_root.base}")
    visitor = PurePosixPath("/mnt/visitor.py")

    visit = Visit(
        package,
        other_release.run(
            (HERE / "guestbook_in_root.sh").read_text(),
            binds={package: shown(package), HERE / "guestbook_visitor.py": visitor},
            arguments=[str(shown(package)), str(visitor)],
        ),
    )

    assert visit.outcome.code == 0, visit.outcome.transcript
    assert "  NO " not in visit.outcome.stdout
    assert "  yes  the page shows the entry\n" in visit.outcome.stdout
    assert {"libc6", "libpq5", "libxml2", "libxslt1.1", f"python{PYTHON}"} == depends_of(package).keys()
