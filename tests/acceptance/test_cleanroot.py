from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from acceptance.cleanroot import CleanRootError, Source, debian_sources, parse_deb822, parse_one_line

if TYPE_CHECKING:
    from acceptance.cleanroot import CleanRoot

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "http://mirror.example/debian"


def test_both_formats_of_apt_sources_say_the_same() -> None:
    one_line = f"""
        # deb http://old.example/debian bookworm main
        deb-src {MIRROR} bookworm main
        deb [arch=amd64 signed-by={KEYRING}] {MIRROR} bookworm main contrib # ours
    """
    deb822 = (
        f"Types: deb deb-src\n# old mirror\nURIs: {MIRROR}\nSuites: bookworm\n"
        f"Components: main\n contrib\nSigned-By: {KEYRING}\n"
    )

    expected = [Source(MIRROR, "bookworm", ("main", "contrib"), KEYRING)]

    assert list(parse_one_line(one_line)) == expected
    assert list(parse_deb822(deb822)) == expected


def test_a_stanza_is_one_source_for_each_uri_and_suite_unless_disabled() -> None:
    text = """
Types: deb
URIs: http://a.example http://b.example
Suites: bookworm bookworm-updates
Components: main

Enabled: no
Types: deb
URIs: http://c.example
Suites: bookworm
Components: main
"""

    assert [(source.uri, source.suite) for source in parse_deb822(text)] == [
        ("http://a.example", "bookworm"),
        ("http://a.example", "bookworm-updates"),
        ("http://b.example", "bookworm"),
        ("http://b.example", "bookworm-updates"),
    ]


def test_only_the_release_itself_signed_by_debian_is_used() -> None:
    wanted = [
        Source(MIRROR, "bookworm", ("main",), KEYRING),
        Source(MIRROR, "bookworm-updates", ("main",), KEYRING),
        Source(f"{MIRROR}-security", "bookworm-security", ("main",), "/usr/share/keyrings/debian-archive-keyring.pgp"),
        Source(MIRROR, "bookworm", ("main",), None),
    ]
    unwanted = [
        Source(MIRROR, "bookworm-backports", ("main",), KEYRING),
        Source(MIRROR, "trixie", ("main",), KEYRING),
        Source("http://vendor.example", "bookworm", ("main",), "/usr/share/keyrings/vendor.gpg"),
    ]

    assert debian_sources([*wanted, *unwanted], "bookworm") == tuple(wanted)


def test_what_a_run_writes_is_gone_in_the_next(clean_root: CleanRoot) -> None:
    first = clean_root.run("touch /left-behind && rm -r /usr/share && test ! -e /usr/share")
    second = clean_root.run("test -d /usr/share && test ! -e /left-behind")

    assert (first.code, second.code) == (0, 0), first.transcript + second.transcript


def test_a_run_gets_arguments_environment_and_read_only_files(clean_root: CleanRoot, tmp_path: Path) -> None:
    given = tmp_path / "given: with a colon"
    given.write_text("text\n")

    outcome = clean_root.run(
        'echo "$1, $2, $WORD"; cat /mnt/deep/file; echo more >> /mnt/deep/file',
        binds={given: PurePosixPath("/mnt/deep/file")},
        arguments=["one", "two words"],
        environment={"WORD": "three"},
    )

    assert outcome.stdout == "one, two words, three\ntext\n"
    assert (outcome.code, given.read_text()) == (1, "text\n")


def test_everything_that_a_run_started_ends_with_it(clean_root: CleanRoot, tmp_path: Path) -> None:
    marker = f"31536000.{tmp_path.stat().st_ino}"

    outcome = clean_root.run(f"sleep {marker} & sleep 0.2; exit 7")

    assert outcome.code == 7
    assert not running_with(marker)


def test_a_run_without_end_is_ended(clean_root: CleanRoot, tmp_path: Path) -> None:
    marker = f"31536000.{tmp_path.stat().st_ino}"

    with pytest.raises(CleanRootError, match=r"(?s)no end after 1.*so far"):
        clean_root.run(f"echo so far; sleep {marker}", timeout_s=1)

    assert not running_with(marker)


def test_a_run_can_be_without_network(clean_root: CleanRoot) -> None:
    outcome = clean_root.run("cat /proc/net/dev | tail -n +3 | cut -d: -f1", network=False)

    assert outcome.stdout.split() == ["lo"]


def running_with(argument: str) -> list[Path]:
    found = []
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = command_line.read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile
        if argument.encode() in arguments:
            found.append(command_line)
    return found
