"""The rpm world is a distribution in its own right: complete, consistent, and as strict as a real one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from rpmworld import demo
from rpmworld.flavours import Flavour
from rpmworld.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from acceptance.cleanroot import CleanRoot, Outcome

# `set -e` does not see that a command after `!` succeeded.
NOT = 'not() { if "$@"; then return 1; fi; }\n'
POSTGRESQL = Path(demo.__file__).with_name("postgresql.sh")
SUITES = [
    None,  # this machine's own
    pytest.param("trixie", marks=pytest.mark.full),  # rpm 4.20
    pytest.param("forky", marks=pytest.mark.full),  # rpm 6, dnf 5
]


@dataclass(frozen=True, slots=True)
class Release:
    """A world, its smallest root, and the demo package built in it."""

    world: World
    root: CleanRoot
    package: Path

    def run(self, script: str, root: CleanRoot | None = None) -> Outcome:
        """Run a script, ``$1`` the demo's package, without network."""
        shown = PurePosixPath("/mnt/demo.rpm")
        binds = {self.package: shown, POSTGRESQL: PurePosixPath("/mnt/postgresql.sh")}
        return (root or self.root).run(NOT + script, binds=binds, arguments=[str(shown)], network=False)


def made(world: World, directory: Path) -> Release:
    return Release(world, world.root(), demo.built_demo(world.root(*demo.BUILD_PACKAGES), directory))


@pytest.fixture(scope="module", params=SUITES, ids=str)
def release(
    request: pytest.FixtureRequest, rpm_worlds: Callable[[str | None], World], tmp_path_factory: pytest.TempPathFactory
) -> Release:
    return made(rpm_worlds(request.param), tmp_path_factory.mktemp("demo"))


def test_a_root_is_as_its_database_says(release: Release) -> None:
    outcome = release.run("rpm -Va && rpm -q bash python3 rpm filesystem")

    assert outcome.code == 0, outcome.transcript


def test_every_requirement_in_the_repository_is_met_there(release: Release) -> None:
    outcome = release.run("dnf -y -q install dnf-plugins-core && dnf -q repoclosure")

    assert outcome.code == 0, outcome.transcript


def test_all_packages_can_be_installed_together(release: Release) -> None:
    outcome = release.run("dnf -y -q install '*' --exclude='testsuse*,rpm-config-SUSE' && rpm -Va && rpm -qa | wc -l")

    assert outcome.code == 0, outcome.transcript
    assert int(outcome.stdout.split()[-1]) > 200


def test_it_identifies_as_a_relative_of_fedora_and_not_of_debian(release: Release) -> None:
    outcome = release.run("""
        set -e
        . /etc/os-release
        echo "$ID_LIKE"
        test "$(rpm -E %dist)" = ".el${VERSION_ID%.*}"
        test -e /etc/redhat-release
        rpm -q --whatprovides redhat-release /bin/sh 'rtld(GNU_HASH)'
        rpm -q --provides python3 | grep -x "python(abi) = $(python3 -V | grep -o '3[.][0-9]*' | head -n 1)"
        ldd /usr/bin/python3 | grep ' /lib64/libc.so.6 '
        test ! -e /usr/bin/dpkg
        test ! -e /etc/debian_version
    """)

    assert outcome.code == 0, outcome.transcript
    assert outcome.stdout.startswith("rhel centos fedora\n")


def test_rpm_alone_refuses_a_package_whose_library_is_not_installed(release: Release) -> None:
    outcome = release.run('rpm -i "$1"')

    assert outcome.code != 0
    assert "libpq.so.5()(64bit) is needed by demo" in outcome.stderr


def test_dnf_brings_the_library_and_takes_it_away_again(release: Release) -> None:
    outcome = release.run("""
        set -e
        not rpm -q libpq
        dnf -y -q install "$1"
        rpm -V demo libpq
        test "$(rpm -q --qf '%{name}' --whatprovides 'libpq.so.5()(64bit)')" = libpq
        demo
        dnf -y -q remove demo
        not rpm -q libpq
        not rpm -q demo
        test ! -e /usr/bin/demo
    """)

    assert outcome.code == 0, outcome.transcript
    assert "libpq 1" in outcome.stdout


