"""The package of debug information is what debhelper would make of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from unit.fakes import NOTHING_PACKED, RecordingReporter
from unit.families.deb.dpkg import DpkgDeb
from unit.samples import a_spec, a_staged, debian_12, on_target
from venvpkg.families.deb.assemble import assemble, assemble_debug, debug_fields, debug_script
from venvpkg.staging.leaks import read_payload

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.model.package import PackageSpec

FIRST, SECOND = "0a" * 20, "ff" * 20


def spec_with(directory: Path, *build_ids: str) -> PackageSpec:
    destdir = directory / "job/destdir"
    destdir.mkdir(parents=True)
    for each in build_ids:
        (directory / each).write_bytes(each.encode())
    spec = a_spec(a_staged(destdir, payload=read_payload(destdir, ())))
    return dataclasses.replace(spec, debug=tuple((each, directory / each) for each in build_ids))


def test_each_file_is_the_package_s_own_and_has_a_directory_where_gdb_looks_for_its_build_id(tmp_path: Path) -> None:
    assemble_debug(
        spec_with(tmp_path, FIRST, SECOND),
        tmp_path / "work",
        NOTHING_PACKED,
        on_target(debian_12(), DpkgDeb().runner()),
    )

    place = tmp_path / "work/dbgsym/usr/lib/debug/.venvpkg/app"
    assert (place / "0a" / f"{FIRST[2:]}.debug").read_bytes() == FIRST.encode()
    assert (place / "ff" / f"{SECOND[2:]}.debug").stat().st_mode & 0o7777 == 0o644
    assert sorted(tmp_path.glob("work/dbgsym/usr/lib/debug/.build-id/**/*")) == [
        tmp_path / "work/dbgsym/usr/lib/debug/.build-id" / each for each in ("0a", "ff")
    ]
    assert str((tmp_path / "work/dbgsym/usr/share/doc/app-dbgsym").readlink()) == "app"


def test_its_scripts_add_and_remove_the_files_as_alternatives_that_packages_share(tmp_path: Path) -> None:
    spec = spec_with(tmp_path, FIRST, SECOND)

    added, removed = (debug_script(spec, name).decode() for name in ("postinst", "prerm"))

    assert f"for build_id in {FIRST} {SECOND}; do" in added
    assert '--install "/usr/lib/debug/.build-id/$file" "debug-$build_id" "/usr/lib/debug/.venvpkg/app/$file" 1' in added
    assert '--remove "debug-$build_id" "/usr/lib/debug/.venvpkg/app/$file"' in removed


def test_its_fields_are_those_of_debhelper(tmp_path: Path) -> None:
    fields = debug_fields(spec_with(tmp_path, FIRST, SECOND), debian_12(), ())

    assert list(fields) == [
        "Package", "Source", "Version", "Auto-Built-Package", "Architecture", "Maintainer", "Installed-Size", "Depends",
        "Section", "Priority", "Description", "Build-Ids",
    ]  # fmt: skip
    assert fields["Package"] == "app-dbgsym"
    assert fields["Depends"] == f"app (= {fields['Version']})"
    assert fields["Build-Ids"] == f"{FIRST} {SECOND}"


def test_it_comes_with_the_package_and_only_where_there_is_debug_information(tmp_path: Path) -> None:
    with_debug, without = spec_with(tmp_path / "a", FIRST), spec_with(tmp_path / "b")

    made = assemble(
        with_debug, tmp_path / "dist", NOTHING_PACKED, on_target(debian_12(), DpkgDeb().runner(), RecordingReporter())
    )
    plain = assemble(
        without, tmp_path / "dist", NOTHING_PACKED, on_target(debian_12(), DpkgDeb().runner(), RecordingReporter())
    )

    assert [each.name.partition("_")[0] for each in made.debug_packages] == ["app-dbgsym"]
    assert plain.debug_packages == ()
