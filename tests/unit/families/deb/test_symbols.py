"""Symbols and shlibs files as packages ship them."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from venvpkg.errors import PackageDatabaseError
from venvpkg.families.deb.symbols import parse_shlibs, parse_symbols, relations_for

FILE = PurePosixPath("/var/lib/dpkg/info/x.symbols")
NCURSES = """\
libncurses.so.6 libncurses6 #MINVER#, libncurses6 (<< 6.5~)
| libncurses6-private
* Build-Depends-Package: libncurses-dev
 wgetch@NCURSES6_5.0 6
 operator new(unsigned long)@Base 6.1~rc1
 _nc_private@NCURSES6_5.0 0 1
#MISSING: 6.2# gone@NCURSES6_5.0 5
 #MISSING: 6.2# gone@NCURSES6_5.1 5
libGLX_mesa.so.0 libglx-mesa0
 glx@Base 1:17.0
 glx2@Base 1:16.9~
"""


def test_a_soname_has_templates_and_symbols() -> None:
    parsed = parse_symbols(NCURSES, FILE)

    assert parsed["libncurses.so.6"].templates == (
        ("libncurses6 #MINVER#", "libncurses6 (<< 6.5~)"),
        ("libncurses6-private",),
    )
    assert parsed["libncurses.so.6"].symbols == {
        "wgetch@NCURSES6_5.0": ("6", 0),
        "operator new(unsigned long)@Base": ("6.1~rc1", 0),
        "_nc_private@NCURSES6_5.0": ("0", 1),
    }


def test_the_smallest_floor_is_that_of_the_main_template_in_dpkgs_order() -> None:
    parsed = parse_symbols(NCURSES, FILE)

    assert [parsed[each].smallest() for each in ("libncurses.so.6", "libGLX_mesa.so.0")] == ["6", "1:16.9~"]
    assert parse_symbols("libx.so.1 libx1\n", FILE)["libx.so.1"].smallest() is None


@pytest.mark.parametrize(
    "line",
    [
        " nosymbol",
        " f@Base",
        " f@Base 1 9",
        " f@Base 1 one",
        " f@Base (1)",
        " f@Base ${version}",
        "libz.so.1",
        "libz.so.1 ",
    ],
)
def test_a_damaged_line_is_told_by_file_and_number(line: str) -> None:
    with pytest.raises(PackageDatabaseError) as caught:
        parse_symbols(f"libx.so.1 libx1 #MINVER#\n{line}\n", FILE)

    assert f"{FILE}:2: " in caught.value.details


@pytest.mark.parametrize("line", [" f@Base 1", "| other", "* Build-Depends-Package: x"])
def test_lines_before_any_soname_are_damage(line: str) -> None:
    with pytest.raises(PackageDatabaseError, match="before any soname"):
        parse_symbols(line, FILE)


def test_a_shlibs_file_maps_a_soname_to_relations() -> None:
    entries = parse_shlibs(
        "# Licensed: under the Apache License\n"
        "libcrypt 1 libcrypt1 (>= 1:4.1.0)\n"
        "udeb: libcrypt 1 libcrypt1-udeb\n"
        "libboost_regex 1.74.0 libboost-regex1.74.0-icu72, libicu72 (>= 72)\n"
        "libapt-pkg 6.0\n",
        FILE,
    )

    assert relations_for("libcrypt.so.1", entries) == ("libcrypt1 (>= 1:4.1.0)",)
    assert relations_for("libboost_regex.so.1.74.0", entries) == ("libboost-regex1.74.0-icu72", "libicu72 (>= 72)")
    assert relations_for("libapt-pkg.so.6.0", entries) == ()
    assert relations_for("libcrypt.so.2", entries) is None


def test_a_shlibs_line_for_deb_wins() -> None:
    entries = parse_shlibs("libz 1 zlib1g\ndeb: libz 1 zlib1g (>= 2)\n", FILE)

    assert relations_for("libz.so.1", entries) == ("zlib1g (>= 2)",)


def test_both_spellings_of_a_versioned_soname_are_known() -> None:
    entries = parse_shlibs("libdb 5.3 libdb5.3\n", FILE)

    assert relations_for("libdb-5.3.so", entries) == ("libdb5.3",)
    assert relations_for("libprivate.so", entries) is None


def test_a_damaged_shlibs_line_is_told_by_file_and_number() -> None:
    with pytest.raises(PackageDatabaseError) as caught:
        parse_shlibs("libz 1 zlib1g\nlibz\n", FILE)

    assert f"{FILE}:2: " in caught.value.details
