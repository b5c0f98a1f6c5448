"""What the release's own packages have of Python is found by reading, with all that it requires."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.places import Dirs
from venvpkg.errors import PackageDatabaseError
from venvpkg.families.common.system import exposed_modules, find_system
from venvpkg.model.depends import NativePackage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvpkg.model.wheels import SystemDistribution

SITE = PurePosixPath("/usr/lib/python3.11/site-packages")


class Database:
    """Every metadata directory belongs to a package of its own, but for those of ``strays``."""

    directories = (SITE,)
    strays: tuple[str, ...] = ()

    def owner(self, path: PurePosixPath) -> NativePackage | None:
        name = path.name.partition("-")[0].lower()
        return None if name in self.strays else NativePackage(f"python3-{name}", "1-1", "all")

    def files(self, package: NativePackage) -> tuple[PurePosixPath, ...]:
        module = package.name.removeprefix("python3-")
        return (PurePosixPath("/usr/share/doc/x.py"), SITE / f"{module}.py", SITE / f"{module}-1.dist-info/METADATA")

    def advice(self, names: Sequence[str]) -> str:
        return f"Install {', '.join(names)}."


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    return Dirs.below(tmp_path)


def released(places: Dirs, name: str, version: str = "1", *requires: str) -> None:
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    text += "".join(f"Requires-Dist: {each}\n" for each in requires)
    places.text(f"{SITE}/{name}-{version}.dist-info/METADATA", text)


def found(places: Dirs, *names: str) -> tuple[SystemDistribution, ...]:
    return find_system(names, places.target(), Database())


def modules(*paths: str) -> tuple[str, ...]:
    return exposed_modules(map(PurePosixPath, paths))


def test_modules_extensions_and_packages_are_exposed_and_nothing_else() -> None:
    assert modules(
        "yaml/__init__.py",
        "yaml/_yaml.cpython-311-x86_64-linux-gnu.so",
        "yaml/deep/er.py",
        "six.py",
        "_cffi_backend.cpython-311-x86_64-linux-gnu.so",
        "PyYAML-6.0.dist-info/METADATA",
        "apt_pkg-stubs/__init__.py",
        "py.typed",
    ) == ("_cffi_backend", "six", "yaml")


def test_of_a_directory_that_distributions_share_only_the_own_part_is_exposed() -> None:
    paths = ("zope/interface/__init__.py", "zope/interface/verify.py", "zope/one.py", "zope.interface-5-nspkg.pth")

    assert modules(*paths) == ("zope.interface", "zope.one")


def test_what_it_requires_comes_along_as_far_as_the_release_has_it(places: Dirs) -> None:
    released(places, "Requests", "2.28", "urllib3[socks]>=1", 'gone; extra == "x"', 'old; python_version < "3"', "none")
    released(places, "urllib3", "1.26", 'PySocks; extra == "socks"', "requests")
    released(places, "PySocks", "1.7")
    released(places, "old", "1")

    distributions = found(places, "requests")

    assert [(each.name, each.version, each.needed_by) for each in distributions] == [
        ("pysocks", "1.7", "urllib3"),
        ("requests", "2.28", ""),
        ("urllib3", "1.26", "requests"),
    ]
    assert distributions[0].modules == ("pysocks",)


def test_an_egg_info_tells_its_requirements_in_a_file_of_their_own(places: Dirs) -> None:
    places.text(f"{SITE}/blinker-1.egg-info/PKG-INFO", "Metadata-Version: 1.1\nName: blinker\nVersion: 1\n")
    places.text(f"{SITE}/blinker-1.egg-info/requires.txt", "six>=1\n\n[fast]\ncython\n")
    places.text(f"{SITE}/six-1.16.0.egg-info", "Metadata-Version: 1.1\nName: six\nVersion: 1.16.0\n")

    assert [(each.name, each.version) for each in found(places, "blinker")] == [("blinker", "1"), ("six", "1.16.0")]


def test_of_two_descriptions_the_newer_form_counts(places: Dirs) -> None:
    places.text(f"{SITE}/cryptography.egg-info", "Metadata-Version: 1.1\nName: cryptography\nVersion: 1\n")
    released(places, "cryptography", "38.0.4")

    (only,) = found(places, "cryptography")

    assert only.version == "38.0.4"


def test_all_that_are_not_installed_are_named_with_what_to_do(places: Dirs) -> None:
    released(places, "there")

    with pytest.raises(PackageDatabaseError) as caught:
        found(places, "one", "there", "two")

    assert caught.value.details.splitlines() == [
        f"  one: no metadata in {SITE}",
        f"  two: no metadata in {SITE}",
    ]
    assert caught.value.resolution == "Install one, two."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Name: bad\n",
        "Name: bad\nVersion: one\n",
        "Name: bad\nVersion: 1\nRequires-Dist: x y z\n",
        "Name: bad\nVersion: 1\nRequires-Dist: \xff\n",
    ],
)
def test_metadata_that_say_nothing_are_refused_by_name(places: Dirs, text: str) -> None:
    places.text(f"{SITE}/bad-1.dist-info/METADATA", text)

    with pytest.raises(PackageDatabaseError, match=r"bad-1\.dist-info"):
        found(places, "bad")


def test_what_no_package_ships_is_refused(places: Dirs, monkeypatch: pytest.MonkeyPatch) -> None:
    released(places, "stray")
    monkeypatch.setattr(Database, "strays", ("stray",))

    with pytest.raises(PackageDatabaseError, match="no package ships it"):
        found(places, "stray")
