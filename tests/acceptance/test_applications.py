"""Applications that are not ours: built from the index, installed without Recommends in a clean root, and used."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.applications import Application, read_applications
from acceptance.lintian import findings
from acceptance.packages import Visit, depends_of, shown

if TYPE_CHECKING:
    from acceptance.cleanroot import CleanRoot, Outcome
    from acceptance.packages import Venvpkg

INSTALL = 'apt-get update -qq && apt-get install -qq -y --no-install-recommends "$1" || exit 100\n'


def absent(packages: tuple[str, ...]) -> list[str]:
    """Return those that are not installed here."""
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"]
    listed = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    return [package for package in packages if f"{package} installed" not in listed]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(each, id=each.requirement, marks=[pytest.mark.full] * each.full) for each in read_applications()
    ],
)
def application(request: pytest.FixtureRequest) -> Application:
    found = request.param
    assert isinstance(found, Application)
    if lacking := absent(found.build):
        pytest.skip(f"its compile needs {' '.join(lacking)}; tests/full installs them")
    return found


@pytest.fixture(scope="module")
def build(application: Application, venvpkg: Venvpkg, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    argument = application.argument(tmp_path_factory.mktemp("applications"))
    depends = (f"--depends={each}" for each in application.depends)
    options = application.options(Path(argument) if application.beside else venvpkg.here)
    return venvpkg.built(argument, "--maintainer=Packager <packager@example.org>", *depends, *options)


@pytest.fixture(scope="module")
def visit(application: Application, build: tuple[Path, Outcome], clean_root: CleanRoot) -> Visit:
    package, _ = build
    outcome = clean_root.run(
        INSTALL + application.smoke,
        binds={package: shown(package)},
        arguments=[str(shown(package))],
        environment=application.environment,
    )
    return Visit(package, outcome)


def test_it_installs_and_works_in_a_clean_root(visit: Visit) -> None:
    assert visit.outcome.code == 0, visit.outcome.transcript


def test_it_depends_on_its_interpreter_and_the_owners_of_its_c_libraries_and_nothing_else(
    build: tuple[Path, Outcome], application: Application
) -> None:
    depends = {name for name in depends_of(build[0]) if not name.startswith("python3.")}

    assert application.expect <= depends <= application.expect | application.optional


def test_a_publishers_wheel_stands_in_only_where_it_must_and_the_build_says_so(
    build: tuple[Path, Outcome], application: Application
) -> None:
    _, said = build
    warnings = [line for line in said.stderr.splitlines() if "so the publisher's wheel" in line]

    assert [line.split()[1] for line in warnings] == list(application.fallback), said.stderr


def test_lintian_finds_no_fault(build: tuple[Path, Outcome]) -> None:
    assert findings(build[0]) == []
