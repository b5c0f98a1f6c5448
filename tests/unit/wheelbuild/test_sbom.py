"""The bill of materials of a vendor wheel: whose libraries its ELF files are linked against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from unit.families.deb.dpkg import Dpkg, database
from unit.linking.builder import Elf
from unit.places import SYSTEM, Dirs
from venvpkg.errors import ElfError
from venvpkg.model.lock import RemoteFile
from venvpkg.model.wheels import SourceTree
from venvpkg.wheelbuild.sbom import WheelSbomWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

SITE = "/opt/venvs/demo/lib/python3.11/site-packages"
SDIST = RemoteFile("foo-1.0.tar.gz", "https://user:secret@index.example/foo-1.0.tar.gz", "5" * 64)
LIBC = {f"{SYSTEM}/libc.so.6": "libc6:amd64"}
VERSIONS = {"libc6:amd64": "2.36-9+deb12u14", "libpq5:amd64": "15.14-0+deb12u1", "libz1": "1:1.2.13"}


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    made = Dirs.below(tmp_path)
    database(made)
    return made


def bill(places: Dirs, shipped: Mapping[str, str] = LIBC, source: RemoteFile | SourceTree = SDIST) -> dict[str, Any]:
    text = WheelSbomWriter(places.target(), Dpkg(shipped, VERSIONS))("foo", "1.0", source, places.destdir)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.decode()) is None
    document: dict[str, Any] = json.loads(text)
    return document


def linked(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return purl → sonames."""
    return {
        each["purl"]: [prop["value"] for prop in each["properties"] if prop["name"] == "venvpkg:soname"]
        for each in document.get("components", ())
    }


def test_it_names_the_distribution_by_its_sdist_and_the_packages_with_what_is_linked(places: Dirs) -> None:
    places.library("libpq.so.5")
    places.payload(f"{SITE}/foo/_x.so", Elf(needed=("libpq.so.5", "libc.so.6")))
    places.payload(f"{SITE}/foo/_y.so", Elf(needed=("libc.so.6",)))

    document = bill(places, LIBC | {f"{SYSTEM}/libpq.so.5": "libpq5:amd64"})

    root = document["metadata"]["component"]
    assert root["purl"] == "pkg:pypi/foo@1.0"
    (sdist,) = root["externalReferences"]
    assert (sdist["url"], sdist["type"]) == ("foo-1.0.tar.gz", "source-distribution")
    assert sdist["hashes"] == [{"alg": "SHA-256", "content": "5" * 64}]
    packages = {
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12": ["libc.so.6"],
        "pkg:deb/debian/libpq5@15.14-0%2Bdeb12u1?arch=amd64&distro=debian-12": ["libpq.so.5"],
    }
    assert linked(document) == packages
    (needs,) = [each["dependsOn"] for each in document["dependencies"] if each["ref"] == root["bom-ref"]]
    assert needs == sorted(packages)


def test_neither_a_time_nor_venvpkgs_version_is_in_it(places: Dirs) -> None:
    places.payload(f"{SITE}/x.so", Elf(needed=("libc.so.6",)))

    metadata = bill(places)["metadata"]

    assert "timestamp" not in metadata
    assert [sorted(each) for each in metadata["tools"]["components"]] == [["bom-ref", "name", "type"]]


def test_a_source_that_is_on_no_index_has_no_purl_and_no_directory(places: Dirs) -> None:
    places.payload(f"{SITE}/x.so", Elf(needed=("libc.so.6",)))

    document = bill(places, source=SourceTree(Path("/srv/checkout/foo"), (), "c" * 64))

    assert "purl" not in document["metadata"]["component"]
    assert "checkout" not in json.dumps(document)


def test_a_library_of_the_wheel_itself_is_no_package(places: Dirs) -> None:
    places.library("libz.so.1")
    places.payload(f"{SITE}/foo/_x.so", Elf(needed=("libz.so.1",), runpath="$ORIGIN/../foo.libs"))
    places.payload(f"{SITE}/foo.libs/libz.so.1", Elf(soname="libz.so.1"))

    assert linked(bill(places, {f"{SYSTEM}/libz.so.1": "libz1"})) == {}


def test_of_several_copies_the_one_that_a_package_ships_counts(places: Dirs) -> None:
    places.text("/etc/ld.so.conf", "/usr/local/lib\n")
    places.system("/usr/local/lib/libz.so.1", Elf(soname="libz.so.1"))
    places.library("libz.so.1")
    places.payload(f"{SITE}/x.so", Elf(needed=("libz.so.1",)))

    found = linked(bill(places, {f"{SYSTEM}/libz.so.1": "libz1"}))

    assert found == {"pkg:deb/debian/libz1@1:1.2.13?arch=amd64&distro=debian-12": ["libz.so.1"]}


def test_what_no_package_ships_or_nothing_provides_is_left_out(places: Dirs) -> None:
    places.library("libown.so.1")
    places.payload(f"{SITE}/x.so", Elf(needed=("libown.so.1", "libmissing.so.2")))

    assert linked(bill(places)) == {}


def test_a_damaged_object_is_told_by_name(places: Dirs) -> None:
    (places.destdir / "x.so").write_bytes(b"\x7fELF cut off")

    with pytest.raises(ElfError, match=r"/x\.so"):
        bill(places)
