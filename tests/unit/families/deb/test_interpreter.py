"""Debian's own packages of Python distributions: which one, from which version on, and when none will do."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.families.deb.dpkg import PYTHON, VERSIONS
from unit.families.deb.pythonpackages import SITE, Machine, with_pyyaml
from unit.samples import a_system, on_target
from venvpkg.errors import PackageDatabaseError
from venvpkg.families.common.system import package_floor
from venvpkg.families.deb.dependencies import derive_dependencies
from venvpkg.families.deb.interpreter import SPELLING, system_distributions
from venvpkg.model.depends import NativePackage
from venvpkg.model.project import Settings
from venvpkg.model.staged import StagedSystem

if TYPE_CHECKING:
    from pathlib import Path

    from unit.places import Dirs
    from venvpkg.model.wheels import SystemDistribution


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    return with_pyyaml(tmp_path)


def found(places: Dirs, *names: str, **known: str) -> tuple[SystemDistribution, ...]:
    owners = {f"{SITE}/PyYAML-6.0.dist-info": "python3-yaml"}
    machine = Machine(
        owners, {"python3-yaml": "6.0-3+b2"}, known={f"python3-{name}": each for name, each in known.items()}
    )
    return system_distributions(names, on_target(places.target(), machine, cache=places.root / "cache"))


def test_the_package_and_its_modules_are_found_by_the_metadata(places: Dirs) -> None:
    (only,) = found(places, "pyyaml")

    assert only.package == NativePackage("python3-yaml", "6.0-3+b2", "amd64")
    assert only.modules == ("_yaml", "yaml")
    assert str(only.metadata) == f"{SITE}/PyYAML-6.0.dist-info"


def test_nothing_is_asked_when_nothing_is_wanted(places: Dirs) -> None:
    (places.root / "usr/bin/python3").unlink()

    assert found(places) == ()


def test_the_packages_to_install_are_those_that_apt_knows(places: Dirs) -> None:
    with pytest.raises(PackageDatabaseError) as caught:
        found(
            places, "psycopg2", "python-dateutil", "pynacl", "made-up", psycopg2="2.9.5-1", dateutil="2.8", nacl="1.5"
        )

    assert caught.value.resolution.splitlines() == [
        "Run: apt-get install --no-install-recommends python3-psycopg2 python3-dateutil python3-nacl",
        "Install the packages of made-up, or remove them from wheels.system.",
    ]


def test_another_interpreter_than_the_default_one_is_refused(places: Dirs) -> None:
    (places.root / "usr/bin/python3").unlink()
    places.text("/usr/bin/python3.12", "")
    (places.root / "usr/bin/python3").symlink_to("python3.12")

    with pytest.raises(PackageDatabaseError, match=r"are not for /usr/bin/python3\.11"):
        found(places, "pyyaml")


@pytest.mark.parametrize(
    ("specifier", "package", "floor"),
    [
        ("", "2.9.5-1+b1", None),
        ("<3", "2.9.5-1+b1", None),
        ("!=2.8", "2.9.5-1+b1", None),
        (">=2.8", "2.9.5-1+b1", "2.8"),
        (">=2.8,<3", "2.9.5-1+b1", "2.8"),
        ("~=2.8", "2.9.5-1+b1", "2.8"),
        ("==2.*,>=2.7.1", "2.9.5-1+b1", "2.7.1"),
        (">2.8", "2.9.5-1+b1", "2.9.5"),
        (">=2.8,!=2.8", "2.9.5-1+b1", "2.9.5"),
        ("==2.9.5", "2.9.5-1+b1", "2.9.5"),
        ("===2.9.5", "2.9.5-1+b1", "2.9.5"),
        (">=2.8rc1", "2.9.5-1+b1", "2.8~rc1"),
        (">=2.8", "1:2.9.5-1", "1:2.8"),
        (">=2.8", "2.9.5+dfsg-1", "2.8"),
        # The package is versioned as something else.
        (">=2.8", "14.2-1", "14.2"),
        (">=2.8", "2:4.17.12+dfsg-0+deb12u1", "2:4.17.12+dfsg"),
    ],
)
def test_the_floor_is_the_lowest_version_that_the_requirement_accepts(
    specifier: str, package: str, floor: str | None
) -> None:
    distribution = a_system(package=NativePackage("python3-psycopg2", package, "amd64"))

    assert package_floor(distribution, specifier, SPELLING) == floor


def test_exposed_distributions_become_dependencies_with_their_evidence(places: Dirs) -> None:
    one = a_system(version="2.9.5")
    two = a_system("idna", "3.3", package=NativePackage("python3-idna", "3.3-1", "all"))
    system = (
        StagedSystem(two),
        StagedSystem(one, (("app", "psycopg2>=2.8", ">=2.8"), ("lib", "psycopg2>=2.9", ">=2.9"))),
    )
    staged = dataclasses.replace(places.staged(), system=system)

    derived = derive_dependencies(
        places.scan(),
        staged,
        Settings(depends=("!python3-idna",)),
        on_target(places.target(), Machine(PYTHON, VERSIONS), RecordingReporter()),
    )

    assert derived.relations() == ("python3-psycopg2 (>= 2.9)", "python3.11 (>= 3.11.0)")
    assert [(each.distribution, each.symbol, each.floor) for each in derived.dependencies[0].evidence] == [
        ("lib", "psycopg2>=2.9", "2.9"),
        ("app", "psycopg2>=2.8", "2.8"),
    ]
    assert dict(derived.owners)["python3-psycopg2"] == NativePackage("python3-psycopg2", "2.9.5-1", "amd64")
    assert dict(derived.owners)["python3-idna"].architecture == "all"
    assert [each.what for each in derived.exclusions] == ["python3-idna"]
