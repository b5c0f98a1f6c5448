"""From this machine, in one call, the guestbook for every release there is: each package serves in its clean root."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import CleanRoot
from acceptance.packages import depends_of, shown
from acceptance.releases import CACHE
from acceptance.rpms import BUILDERS, requires_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from acceptance.cleanroot import Outcome
    from acceptance.packages import Venvpkg
    from rpmworld.world import World

# lxml is compiled five times.
pytestmark = pytest.mark.full

HERE = Path(__file__).parent
GUESTBOOK = HERE.parents[1] / "examples" / "guestbook"
TABLE = HERE.parents[1] / "docs" / "releases.md"
# Kept between runs, as a user's are.
TIMEOUT_S = 4 * 3600.0
DEBIAN = ("bullseye", "bookworm", "trixie", "sid")
RPM = "rpm"
NUMBERED = {"bullseye": ("11", "3.9"), "bookworm": ("12", "3.11"), "trixie": ("13", "3.13")}
LIBRARIES = ("libc6", "libpq5", "libxml2", "libxslt1.1")
UPDATE = "VENVPKG_UPDATE_RELEASES"


@dataclass(frozen=True, slots=True)
class Build:
    """A package of one release, and how long it took: at first, when all was to be compiled, and the second time."""

    package: Path
    cold_s: float
    warm_s: float


@pytest.fixture(scope="module")
def world(rpm_worlds: Callable[[str | None], World]) -> World:
    return rpm_worlds("bookworm")


@pytest.fixture(scope="module")
def calls(venvpkg: Venvpkg, world: World, clean_root: CleanRoot) -> tuple[Outcome, Outcome]:
    """The same command twice; only where this machine can have roots at all."""
    del clean_root
    project = venvpkg.directory / "guestbook-everywhere"
    shutil.copytree(GUESTBOOK, project, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    made = [f"debian:{release}" for release in DEBIAN]
    cache = f"--cache={CACHE}"
    for target in made:  # the systems, so that the builds' own time is measured
        outcome = venvpkg.run("doctor", str(project), cache, f"--target={target}", timeout_s=TIMEOUT_S)
        assert outcome.code == 0, outcome.transcript
    targets = [f"--target={each}" for each in (*made, f"root:{world.root(*BUILDERS).base}")]
    house = f"--wheelhouse={venvpkg.directory / 'wheelhouse-everywhere'}"
    first, second = (
        venvpkg.run("build", str(project), cache, house, *targets, f"--out={out}", timeout_s=TIMEOUT_S)
        for out in (venvpkg.directory / "everywhere", venvpkg.directory / "everywhere-again")
    )
    return first, second


@pytest.fixture(scope="module")
def builds(calls: tuple[Outcome, Outcome]) -> dict[str, Build]:
    first, second = calls
    assert first.code == 0, first.transcript
    assert second.code == 0, second.transcript
    packages = [Path(line) for line in first.stdout.splitlines()]
    times = [re.findall(r"^ {9}\S+ +\S+, [0-9.]+ MB, ([0-9.]+) s$", each.stderr, re.MULTILINE) for each in calls]
    found = zip((*DEBIAN, RPM), packages, *times, strict=True)
    return {release: Build(package, float(cold), float(warm)) for release, package, cold, warm in found}


@pytest.mark.parametrize("release", DEBIAN)
def test_it_is_served_in_a_clean_root_of_its_release(builds: dict[str, Build], release: str) -> None:
    package, visitor = builds[release].package, PurePosixPath("/mnt/visitor.py")

    outcome = CleanRoot.of_release(release, ()).run(
        (HERE / "guestbook_in_root.sh").read_text(),
        binds={package: shown(package), HERE / "guestbook_visitor.py": visitor},
        arguments=[str(shown(package)), str(visitor)],
    )

    went_well(outcome)


def test_it_is_served_in_a_clean_root_of_the_rpm_world(builds: dict[str, Build], world: World) -> None:
    package = builds[RPM].package
    files = (HERE / "guestbook_visitor.py", HERE.parent / "rpmworld" / "postgresql.sh")
    binds = {each: PurePosixPath("/mnt") / each.name for each in files}

    outcome = world.root().run(
        (HERE / "guestbook_in_root.sh").read_text(),
        binds={package: shown(package), **binds},
        arguments=[str(shown(package)), *map(str, binds.values())],
    )

    went_well(outcome)


def went_well(outcome: Outcome) -> None:
    assert outcome.code == 0, outcome.transcript
    assert "  NO " not in outcome.stdout
    assert "  yes  the page shows the entry\n" in outcome.stdout
    assert "  yes  nothing of it is left\n" in outcome.stdout


@pytest.mark.parametrize("release", NUMBERED)
def test_it_depends_on_the_libraries_and_the_interpreter_of_its_release(builds: dict[str, Build], release: str) -> None:
    number, python = NUMBERED[release]
    package = builds[release].package

    assert package.name.startswith(f"guestbook_1.0.0-1~debian{number}_")
    assert depends_of(package).keys() == {*LIBRARIES, f"python{python}"}


def test_each_version_is_newer_than_that_of_the_release_before(builds: dict[str, Build]) -> None:
    versions = [builds[release].package.name.split("_")[1] for release in DEBIAN]

    for older, newer in pairwise(versions):
        subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=True)


def test_the_second_call_compiles_nothing_and_gives_the_same_bytes(
    builds: dict[str, Build], calls: tuple[Outcome, Outcome]
) -> None:
    again = [Path(line) for line in calls[1].stdout.splitlines()]

    assert [each.read_bytes() for each in again] == [each.package.read_bytes() for each in builds.values()]
    assert "built " not in calls[1].stderr


def test_a_machine_that_is_upgraded_to_the_next_release_gets_that_ones_package(
    builds: dict[str, Build], tmp_path: Path
) -> None:
    old, new = builds["bookworm"].package, builds["trixie"].package
    repository = tmp_path / "repository"
    repository.mkdir()
    shutil.copy(new, repository)
    command = ["dpkg-scanpackages", "--multiversion", "."]
    index = subprocess.run(command, cwd=repository, capture_output=True, check=True)
    (repository / "Packages").write_bytes(index.stdout)

    outcome = CleanRoot.of_release("bookworm", ()).run(
        f"""
        set -e
        apt-get -q update
        apt-get -q -y install --no-install-recommends {shown(old)}
        sed -i 's/bookworm/trixie/g' $(find /etc/apt -name '*.list' -o -name '*.sources')
        echo 'deb [trusted=yes] file:/mnt/repository ./' > /etc/apt/sources.list.d/ours.list
        apt-get -q update
        apt-get -q -y -o Dpkg::Options::=--force-confnew dist-upgrade
        dpkg --audit
        dpkg --verify guestbook
        guestbook --version
        dpkg-query -W guestbook
        """,
        binds={old: shown(old), repository: PurePosixPath("/mnt/repository")},
    )

    assert outcome.code == 0, outcome.transcript
    version = new.name.split("_")[1]
    assert outcome.stdout.splitlines()[-2:] == ["guestbook 1.0.0", f"guestbook\t{version}"]


def test_the_table_in_the_docs_tells_what_was_built(builds: dict[str, Build]) -> None:
    rows = [row_of(release, build) for release, build in builds.items()]
    if os.environ.get(UPDATE):
        beginning, _, _ = TABLE.read_text().partition("| release |")
        TABLE.write_text(beginning + table(rows))

    told = {cells[0]: cells for cells in map(cells_of, TABLE.read_text().splitlines()) if cells}

    # What is rolling moves on; sizes, times and days are those of the day of the table.
    numbered = [(row, told[row[0]]) for row in rows if row[0] in told and row[0] != "Debian sid"]
    assert numbered
    for here, there in numbered:
        assert here[1:3] == there[1:3]
        assert names(here[4]) == names(there[4])


def row_of(release: str, build: Build) -> tuple[str, ...]:
    """Return the cells of a row: release, interpreter, package, size, dependencies, seconds, day."""
    if release == RPM:
        requires = requires_of(build.package)
        relations = sorted(
            each for each in requires if re.fullmatch(r"lib\w+\.so\.[\d.]+\(\)\(64bit\)|/usr/bin/.*", each)
        )
        (python,) = (each.removeprefix("/usr/bin/python") for each in relations if each.startswith("/usr/bin/python"))
        title = "rpm world on Debian 12's libraries"
    else:
        relations = [f"{name} {restriction}".strip() for name, restriction in depends_of(build.package).items()]
        (python,) = (each.split()[0].removeprefix("python") for each in relations if each.startswith("python"))
        title = f"Debian {NUMBERED[release][0]} ({release})" if release in NUMBERED else f"Debian {release}"
    return (
        title,
        python,
        f"`{build.package.name}`",
        f"{build.package.stat().st_size / 1e6:.2f} MB",
        ", ".join(relations),
        f"{build.cold_s:.0f} s",
        f"{build.warm_s:.1f} s",
        dt.datetime.now(tz=dt.UTC).date().isoformat(),
    )


def names(relations: str) -> list[str]:
    return sorted(each.split()[0] for each in relations.split(", "))


def cells_of(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split(" | ")) if line.startswith("| ") else ()


def table(rows: list[tuple[str, ...]]) -> str:
    heading = ("release", "Python", "package", "size", "depends on", "first build", "second build", "day")
    lines = (heading, ("---",) * len(heading), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
