"""Texts that tell where a file was built."""

from __future__ import annotations

import time

import pytest

from venvpkg.families.common.contents import BuildPathScanner


def first_in(*chunks: bytes) -> tuple[str, int]:
    finder = BuildPathScanner()
    for chunk in chunks:
        finder.feed(chunk)
    return finder.first, finder.count


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        (b"\0/tmp/pip-install-a1b2c3/lxml/src/x.c\0", "/tmp/pip-install-a1b2c3/lxml/src/x.c"),
        (b"'/tmp/build-env-q8zt_x1/lib'", "/tmp/build-env-q8zt_x1/lib"),
        (b"at /build/python3.11-x2YzAb/main.c:3", "/build/python3.11-x2YzAb/main.c:3"),
        (b"/home/runner/work/app/x.rs\n", "/home/runner/work/app/x.rs"),
        (b'"/root/.cargo/registry/x"', "/root/.cargo/registry/x"),
        (b"#!/srv/ci/debian/app/opt/venvs/app/bin/python", "/srv/ci/debian/app/opt/venvs/app/bin/python"),
    ],
)
def test_a_place_of_a_build_machine_is_found(text: bytes, trace: str) -> None:
    assert first_in(text) == (trace, 1)


@pytest.mark.parametrize(
    "text",
    [
        b"/tmp/foo, or any /tmp/",
        b"/home/user/.config and /home/alice/x",
        b"https://example.org/home/page/1",
        b"/usr/share/build/app-123456/x",
        b"ftp.example.org/debian/pool/usr/x",
        b"/var/lib/home/ci/x",
    ],
)
def test_places_of_manuals_and_web_pages_are_not(text: bytes) -> None:
    assert first_in(text) == ("", 0)


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_trace_across_two_chunks_is_found_once(cut: int) -> None:
    text = b" /home/runner/work/app/x.rs and more of it" + b" " * 2000

    assert first_in(text[:cut], text[cut:])[1] == 1


def test_a_web_page_at_the_edge_of_the_overlap_is_still_no_trace() -> None:
    text = b"https://example.org/home/page/1".ljust(31 + 512 - 12)

    assert first_in(text, b" " * 600) == ("", 0)


def test_a_file_full_of_beginnings_takes_no_minutes() -> None:
    before = time.process_time()

    first_in(*[b"/home/" * 200_000] * 20)

    assert time.process_time() - before < 5
