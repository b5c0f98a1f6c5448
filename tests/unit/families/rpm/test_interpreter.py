"""The release's own packages of Python distributions, by rpm."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.families.rpm.rpm import PYTHON, PYTHON_FILES, Rpm
from unit.places import Dirs
from unit.samples import a_system, on_target
from venvpkg.errors import PackageDatabaseError
from venvpkg.families.rpm.dependencies import derive_dependencies
from venvpkg.families.rpm.interpreter import system_distributions
from venvpkg.host.command import Command, Completed
from venvpkg.model.depends import NativePackage
from venvpkg.model.project import Settings
from venvpkg.model.staged import StagedSystem

if TYPE_CHECKING:
    from pathlib import Path

SITE = "/usr/lib64/python3.11/site-packages"


@dataclass
class Machine(Rpm):
    """An rpm that lists one package too."""

    def run(self, command: Command) -> Completed:
        if command.argv[-1] == "python3-pyyaml.x86_64":
            return Completed(0, f"{SITE}/yaml\n{SITE}/yaml/__init__.py\n/usr/share/doc/README\n".encode())
        return super().run(command)


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    made = Dirs.below(tmp_path)
    made.text(f"{SITE}/PyYAML-6.0.1-py3.11.egg-info/PKG-INFO", "Metadata-Version: 1.2\nName: PyYAML\nVersion: 6.0.1\n")
    return made


def test_the_package_and_its_modules_are_found_by_the_metadata(places: Dirs) -> None:
    machine = Machine({}, {f"{SITE}/PyYAML-6.0.1-py3.11.egg-info": "python3-pyyaml"})

    (only,) = system_distributions(("pyyaml",), on_target(places.target(), machine, cache=places.root))

    assert (only.version, only.modules) == ("6.0.1", ("yaml",))
    assert only.package == NativePackage("python3-pyyaml", "1.0-1.el9", "x86_64")
    assert [str(each) for each in only.directories] == [SITE, "/usr/lib/python3.11/site-packages"]


def test_what_is_not_installed_is_named_as_packages_provide_it(places: Dirs) -> None:
    with pytest.raises(PackageDatabaseError) as caught:
        system_distributions(("psycopg2", "six"), on_target(places.target(), Machine({}), cache=places.root))

    assert caught.value.resolution == "Run: dnf install 'python3.11dist(psycopg2)' 'python3.11dist(six)'"


def test_an_exposed_distribution_becomes_a_requirement(places: Dirs) -> None:
    distribution = a_system("pyyaml", "6.0.1", package=NativePackage("python3-pyyaml", "6.0.1-19.fc42", "x86_64"))
    system = (StagedSystem(distribution, (("app", "PyYAML>=5.4", ">=5.4"),)),)
    staged = dataclasses.replace(places.staged(), system=system)
    machine = Rpm(PYTHON | {"python3-pyyaml": ()}, PYTHON_FILES, versions={"python3": "3.11.2-1.el9"})

    derived = derive_dependencies(
        places.scan(), staged, Settings(), on_target(places.target(), machine, RecordingReporter())
    )

    assert "python3-pyyaml >= 5.4" in derived.relations()
    assert dict(derived.owners)["python3-pyyaml"].architecture == "x86_64"
