"""How Debian's names, paths and relations become those of an rpm world."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rpmworld.archive import Alternative, Archive, parse_stanza
from rpmworld.flavours import Flavour, identity
from rpmworld.kept import have, remove_unused
from rpmworld.layout import Layout
from rpmworld.recipes import native_version
from rpmworld.tables import Tables
from rpmworld.tools import RpmWorldError

LAYOUT = Layout("x86_64-linux-gnu", "3.11")
TABLES = Tables.read()


def archive(**depends: str) -> Archive:
    return Archive(
        "suite", Path(), {name: stanza(name, each) for name, each in depends.items()}, {"virtual": ("real",)}
    )


def stanza(name: str, depends: str = "") -> str:
    return f"Package: {name}\nVersion: 1-1\nArchitecture: amd64\nSHA256: 0\nSize: 1\nDepends: {depends}\n"


@pytest.mark.parametrize(
    ("debian", "rpm"),
    [
        ("libpq5", "libpq"),
        ("libssl3t64", "openssl-libs"),
        ("libpq-dev", "libpq-devel"),
        ("libicu72", "libicu"),  # by a pattern
        ("libicu-dev", "libicu-devel"),  # which never takes the -dev package
        ("python3.13", "python3"),
        ("libp11-kit-dev", "libp11-kit-devel"),  # in no table
    ],
)
def test_a_debian_package_gets_the_name_that_el_has_for_it(debian: str, rpm: str) -> None:
    assert TABLES.rpm_name(debian) == rpm


def test_a_merged_package_has_the_version_of_the_first_member_in_the_table() -> None:
    members = ("libpython3-stdlib", "python3", "python3-venv", "python3.11", "python3.11-minimal")

    assert TABLES.lead("python3", members) == "python3.11"


@pytest.mark.parametrize(
    ("version", "native"),
    [
        ("3.0.20-1~deb12u2", ("3.0.20", "1~deb12u2.rw")),
        ("1:2.38.1-5+b1", ("2.38.1", "5+b1.rw")),
        ("2026b-0+deb12u1", ("2026b", "0+deb12u1.rw")),
        ("1.0", ("1.0", "0.rw")),
        ("1.0-rc-2", ("1.0_rc", "2.rw")),
    ],
)
def test_versions_lose_their_epoch_and_what_rpm_refuses(version: str, native: tuple[str, str]) -> None:
    assert native_version(version) == native


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("./bin/bash", "usr/bin/bash"),
        ("./lib/x86_64-linux-gnu/libc.so.6", "usr/lib64/libc.so.6"),
        ("./usr/lib/x86_64-linux-gnu/", "usr/lib64"),
        ("./lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"),
        ("./usr/lib/python3/dist-packages/rpm/x.so", "usr/lib/python3.11/site-packages/rpm/x.so"),
        ("./usr/lib/x86_64-linux-gnu-other", "usr/lib/x86_64-linux-gnu-other"),
    ],
)
def test_paths_go_to_lib64_and_merged_usr(old: str, new: str) -> None:
    assert LAYOUT.moved(old) == new


@pytest.mark.parametrize(
    ("path", "target", "new"),
    [
        ("./usr/lib/x86_64-linux-gnu/libz.so", "/lib/x86_64-linux-gnu/libz.so.1", "/usr/lib64/libz.so.1"),
        ("./lib/x86_64-linux-gnu/libz.so.1", "libz.so.1.2.13", "libz.so.1.2.13"),
        ("./usr/lib/x86_64-linux-gnu/a/b.so", "../../gcc/b.so", "../../lib/gcc/b.so"),
    ],
)
def test_a_link_finds_its_target_from_its_new_place(path: str, target: str, new: str) -> None:
    assert LAYOUT.moved_link(path, target) == new


def test_relations_are_read_with_alternatives_and_restrictions() -> None:
    deb = parse_stanza(stanza("x", "libc6 (>= 2.36), python3:any, a | b (= 1)") + "Pre-Depends: dpkg\nEssential: yes\n")

    assert deb.depends == (
        (Alternative("dpkg"),),
        (Alternative("libc6", ">= 2.36"),),
        (Alternative("python3"),),
        (Alternative("a"), Alternative("b", "= 1")),
    )
    assert deb.is_essential


def test_a_closure_takes_first_alternatives_and_providers_but_nothing_ignored() -> None:
    suite = archive(top="dpkg, missing | second, virtual", second="", real="top")

    assert [deb.name for deb in suite.closure(["top", "absent?"], TABLES)] == ["real", "second", "top"]


def test_all_seeds_that_a_suite_lacks_are_named_at_once() -> None:
    with pytest.raises(RpmWorldError, match="suite has no one, two"):
        archive().closure(["two", "one"], TABLES)


@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_the_two_flavours_share_no_name_and_no_place(suite: str) -> None:
    fedora, suse = (identity(flavour, suite) for flavour in Flavour)

    assert {fedora.identifier, fedora.database, fedora.manager}.isdisjoint(
        {
            suse.identifier,
            suse.database,
            suse.manager,
        }
    )


def test_a_kept_directory_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []

    for _ in range(2):
        have(tmp_path / "kept", made.append)

    assert len(made) == 1
    assert (tmp_path / "kept").is_dir()


def test_what_cannot_be_made_leaves_nothing_and_neither_does_a_run_that_was_killed(tmp_path: Path) -> None:
    def fail(directory: Path) -> None:
        (directory / "half").touch()
        raise RpmWorldError

    (tmp_path / "kept.part-killed" / "whole").mkdir(parents=True)

    with pytest.raises(RpmWorldError):
        have(tmp_path / "kept", fail)

    assert [path.name for path in tmp_path.iterdir()] == ["kept.lock"]


def test_only_what_was_long_unused_is_removed(tmp_path: Path) -> None:
    for name in ("rpm-a-1", "rpm-a-2", "rpm-b-1"):
        (tmp_path / name).mkdir()
    for name in ("rpm-a-1", "rpm-b-1"):
        os.utime(tmp_path / name, (0, 0))

    remove_unused(tmp_path, "rpm-a-", 60)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["rpm-a-2", "rpm-b-1"]
