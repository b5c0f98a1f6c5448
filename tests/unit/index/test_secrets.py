"""Which spellings of a run's passwords are searched for."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from venvpkg.index.pip_settings import UvSettings
from venvpkg.index.secrets import known_secrets

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "hush/42-abc"  # noqa: S105 - planted
QUOTED = "hush%2F42-abc"


@pytest.mark.parametrize(
    ("settings", "environ", "text"),
    [
        (UvSettings({}, indexes=(f"https://me:{QUOTED}@corp/simple",)), {}, ""),
        (UvSettings({"UV_INDEX": f"corp=https://me:{QUOTED}@corp/simple"}), {}, ""),
        (UvSettings({}), {"HTTPS_PROXY": f"http://me:{QUOTED}@corp:3128"}, ""),
        (UvSettings({}), {}, f'dependencies = ["a @ git+https://me:{QUOTED}@corp/a.git"]'),
    ],
)
def test_a_password_is_found_raw_encoded_and_as_a_header_wherever_it_was_given(
    settings: UvSettings, environ: dict[str, str], text: str
) -> None:
    secrets = known_secrets(settings, environ, (text,))

    header = base64.b64encode(f"me:{PASSWORD}".encode())
    assert all(secrets.are_in(b"..." + each + b"...") for each in (PASSWORD.encode(), QUOTED.encode(), header))
    assert PASSWORD not in repr(secrets)


def test_variables_and_netrc_have_secrets_too(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine corp login me password of-netrc-1\n")
    (tmp_path / ".netrc").chmod(0o600)
    environ = {
        "HOME": str(tmp_path),
        "UV_INDEX_CORP_PASSWORD": "of-uv-12",
        "CARGO_REGISTRIES_CORP_TOKEN": "of-cargo-1",
        "GIT_CONFIG_VALUE_0": "AUTHORIZATION: basic b2YtZ2l0OjE=",
        "POSTGRES_PASSWORD": "of-nobody-1",
    }

    secrets = known_secrets(UvSettings({}), environ)

    assert all(map(secrets.are_in, (b"of-netrc-1", b"of-uv-12", b"of-cargo-1", b"b2YtZ2l0OjE=")))
    assert not secrets.are_in(b"of-nobody-1")


def test_an_ordinary_word_counts_only_together_with_its_user_and_host() -> None:
    indexes = ("https://ci:secret@nexus/simple", "https://ci@other/simple", "https://a:password1@b")
    secrets = known_secrets(UvSettings({}, indexes=indexes), {})

    innocent = (b"a secret of nexus", b"password1", b"https://ci:secret@example.org", b"ci@other")
    assert not any(map(secrets.are_in, innocent))
    assert secrets.are_in(b"https://ci:secret@nexus/x")


def test_a_token_without_a_password_is_a_secret() -> None:
    assert known_secrets(UvSettings({}, indexes=("https://ghp0123456789@forge/simple",)), {}).are_in(b"ghp0123456789")


def test_what_the_run_does_not_use_is_not_searched_for() -> None:
    environ = {"DATABASE_URL": "postgres://app:Planted-4711@db/app", "HOOK_URL": "https://ci:Planted-4711@chat/hook"}

    assert not known_secrets(UvSettings({}), environ, (environ["DATABASE_URL"],)).spellings
