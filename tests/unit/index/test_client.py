"""Secrets stay out of what is written and told."""

from __future__ import annotations

import pytest

from venvpkg.index.urls import host_and_port
from venvpkg.text import redact, strip_credentials


@pytest.mark.parametrize(
    "url",
    [
        "https://me:s3cret@h.example/simple",
        "HTTPS://s3cret@h.example",
        "http://me:s3cret@with@ats@h.example:80/a@b",
        "https://me:s3cret'\"<>`,;?#@h.example/x",
        "\x1b[31mhttps://me:s3cret@h.example/",
    ],
)
def test_no_spelling_of_a_secret_survives(url: str) -> None:
    assert "s3cret" not in redact(f"failed to fetch `{url}` and more")
    assert "s3cret" not in strip_credentials(f"a @ {url}")


def test_what_is_no_secret_stays() -> None:
    assert redact("https://h.example/a@b mail@h.example") == "https://h.example/a@b mail@h.example"
    assert strip_credentials("ssh://git@h.example/x") == "ssh://git@h.example/x"


def test_the_host_of_a_url_comes_without_its_user() -> None:
    assert host_and_port("https://me:pw@h.example:8443/simple") == "h.example:8443"
    assert host_and_port("https://[oops/") == ""
