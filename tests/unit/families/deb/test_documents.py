"""What lies in /usr/share/doc, and the md5sums."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.golden import golden
from unit.samples import PREFIX, SITE, a_spec, a_staged, a_system, debian_12
from venvpkg.families.common.documents import own_paths, render_copyright
from venvpkg.families.deb.documents import COMMON_LICENSES, compressed_changelog, md5sums
from venvpkg.model.staged import InstalledDistribution, PathKind, PayloadPath, StagedSystem

if TYPE_CHECKING:
    from venvpkg.model.package import PackageSpec


def distribution(
    name: str, *files: str, licence: str = "", copyright_lines: tuple[str, ...] = ()
) -> InstalledDistribution:
    paths = tuple(PREFIX / file if file.startswith("bin/") else SITE / file for file in files)
    licences = tuple(path for path in paths if path.name == "LICENSE")
    return InstalledDistribution(name, "1.0", "0" * 64, paths, licence, licences, "Jane", copyright_lines)


def spec_of(*distributions: InstalledDistribution) -> PackageSpec:
    return a_spec(dataclasses.replace(a_staged(), distributions=distributions))


def test_the_copyright_file_is_the_golden_one() -> None:
    spec = spec_of(
        distribution("app", "app/__init__.py", "app-1.0.dist-info/METADATA", licence="MIT"),
        distribution(
            "lib-two",
            "lib/two.py",
            "lib-1.0.dist-info/LICENSE",
            "bin/tool one*",
            licence="MIT OR (Apache-2.0 WITH LLVM-exception)",
            copyright_lines=("Copyright 2001 A", "Copyright 2002 B"),
        ),
        distribution("unlicensed", "space/a/x.py"),
        distribution("zope-like", "space/b/x.py", licence="ZPL"),
    )

    text = render_copyright(spec, "deb", COMMON_LICENSES)

    assert text == golden("deb/copyright", text)


@pytest.mark.parametrize(
    ("licence", "files"),
    [
        ("Apache-2.0", ["Apache-2.0"]),
        ("GPL-3.0-or-later", ["GPL-3"]),
        ("(LGPL-2.1-only OR MPL-2.0) AND GPL-2.0+ WITH Classpath-exception-2.0", ["LGPL-2.1", "MPL-2.0", "GPL-2"]),
        ("MIT", []),
        ("MIT OR Apache-2.0", []),
        ("", []),
    ],
)
def test_a_licence_without_a_text_of_its_own_is_in_debians_where_that_has_it(licence: str, files: list[str]) -> None:
    text = render_copyright(spec_of(distribution("app", "app.py", licence=licence)), "deb", COMMON_LICENSES)

    assert [line.rpartition("/")[2] for line in text.splitlines() if "/usr/share/common-licenses/" in line] == files


def test_the_changelog_is_one_entry_of_the_sources_time() -> None:
    text = gzip.decompress(compressed_changelog(a_spec(), debian_12())).decode()

    assert text == (
        "app (1.0-1~debian12) bookworm; urgency=medium\n\n  * Packaged App 1.0 with venvpkg.\n\n"
        " -- Jane Doe <jane@example.org>  Tue, 14 Nov 2023 22:13:20 +0000\n"
    )


def test_the_compressed_changelog_tells_neither_name_nor_time_nor_system() -> None:
    header = compressed_changelog(a_spec(), debian_12())[:10]

    assert header == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def test_md5sums_lists_files_by_path_without_a_leading_slash() -> None:
    paths = [
        PayloadPath(PurePosixPath("/opt/b"), PathKind.FILE, 0o644, 1, "b" * 32),
        PayloadPath(PurePosixPath("/opt"), PathKind.DIRECTORY, 0o755),
        PayloadPath(PurePosixPath("/opt/ä x"), PathKind.FILE, 0o644, 1, "c" * 32),
        PayloadPath(PurePosixPath("/opt/a"), PathKind.LINK, 0o777, 1),
    ]

    assert md5sums(paths).decode() == f"{'b' * 32}  opt/b\n{'c' * 32}  opt/ä x\n"


@pytest.mark.parametrize(
    ("files", "own"),
    [
        ({"one": ["one/a.py", "one/b/c.py"], "two": ["two.py"]}, {"one": ("one/",), "two": ("two.py",)}),
        ({"one": ["ns/one/a.py"], "two": ["ns/two/b.py"]}, {"one": ("ns/one/",), "two": ("ns/two/",)}),
        (
            {"one": ["ns/__init__.py"], "two": ["ns/__init__.py"]},
            {"one": ("ns/__init__.py",), "two": ("ns/__init__.py",)},
        ),
    ],
)
def test_the_fewest_paths_that_are_one_distribution_s_alone(
    files: dict[str, list[str]], own: dict[str, tuple[str, ...]]
) -> None:
    found = own_paths([distribution(name, *each) for name, each in files.items()], (SITE,))

    assert found == {name: tuple(f"{SITE}/{path}" for path in paths) for name, paths in own.items()}


def test_what_finds_the_release_s_modules_has_its_own_licence() -> None:
    own = distribution("app", "app/__init__.py", licence="MIT")
    staged = dataclasses.replace(a_staged(), distributions=(own,), system=(StagedSystem(a_system()),))

    text = render_copyright(a_spec(staged), "deb", COMMON_LICENSES)

    assert "Files: */_venvpkg_system.py\n */_venvpkg_system.pth\n" in text
    assert "License: Apache-2.0\n The text is in /usr/share/common-licenses/Apache-2.0\n" in text
    assert "_venvpkg_system" not in render_copyright(spec_of(own), "deb")
