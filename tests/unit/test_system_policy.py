"""What comes from the release's own packages is decided once the lock is known, and contradictions are told."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

import pytest

from unit.fakes import RecordingReporter
from unit.families.deb.pythonpackages import SITE, Machine, with_pyyaml
from unit.wheelhouse.makers import application, distribution, locked
from venvpkg.context import BuildContext, Session
from venvpkg.errors import ConfigurationError
from venvpkg.model.project import Settings, WheelSettings
from venvpkg.store.dirs import Dirs as Directories
from venvpkg.wheel_stages import find_system_distributions
from venvpkg.wheelbuild.pool import Pool

if TYPE_CHECKING:
    from pathlib import Path

    from unit.places import Dirs
    from venvpkg.host.runner import SubprocessRunner

LOCK = locked(distribution("pyyaml", version="6.0.3"))


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    return with_pyyaml(tmp_path)


def context_of(places: Dirs, wheels: WheelSettings, reporter: RecordingReporter, name: str = "app") -> BuildContext:
    owners = {f"{SITE}/{each}": "python3-yaml" for each in ("PyYAML-6.0.dist-info", "lib-1.dist-info")}
    machine = cast("SubprocessRunner", Machine(owners, {"python3-yaml": "6.0-3+b2"}))
    directories = Directories(places.root / "wheelhouse", places.root / "cache")
    session = Session(machine, reporter, directories, {}, Pool(1), offline=True)
    project = dataclasses.replace(application(), name=name, settings=Settings(wheels=wheels))
    return BuildContext(project, places.target(), machine, session, places.root / "work")


def test_only_what_the_lock_has_is_looked_for(places: Dirs) -> None:
    reporter = RecordingReporter()

    found = find_system_distributions(LOCK, context_of(places, WheelSettings(system=("pyyaml", "unused")), reporter))

    assert [each.name for each in found] == ["pyyaml"]
    assert reporter.warnings == ["wheels.system: the application does not need unused"]


@pytest.mark.parametrize(
    ("name", "wheels", "problem"),
    [
        (
            "app",
            WheelSettings(system=("pyyaml",), binary=("lib",)),
            "wheels.binary: lib must come from the release's packages, because pyyaml of the release requires it",
        ),
        (
            "lib",
            WheelSettings(system=("pyyaml",)),
            "wheels.system: lib is the application itself, or a listed package requires it",
        ),
    ],
)
def test_what_the_release_brings_along_must_not_be_a_wheel_too(
    places: Dirs, name: str, wheels: WheelSettings, problem: str
) -> None:
    metadata = "Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\nRequires-Dist: lib\n"
    places.text(f"{SITE}/PyYAML-6.0.dist-info/METADATA", metadata)
    places.text(f"{SITE}/lib-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: lib\nVersion: 1\n")

    with pytest.raises(ConfigurationError) as caught:
        find_system_distributions(LOCK, context_of(places, wheels, RecordingReporter(), name))

    assert caught.value.problems == (problem,)
