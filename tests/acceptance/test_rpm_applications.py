"""The applications of ``applications.toml`` as .rpms: built for a root of the rpm world, installed by dnf, and used."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from acceptance.applications import Application, read_applications
from acceptance.packages import Visit, shown
from rpmworld.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from acceptance.cleanroot import CleanRoot, Outcome
    from acceptance.packages import Venvpkg
    from rpmworld.world import World

pytestmark = pytest.mark.full

# The world has none; pyzmq's build then asks for the index's.
ABSENT = frozenset({"cmake"})
BUILDERS = ("gcc", "gcc-c++", "make", "rpm-build", "python3-devel")
INSTALL = """\
dnf -y -q --setopt=install_weak_deps=False install "$1" >&2 || exit 100
rpm -V "$2" >&2 || exit 101
"""
REMOVED = """\
dnf -y -q install "$1" >&2 || exit 100
dnf -y -q remove "$2" >&2 || exit 102
rpm -Va
find /opt -mindepth 1
"""
# The packages that provide what is required; none, when there is nothing but the interpreter.
OWNERS = """\
dnf -y -q --setopt=install_weak_deps=False install "$1" >&2 || exit 100
rpm -q --requires "$2" | grep -v -e '^rpmlib(' -e python | sort -u > /tmp/required
[ -s /tmp/required ] || exit 0
xargs -d '\\n' rpm -q --qf '%{name}\\n' --whatprovides < /tmp/required | sort -u
"""
TABLES = Tables.read()


def in_rpm(packages: frozenset[str] | tuple[str, ...]) -> frozenset[str]:
    """Return what Debian's packages are called in the world."""
    return frozenset(map(TABLES.rpm_name, packages))


@pytest.fixture(scope="module")
def build_root(rpm_world: World) -> CleanRoot:
    """One root with what any of them needs: a build sees more than it asked for, as on a packager's machine."""
    packages = in_rpm(frozenset(package for each in read_applications() for package in each.build) - ABSENT)
    return rpm_world.root(*BUILDERS, *sorted(packages))


@pytest.fixture(scope="module", params=read_applications(), ids=lambda application: application.requirement)
def application(request: pytest.FixtureRequest) -> Application:
    found = request.param
    assert isinstance(found, Application)
    return found


@pytest.fixture(scope="module")
def build(
    application: Application, venvpkg: Venvpkg, build_root: CleanRoot, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Outcome]:
    argument = application.argument(tmp_path_factory.mktemp("rpm-applications"))
    depends = (f"--depends={each}" for each in sorted(in_rpm(application.depends)))
    maintainer = "--maintainer=Packager <packager@example.org>"
    return venvpkg.built(argument, maintainer, *depends, f"--target=root:{build_root.base}", out="rpms")


def visited(
    script: str, package: Path, application: Application, root: CleanRoot, environment: Mapping[str, str] | None = None
) -> Visit:
    outcome = root.run(
        script,
        binds={package: shown(package)},
        arguments=[str(shown(package)), application.name],
        environment=environment,
        network=False,
    )
    return Visit(package, outcome)


def test_it_installs_and_works_in_a_clean_root(
    build: tuple[Path, Outcome], application: Application, rpm_world: World
) -> None:
    visit = visited(INSTALL + application.smoke, build[0], application, rpm_world.root(), application.environment)

    assert visit.outcome.code == 0, visit.outcome.transcript


def test_nothing_of_it_is_left_when_it_is_removed(
    build: tuple[Path, Outcome], application: Application, rpm_world: World
) -> None:
    visit = visited(REMOVED, build[0], application, rpm_world.root())

    assert (visit.outcome.code, visit.outcome.stdout) == (0, ""), visit.outcome.transcript


def test_it_requires_the_same_libraries_as_the_deb(
    build: tuple[Path, Outcome], application: Application, rpm_world: World
) -> None:
    visit = visited(OWNERS, build[0], application, rpm_world.root())

    assert visit.outcome.code == 0, visit.outcome.transcript
    owners = frozenset(visit.outcome.stdout.split()) - {"python3-libs"}
    expected, optional = (in_rpm(names) - {"python3"} for names in (application.expect, application.optional))
    assert expected <= owners <= expected | optional, visit.outcome.transcript


def test_a_publishers_wheel_stands_in_only_where_it_must_and_the_build_says_so(
    build: tuple[Path, Outcome], application: Application
) -> None:
    _, said = build
    warnings = [line for line in said.stderr.splitlines() if "so the publisher's wheel" in line]

    assert [line.split()[1] for line in warnings] == list(application.fallback), said.stderr


def test_it_is_for_any_machine_only_where_nothing_in_it_is_native(
    build: tuple[Path, Outcome], application: Application
) -> None:
    query = ["rpm", "--query", "--queryformat", "%{ARCH}", "--package", str(build[0])]
    architecture = subprocess.run(query, capture_output=True, text=True, check=True).stdout

    assert (architecture == "noarch") == (not application.expect)
