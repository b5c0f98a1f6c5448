"""Targets are parsed from their names on the command line."""

from __future__ import annotations

import pytest

from venvpkg.targets.selection import HOST, Kind, Selection, parse_selection, short_names


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("host", HOST),
        ("root:/srv/trixie", Selection(Kind.ROOT, "/srv/trixie")),
        ("podman:localhost/debian:trixie", Selection(Kind.PODMAN, "localhost/debian:trixie")),
        ("docker:debian@sha256:00", Selection(Kind.DOCKER, "debian@sha256:00")),
        ("root:./el9:root", Selection(Kind.ROOT, "./el9:root")),
        ("debian:trixie", Selection("debian", "trixie")),
        ("vagrant:bookworm", Selection(Kind.VAGRANT, "bookworm")),
        ("debian:trixie/arm64", Selection("debian", "trixie", "arm64")),
        ("ubuntu:24.04/s390x", Selection("ubuntu", "24.04", "s390x")),
        ("opensuse:15.6", Selection("opensuse", "15.6")),
    ],
)
def test_a_target_is_written_as_it_was_read(text: str, selection: Selection) -> None:
    assert parse_selection(text) == selection
    assert str(selection) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "root",
        "root:",
        "host:here",
        "podmann:x",
        "podman",
        "docker:",
        "Root:/x",
        "/srv/trixie",
        "debian:",
        "el:-1",
        "vagrant:--all",
    ],
)
def test_an_invalid_target_is_reported_with_the_valid_forms(text: str) -> None:
    with pytest.raises(ValueError, match="use 'host', 'root:DIR'"):
        parse_selection(text)


def test_several_targets_have_short_and_different_labels() -> None:
    words = (
        "host",
        "root:/srv/roots/trixie/",
        "debian:trixie",
        "podman:localhost/x/trixie",
        "root:/a/el9",
        "root:/b/el9",
    )

    assert short_names([parse_selection(word) for word in words]) == (
        "host", "root:trixie", "debian:trixie", "podman:trixie", "root:/a/el9", "root:/b/el9"
    )  # fmt: skip


def test_build_roots_for_two_architectures_have_two_names() -> None:
    assert parse_selection("debian:trixie").name == "debian-trixie"
    assert parse_selection("debian:trixie/arm64").name == "debian-trixie-arm64"


@pytest.mark.parametrize("text", ["debian:trixie/", "debian:trixie/z80", "debian:trixie/../x", "fedora:43/aarch64"])
def test_another_architecture_is_refused_if_it_cannot_be_bootstrapped(text: str) -> None:
    with pytest.raises(ValueError, match="only bootstraps build roots of debian and ubuntu for another architecture"):
        parse_selection(text)


def test_a_release_before_an_architecture_is_checked_too() -> None:
    with pytest.raises(ValueError, match="is not a valid target"):
        parse_selection("debian:-x/arm64")
