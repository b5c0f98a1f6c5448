"""One project's .rpm in worlds with other rpms and other package managers: made for a root of each, used in another."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from acceptance.packages import shown
from acceptance.smallproject import NAME, write_project
from rpmworld.flavours import Flavour

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot, Outcome
    from acceptance.packages import Venvpkg
    from rpmworld.world import World

pytestmark = pytest.mark.full

BUILDERS = ("gcc", "gcc-c++", "make", "rpm-build", "python3-devel", "libpq-devel")
CLI = """\
import sys

import psycopg2
from ringbell._bell import ring


def main():
    print(ring(3), psycopg2.extensions.libpq_version() // 10000, sys.version_info[:2])
"""
# $1 the package, $2 its next version; install, remove: functions that each package manager has its words for.
LIFE = """\
set -e
not() { if "$@"; then return 1; fi; }
not rpm -q libpq
install "$1"
ringbell
rpm -V ringbell libpq
install "$2"
ringbell
rpm -V ringbell libpq
rpm -q ringbell
remove ringbell
not rpm -q ringbell libpq
find / -xdev '(' -path /proc -o -path /sys -o -path /mnt ')' -prune -o -name '*ringbell*' -print
find /opt -mindepth 1
rpm -Va
"""
DNF = """\
install() { dnf -y -q install "$1" >&2; }
remove() { dnf -y -q remove "$1" >&2; }
"""
DNF_5 = """\
install() { dnf5 -y install "$1" >&2; }
remove() { dnf5 -y remove "$1" >&2; }
"""
ZYPPER = """\
install() { zypper --non-interactive install --allow-unsigned-rpm "$1" >&2; }
remove() { zypper --non-interactive remove --clean-deps "$1" >&2; }
"""


@dataclass(frozen=True, slots=True)
class Release:
    """What a world is, and what a package of it must be.

    Attributes:
        suite: the Debian suite inside.
        rpm: the beginning of its rpm's version.
        python, libpq: versions of what the application runs on.
        tag: of the release, in the names of wheels.
        dist: of the release, in the names of packages.
        manager: shell functions.
        packages: what its root must have for that besides its base.
    """

    suite: str
    flavour: Flavour
    rpm: str
    python: str
    libpq: int
    tag: str
    dist: str
    manager: str
    packages: tuple[str, ...] = ()


EL_10 = Release("trixie", Flavour.FEDORA, "4.20", "3.13", 17, "testrpm_10", ".el10", DNF)
RAWHIDE = Release("forky", Flavour.FEDORA, "6.", "3.14", 18, "testrpm_11", ".el11", DNF_5, ("dnf5",))
LEAP = Release("bookworm", Flavour.SUSE, "4.18", "3.11", 15, "testsuse_15_6", ".testsuse15.6", ZYPPER)


@dataclass(frozen=True, slots=True)
class Built:
    """Two versions of one application, made for a root of a release; the second build of the older."""

    release: Release
    root: CleanRoot
    old: Path
    new: Path
    again: Path
    wheels: frozenset[str]

    def run(self, script: str, root: CleanRoot | None = None) -> Outcome:
        """Run a script, ``$1`` the older package and ``$2`` the newer, without network."""
        packages = (self.old, self.new)
        return (root or self.root).run(
            script,
            binds={each: shown(each) for each in packages},
            arguments=[str(shown(each)) for each in packages],
            network=False,
        )


@pytest.fixture(scope="module")
def made(venvpkg: Venvpkg, rpm_worlds: Callable[[str | None], World]) -> Callable[[Release], Built]:
    """Makes the packages of a release, once."""
    known: dict[Release, Built] = {}
    projects = {version: project(venvpkg.directory / f"ringbell-{version}", version) for version in ("1.0.0", "1.1.0")}
    house = venvpkg.directory / "wheelhouse"

    def make(release: Release) -> Built:
        if release not in known:
            world = rpm_worlds(release.suite)
            target = f"--target=root:{world.root(*BUILDERS, flavour=release.flavour).base}"
            before = {path.name for path in house.rglob("*.whl")}
            old, new, again = (
                venvpkg.built(str(projects[version]), target, out=f"out-{release.tag}-{place}")[0]
                for version, place in (("1.0.0", "first"), ("1.1.0", "first"), ("1.0.0", "again"))
            )
            compiled = frozenset({path.name for path in house.rglob("*.whl")} - before)
            root = world.root(*release.packages, flavour=release.flavour)
            known[release] = Built(release, root, old, new, again, compiled)
        return known[release]

    return make


@pytest.fixture(scope="module", params=[EL_10, RAWHIDE, LEAP], ids=lambda release: release.tag)
def built(request: pytest.FixtureRequest, made: Callable[[Release], Built]) -> Built:
    return made(request.param)


def project(directory: Path, version: str) -> Path:
    """Write a project with native code of its own, and with a distribution that needs a C library."""
    write_project(directory, version, configuration='build-depends = ["libpq-devel"]')
    (directory / NAME / "cli.py").write_text(CLI)
    configuration = directory / "pyproject.toml"
    text = configuration.read_text()
    configuration.write_text(text.replace('license = "MIT"\n', 'license = "MIT"\ndependencies = ["psycopg2"]\n'))
    return directory


def queried(package: Path, template: str) -> str:
    command = ["rpm", "--query", "--nosignature", "--queryformat", template, "--package", str(package)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_world_has_the_rpm_that_it_is_there_for(built: Built) -> None:
    assert built.run("rpm --version").stdout.startswith(f"RPM version {built.release.rpm}")


def test_the_package_and_its_wheels_are_named_for_the_release(built: Built) -> None:
    assert built.old.name.startswith(f"{NAME}-1.0.0-1{built.release.dist}.")
    assert [name for name in built.wheels if not name.endswith(f"_{built.release.tag}.whl")] == []
    assert {name.partition("-")[0] for name in built.wheels} == {NAME, "psycopg2"}


def test_its_own_package_manager_installs_upgrades_and_removes_it(built: Built) -> None:
    outcome = built.run(built.release.manager + LIFE)

    assert outcome.code == 0, outcome.transcript
    minor = built.release.python.partition(".")[2]
    runs = [f"3 rings of {version} {built.release.libpq} (3, {minor})" for version in ("1.0.0", "1.1.0")]
    ours = built.new.name.removesuffix(".rpm")
    absent = [f"package {name} is not installed" for name in ("libpq", NAME, "libpq")]
    assert outcome.stdout.splitlines() == [absent[0], *runs, ours, *absent[1:]]


def test_its_own_rpm_reads_all_of_the_payload(built: Built) -> None:
    """Of one thread's zstd, which each of these rpms says that it can read."""
    outcome = built.run("rpm --showrc | grep -o 'rpmlib([A-Za-z]*)' | sort -u && rpm -K --nosignature \"$1\"")

    assert outcome.code == 0, outcome.transcript
    needed = {each for each in queried(built.old, "[%{REQUIRES}\\n]").splitlines() if each.startswith("rpmlib(")}
    assert "rpmlib(PayloadIsZstd)" in needed
    assert needed <= set(outcome.stdout.splitlines())
    assert queried(built.old, "%{PAYLOADCOMPRESSOR} %{PAYLOADFLAGS}") == "zstd 10"
    assert outcome.stdout.rstrip().endswith("digests OK")


def test_a_second_build_gives_the_same_bytes(built: Built) -> None:
    assert built.again.read_bytes() == built.old.read_bytes()


def test_a_package_for_a_newer_release_is_refused_in_an_older_one(
    made: Callable[[Release], Built], rpm_worlds: Callable[[str | None], World]
) -> None:
    outcome = made(EL_10).run('dnf -y install "$1"', rpm_worlds("bookworm").root())

    assert outcome.code != 0
    assert f"nothing provides libc.so.6(GLIBC_2.38)(64bit) needed by {NAME}" in outcome.transcript
    assert f"nothing provides python(abi) = 3.13 needed by {NAME}" in outcome.transcript


def test_a_package_for_an_older_release_is_refused_in_a_newer_one_for_its_interpreter(
    made: Callable[[Release], Built],
) -> None:
    """Its C libraries are all there; its virtual environment would be of no use."""
    outcome = made(EL_10).run('dnf5 -y install "$1"', made(RAWHIDE).root)

    assert outcome.code != 0
    assert f"nothing provides python(abi) = 3.13 needed by {NAME}" in outcome.transcript
    assert "nothing provides lib" not in outcome.transcript
