"""What this machine's apt reads tells where another release of the same archive is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.families.deb.bootstrap import AptSource, deb822_sources, read_apt_sources, sources_on_same_mirrors

if TYPE_CHECKING:
    from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEBIAN = f"""\
Types: deb
# http://old.example.org/debian
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: {KEYRING}

Types: deb deb-src
URIs: http://mirror.example.org/security
Suites: bookworm-security
Components: main
Signed-By: {KEYRING}

Enabled: no
Types: deb
URIs: http://off.example.org
Suites: bookworm
Components: main
"""
VENDOR = "deb [arch=amd64 signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example.org bookworm main # theirs\n"


def apt(directory: Path) -> Path:
    (directory / "sources.list.d").mkdir()
    (directory / "sources.list.d/debian.sources").write_text(DEBIAN)
    (directory / "sources.list.d/vendor.list").write_text(VENDOR)
    (directory / "sources.list.d/vendor.list.save").write_text(VENDOR.replace("vendor.", "saved."))
    return directory


def test_both_formats_are_read_and_what_is_off_is_not(tmp_path: Path) -> None:
    found = read_apt_sources(apt(tmp_path))

    assert [(each.uri, each.suite) for each in found] == [
        ("http://mirror.example.org/debian", "bookworm"),
        ("http://mirror.example.org/debian", "bookworm-updates"),
        ("http://mirror.example.org/security", "bookworm-security"),
        ("https://vendor.example.org", "bookworm"),
    ]
    assert found[0].components == ("main", "contrib")


def test_another_release_comes_from_the_archives_mirrors_and_no_vendors(tmp_path: Path) -> None:
    found = sources_on_same_mirrors(read_apt_sources(apt(tmp_path)), "bookworm", "trixie")

    assert [str(each) for each in found] == [
        f"deb [signed-by={KEYRING}] http://mirror.example.org/debian trixie main contrib",
        f"deb [signed-by={KEYRING}] http://mirror.example.org/debian trixie-updates main contrib",
        f"deb [signed-by={KEYRING}] http://mirror.example.org/security trixie-security main",
    ]


def test_unstable_has_neither_updates_nor_security(tmp_path: Path) -> None:
    found = sources_on_same_mirrors(read_apt_sources(apt(tmp_path)), "bookworm", "sid")

    assert found == (AptSource("http://mirror.example.org/debian", "sid", ("main", "contrib"), KEYRING),)


def test_comments_white_space_and_a_line_that_nobody_knows_are_in_nobodys_way() -> None:
    text = "Types: deb\n# a comment: here\nURIs:\n#another\n http://m.example.org\nSuites: a b\nbroken\n \nTypes: deb\n"

    assert [(each.uri, each.suite) for each in deb822_sources(text)] == [
        ("http://m.example.org", "a"),
        ("http://m.example.org", "b"),
    ]


def test_keys_in_the_file_itself_say_nothing_about_another_release() -> None:
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n -----END PGP PUBLIC KEY BLOCK-----"

    assert not list(deb822_sources(f"Types: deb\nURIs: http://m\nSuites: a\nSigned-By:\n {key}\n"))
