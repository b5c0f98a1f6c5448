"""What a target is called on the command line."""

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
        ("debian:trixie", Selection(Kind.DEBIAN, "trixie")),
        ("vagrant:bookworm", Selection(Kind.VAGRANT, "bookworm")),
        ("opensuse:15.6", Selection(Kind.OPENSUSE, "15.6")),
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
def test_what_names_no_target_says_what_can_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="write 'host', or 'root:DIR'"):
        parse_selection(text)


def test_several_targets_are_called_by_short_names_that_tell_them_apart() -> None:
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
