"""Libraries inside distributions: told by an SBOM from a stranger, or found by name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.samples import PREFIX, SITE, a_staged
from venvpkg.model.elf import Abi, ElfKind, ElfObject, ElfReport
from venvpkg.model.staged import InstalledDistribution, StagedVenv
from venvpkg.model.wheels import Action, ReadyWheel
from venvpkg.sbom.bundled import Bundled, bundled_libraries, components_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LIBRARY = SITE / "psycopg2_binary.libs/libpq-1a2b3c4d.so.5.15"
SBOM = SITE / "psycopg2_binary-2.9.dist-info/sboms/auditwheel.cdx.json"
AUDITWHEEL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.4",
    "components": [
        {"type": "library", "name": "psycopg2_binary", "version": "2.9", "purl": "pkg:pypi/psycopg2_binary@2.9"},
        {"type": "library", "name": "libpq", "version": "13.5", "purl": "pkg:rpm/almalinux/libpq@13.5"},
    ],
}


def staged_with(destdir: Path, files: Mapping[PurePosixPath, bytes]) -> StagedVenv:
    for path, content in files.items():
        file = destdir / path.relative_to("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    distribution = InstalledDistribution("psycopg2-binary", "2.9", "0" * 64, tuple(sorted(files)))
    return dataclasses.replace(a_staged(destdir), distributions=(distribution,))


def objects(*paths: PurePosixPath) -> ElfReport:
    abi = Abi(64, little_endian=True, machine=62, flags=0)
    return ElfReport(tuple(ElfObject(path, abi, ElfKind.SHARED) for path in paths))


def wheel(origin: Action) -> ReadyWheel:
    return ReadyWheel("psycopg2-binary", "2.9", Path("w.whl"), "0" * 64, origin)


FROM_SBOM = Bundled("psycopg2-binary", "libpq", "13.5", "pkg:rpm/almalinux/libpq@13.5")


def test_an_sbom_in_the_wheel_tells_what_it_bundles_and_is_not_told_about_itself(tmp_path: Path) -> None:
    staged = staged_with(tmp_path, {SBOM: json.dumps(AUDITWHEEL).encode()})

    assert bundled_libraries(staged, objects(), (wheel(Action.BINARY),), RecordingReporter()) == (FROM_SBOM,)


@pytest.mark.parametrize("origin", [Action.COMPILE, Action.BINARY])
def test_what_a_vendor_wheel_says_of_itself_is_not_bundled(tmp_path: Path, origin: Action) -> None:
    linked = {
        "bomFormat": "CycloneDX",
        "components": [{"type": "library", "name": "libpq5", "purl": "pkg:deb/debian/libpq5@15.14"}],
    }
    staged = staged_with(tmp_path, {SBOM.with_name("venvpkg.cdx.json"): json.dumps(linked).encode()})

    assert bundled_libraries(staged, objects(), (wheel(origin),), RecordingReporter()) == ()


def test_an_sbom_does_not_hide_the_grafted_objects_that_it_leaves_out(tmp_path: Path) -> None:
    other = LIBRARY.with_name("libssl-81ffa89e.so.3")
    staged = staged_with(tmp_path, {LIBRARY: b"pq", other: b"ssl", SBOM: json.dumps(AUDITWHEEL).encode()})

    found = bundled_libraries(staged, objects(LIBRARY, other), (wheel(Action.BINARY),), RecordingReporter())

    assert {each.name for each in found} == {"libpq", LIBRARY.name, other.name}
    assert FROM_SBOM in found


@pytest.mark.parametrize("content", [None, b"not JSON", b'{"bomFormat": "CycloneDX"}', b"[" * 100_000, b"\xff"])
def test_without_a_usable_sbom_the_grafted_objects_are_named(tmp_path: Path, content: bytes | None) -> None:
    staged = staged_with(tmp_path, {LIBRARY: b"elf"} | ({} if content is None else {SBOM: content}))

    found = bundled_libraries(staged, objects(LIBRARY), (wheel(Action.BINARY),), RecordingReporter())

    assert found == (Bundled("psycopg2-binary", LIBRARY.name, sha256=hashlib.sha256(b"elf").hexdigest()),)


def test_what_was_compiled_here_bundles_nothing(tmp_path: Path) -> None:
    staged = staged_with(tmp_path, {LIBRARY: b"elf"})

    assert bundled_libraries(staged, objects(LIBRARY), (wheel(Action.COMPILE),), RecordingReporter()) == ()


def test_objects_beside_the_grafted_ones_are_the_distributions_own(tmp_path: Path) -> None:
    own = PREFIX / "lib/_psycopg.so"
    staged = staged_with(tmp_path, {own: b"elf"})

    assert bundled_libraries(staged, objects(own), (wheel(Action.BINARY),), RecordingReporter()) == ()


def test_spdx_documents_are_read_too() -> None:
    document = {
        "spdxVersion": "SPDX-2.3",
        "packages": [
            {
                "name": "zlib",
                "versionInfo": "1.3",
                "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:generic/zlib@1.3"}],
            },
            {"name": "xz", "externalRefs": "none"},
        ],
    }

    assert components_of(json.dumps(document).encode()) == (("zlib", "1.3", "pkg:generic/zlib@1.3"), ("xz", "", ""))


def test_values_that_are_no_short_lines_are_left_out() -> None:
    components = [{"name": "a\x1b[2J"}, {"name": "b", "version": 3, "purl": ["x"]}, {"name": "c" * 501}, "d", None]

    found = components_of(json.dumps({"bomFormat": "CycloneDX", "components": components}).encode())

    assert found == (("b", "", ""),)


def test_absurdly_many_components_are_refused() -> None:
    document = {"bomFormat": "CycloneDX", "components": [{}] * 10_001}

    with pytest.raises(ValueError, match="lists 10001"):
        components_of(json.dumps(document).encode())