def test_a_program_reaches_postgresql(release: Release) -> None:
    outcome = release.run(
        """
        set -e
        dnf -y -q install "$1" postgresql-server > /dev/null
        source /mnt/postgresql.sh visitor
        runuser -u visitor -- demo dbname=visitor
        """
    )

    assert outcome.code == 0, outcome.transcript
    assert "served by visitor" in outcome.stdout


def test_a_package_of_a_newer_c_library_is_refused(release: Release) -> None:
    outcome = release.run(
        """
        printf '%s\\n' 'Name: future' 'Version: 1' 'Release: 1' 'Summary: x' 'License: MIT' 'AutoReq: no' \
            'Requires: libc.so.6(GLIBC_2.99)(64bit)' '%description' '%files' > /tmp/future.spec
        rpmbuild -bb --quiet --define '_topdir /tmp/top' /tmp/future.spec && dnf -y install /tmp/top/RPMS/*/*.rpm
        """,
        release.world.root(*demo.BUILD_PACKAGES),
    )

    assert outcome.code != 0
    assert "nothing provides libc.so.6(GLIBC_2.99)(64bit) needed by future" in outcome.transcript


def test_the_build_root_compiles_with_the_macros_of_its_family(release: Release) -> None:
    outcome = release.run(
        "rpm -q redhat-rpm-config && rpm -E %build_cflags && rpm -E %_libdir && pg_config --libdir",
        release.world.root(*demo.BUILD_PACKAGES),
    )

    assert outcome.code == 0, outcome.transcript
    assert "-D_FORTIFY_SOURCE=2" in outcome.stdout
    assert outcome.stdout.endswith("\n/usr/lib64\n/usr/lib64\n")


def test_a_run_leaves_root_and_repository_as_they_were(release: Release) -> None:
    before = digests(release.world.repository)

    release.run('dnf -y -q install "$1" && rm -rf /usr/bin/rpm && : > /srv/rpm-world/repo/repodata/repomd.xml')

    assert digests(release.world.repository) == before
    assert release.run("rpm -q demo").stdout == "package demo is not installed\n"


@pytest.mark.full
def test_a_package_built_in_a_newer_world_is_refused_in_an_older_one(
    rpm_worlds: Callable[[str | None], World], tmp_path: Path
) -> None:
    newer = made(rpm_worlds("trixie"), tmp_path)

    outcome = newer.run('dnf -y install "$1"', rpm_worlds("bookworm").root())

    assert outcome.code != 0
    assert "nothing provides libc.so.6(GLIBC_2.38)(64bit) needed by demo" in outcome.transcript


@pytest.mark.full
def test_dnf_5_installs_and_removes(rpm_worlds: Callable[[str | None], World], tmp_path: Path) -> None:
    newest = made(rpm_worlds("forky"), tmp_path)

    outcome = newest.run(
        'dnf5 -y install "$1" && demo && rpm -V demo libpq && dnf5 -y remove demo && not rpm -q libpq',
        newest.world.root("dnf5"),
    )

    assert outcome.code == 0, outcome.transcript
    assert newest.run("rpm --version").stdout.startswith("RPM version 6")


@pytest.mark.full
def test_zypper_installs_and_removes_in_a_relative_of_suse(rpm_world: World, tmp_path: Path) -> None:
    package = made(rpm_world, tmp_path)

    outcome = package.run(
        """
        set -e
        . /etc/os-release && test "$ID_LIKE" = 'suse opensuse'
        test "$(rpm -E '%suse_version %is_opensuse')" = "${VERSION_ID%.*}00 1"
        not command -v dnf
        zypper --non-interactive install --allow-unsigned-rpm "$1"
        demo && rpm -V demo libpq
        zypper --non-interactive remove --clean-deps demo
        not rpm -q libpq
        rpm -Va
        """,
        rpm_world.root(flavour=Flavour.SUSE),
    )

    assert outcome.code == 0, outcome.transcript


@pytest.mark.full
def test_the_same_debian_packages_make_the_same_packages_and_repository(rpm_world: World, tmp_path: Path) -> None:
    again = World.of(rpm_world.suite, tmp_path)

    assert digests(again.repository) == digests(rpm_world.repository)


def digests(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
