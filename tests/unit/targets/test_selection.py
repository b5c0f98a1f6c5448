"""What a target is called on the command line."""

from __future__ import annotations

import pytest

from venvpkg.targets.selection import HOST, Kind, Selection, parse_selection


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("host", HOST),
        ("root:/srv/trixie", Selection(Kind.ROOT, "/srv/trixie")),
        ("podman:localhost/debian:trixie", Selection(Kind.PODMAN, "localhost/debian:trixie")),
        ("docker:debian@sha256:00", Selection(Kind.DOCKER, "debian@sha256:00")),
        ("root:./el9:root", Selection(Kind.ROOT, "./el9:root")),
        ("debian:trixie", Selection(Kind.DEBIAN, "trixie")),
        ("opensuse:15.6", Selection(Kind.OPENSUSE, "15.6")),
    ],
)
def test_a_target_is_written_as_it_was_read(text: str, selection: Selection) -> None:
    assert parse_selection(text) == selection
    assert str(selection) == text


@pytest.mark.parametrize(
    "text",
    ["", "root", "root:", "host:here", "podmann:x", "podman", "docker:", "Root:/x", "/srv/trixie", "debian:", "el:-1"],
)
def test_what_names_no_target_says_what_can_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="write 'host', or 'root:DIR'"):
        parse_selection(text)
