"""The same sources and locks give the same bytes, whoever builds them, where, when and on what machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import BUILD_TIMEOUT_S
from acceptance.smallproject import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from acceptance.packages import Venvpkg

NOBODY = 65534
# The time inside the package is an input like the sources.
EPOCH = "1700000000"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How one build differs from another.

    Attributes:
        directory: the project, wheelhouse, cache and artifacts are in it; it is HOME.
        project: its name in there.
        umask: of the build.
        environment: more variables.
        prefix: what the command begins with.
        user: who builds.
        written: when the sources were written, seconds since 1970 UTC.
    """

    directory: str
    project: str = "project"
    umask: int = 0o022
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    user: int = 0
    written: int = 1_650_000_000


@dataclass(frozen=True, slots=True)
class Built:
    """What came out: name to sha256 of every package and every wheel in the wheelhouse."""

    project: Path
    packages: Mapping[str, str]
    wheels: Mapping[str, str]


ELSEWHERE = Surroundings(
    "two/much/deeper",
    project="a größer project",
    umask=0o077,
    environment={"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"},
    prefix=("unshare", "--uts", "sh", "-c", 'hostname another && exec taskset --cpu-list 0 "$@"', "sh"),
    written=630_000_000,
)
AS_NOBODY = Surroundings(
    "three",
    umask=0o002,
    prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    user=NOBODY,
)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """An empty directory that every user can enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="venvpkg-tests-", dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="module")
def first(place: Path, venvpkg: Venvpkg) -> Built:
    if os.geteuid() != 0:
        pytest.skip("only root can build as somebody else")
    return build(venvpkg, place, Surroundings("one"))


def test_place_time_umask_zone_language_host_name_and_number_of_cores_do_not_matter(
    first: Built, place: Path, venvpkg: Venvpkg
) -> None:
    other = build(venvpkg, place, ELSEWHERE, like=first)

    assert (other.packages, other.wheels) == (first.packages, first.wheels)


def test_who_builds_does_not_matter(first: Built, place: Path, venvpkg: Venvpkg) -> None:
    try:
        subprocess.run([*AS_NOBODY.prefix, str(venvpkg.program), "--version"], check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this venvpkg is closed to other users: {error.stderr!r}")

    other = build(venvpkg, place, AS_NOBODY, like=first)

    assert (other.packages, other.wheels) == (first.packages, first.wheels)


def build(venvpkg: Venvpkg, place: Path, surroundings: Surroundings, *, like: Built | None = None) -> Built:
    """Build from nothing but the sources, and the locks of the first build."""
    home = place / surroundings.directory
    project = write_project(home / surroundings.project, configuration="debug-symbols = true")
    if like is not None:
        for lock in ("pylock.toml", "venvpkg.lock"):
            shutil.copy(like.project / lock, project)
    for path in (home, *home.rglob("*")):
        os.chown(path, surroundings.user, surroundings.user)
        os.utime(path, (surroundings.written, surroundings.written))
    places = (f"--{each}={home / each}" for each in ("wheelhouse", "cache", "out"))
    completed = subprocess.run(
        [
            *surroundings.prefix,
            *(str(venvpkg.program), "build", str(project), *places),
            *(("--locked",) if like is not None else ()),
        ],
        cwd=home,
        env={**os.environ, "HOME": str(home), "SOURCE_DATE_EPOCH": EPOCH, **surroundings.environment},
        umask=surroundings.umask,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    packages, wheels = hashes(home / "out", "*.deb"), hashes(home / "wheelhouse", "*.whl")
    # The package and that of its debug symbols.
    assert (len(packages), len(wheels)) == (2, 1), completed.stderr
    return Built(project, packages, wheels)


def hashes(directory: Path, pattern: str) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.rglob(pattern))}
