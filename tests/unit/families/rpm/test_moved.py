"""Which files may stand where an earlier version has a directory, and what moves that away."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from unit.families.common.makers import spec_with
from unit.samples import PREFIX, SITE
from venvpkg.families.rpm.scripts import lua_string, replaceable, scriptlets

FILES = (
    SITE / "app/data", SITE / "app/conf.d", SITE / "app/logo.v2", PurePosixPath("/etc/app/rules"),
    SITE / "app/__init__.py", SITE / "app/_fast.so", SITE / "libx.so.1", SITE / "app-1.0.dist-info/RECORD",
    PREFIX / "bin/app", PurePosixPath("/usr/share/licenses/app/copyright"),
    PurePosixPath("/usr/lib/systemd/system/app.service"),
)  # fmt: skip


def test_a_file_may_replace_a_directory_unless_its_name_or_place_is_none_of_directories(tmp_path: Path) -> None:
    staged = spec_with(tmp_path, {str(each): "" for each in FILES}).staged

    found = set(replaceable(staged.payload.paths, PREFIX))

    assert found == set(FILES[:4])


def test_a_directory_is_moved_before_the_transaction_and_goes_after_it_where_it_was_the_packages(
    tmp_path: Path,
) -> None:
    spec = spec_with(tmp_path, {str(each): "" for each in FILES[:4]})

    found = {each.section: each for each in scriptlets(spec)}

    assert (found["pretrans"].program, found["pretrans"].file) == ("<lua>", "pretrans.lua")
    assert f'    "{SITE}/app/data",\n' in found["pretrans"].text
    assert '    "/etc/app/rules",\n' in found["pretrans"].text
    assert f"{SITE}/app/data" in found["posttrans"].text
    assert "/etc/app/rules" not in found["posttrans"].text


def test_a_package_of_modules_alone_moves_nothing(tmp_path: Path) -> None:
    assert {each.section for each in scriptlets(spec_with(tmp_path, {str(FILES[4]): ""}))} == {"preun"}


def test_a_path_is_a_string_of_lua() -> None:
    assert lua_string(PurePosixPath('/a"b\\c')) == r'"/a\"b\\c"'
