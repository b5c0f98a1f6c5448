"""uv is told what pip is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from venvpkg.errors import LockError
from venvpkg.index.pip_settings import translate_pip_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvpkg.index.pip_settings import UvSettings


def settings(
    environ: Mapping[str, str],
    files: Mapping[str, str] | None = None,
    *,
    there: tuple[str, ...] = (),
    reporter: RecordingReporter | None = None,
    project: Path | None = None,
) -> UvSettings:
    return translate_pip_settings(
        environ,
        reporter or RecordingReporter(),
        cwd=Path("/home/me/app"),
        project=project,
        read=lambda path: (files or {}).get(str(path)),
        exists=lambda path: str(path) in there,
    )


def variables(environ: Mapping[str, str], files: Mapping[str, str] | None = None, **more: object) -> dict[str, str]:
    return dict(settings(environ, files, **more).environ)  # type: ignore[arg-type]


def test_pip_index_becomes_the_default_index_so_that_private_names_are_not_asked_for_in_public() -> None:
    found = settings({"PIP_INDEX_URL": "https://me:pw@pypi.corp/simple"})

    assert found.environ["UV_DEFAULT_INDEX"] == "https://me:pw@pypi.corp/simple"
    assert found.indexes == ("https://me:pw@pypi.corp/simple",)
    assert "pw" not in repr(found)


def test_every_place_of_pip_is_translated() -> None:
    found = variables(
        {
            "HOME": "/home/me",
            "PIP_EXTRA_INDEX_URL": "https://a.corp/simple\nhttps://b.corp/simple",
            "PIP_FIND_LINKS": "wheels ~/more https://c.corp/links",
        },
        there=("/home/me/app/wheels", "/home/me/more"),
    )

    assert found["UV_INDEX"] == "https://a.corp/simple https://b.corp/simple"
    assert found["UV_FIND_LINKS"] == "file:///home/me/app/wheels,file:///home/me/more,https://c.corp/links"


def test_nothing_but_what_uv_needs_is_passed_on() -> None:
    found = variables({
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "NETRC": "/home/me/n",
        "HTTPS_PROXY": "http://proxy:1",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_INDEX_CORP_PASSWORD": "pw",
        "UV_PYTHON": "3.13",
        "UV_PROJECT": "/elsewhere",
        "VIRTUAL_ENV": "/venv",
        "PYTHONPATH": "/x",
        "AWS_SECRET_ACCESS_KEY": "s",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    })  # fmt: skip

    assert set(found) == {"PATH", "HOME", "NETRC", "HTTPS_PROXY", "SSL_CERT_FILE", "UV_INDEX_CORP_PASSWORD"}


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_a_default_index_for_uv_sets_all_of_pips_places_aside(variable: str) -> None:
    reporter = RecordingReporter()

    found = variables(
        {
            variable: "https://uv.corp/simple",
            "PIP_INDEX_URL": "https://pip.corp/simple",
            "PIP_EXTRA_INDEX_URL": "https://more.corp/simple",
            "PIP_FIND_LINKS": "https://links.corp",
            "PIP_NO_INDEX": "1",
        },
        reporter=reporter,
    )

    assert found == {variable: "https://uv.corp/simple"}
    assert len(reporter.details) == 4


def test_more_indexes_for_uv_do_not_open_the_public_index_that_pip_closed() -> None:
    found = variables(
        {
            "UV_INDEX": "torch=https://torch.example/whl",
            "PIP_INDEX_URL": "https://pip.corp/simple",
            "PIP_EXTRA_INDEX_URL": "https://more.corp/simple",
        }
    )

    assert found["UV_DEFAULT_INDEX"] == "https://pip.corp/simple"
    assert found["UV_INDEX"] == "torch=https://torch.example/whl"


def test_a_default_index_in_the_projects_own_uv_settings_wins_too() -> None:
    files = {
        "/home/me/app/pyproject.toml": '[[tool.uv.index]]\nname = "corp"\nurl = "https://corp/simple"\ndefault = true\n'
    }

    found = settings(
        {"PIP_INDEX_URL": "https://pip/simple", "UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "p/w"},
        files,
        project=Path("/home/me/app"),
    )

    assert "UV_DEFAULT_INDEX" not in found.environ
    assert found.indexes == ("https://me:p%2Fw@corp/simple",)


def test_git_gets_the_authorities_and_settings_of_the_user_also_below_uv() -> None:
    of_git = {
        "GIT_SSL_CAINFO": "/etc/corp.pem", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.proxy",
        "GIT_CONFIG_VALUE_0": "http://proxy",
    }  # fmt: skip

    found = variables({"GIT_DIR": "/elsewhere", **of_git})

    assert {key: value for key, value in found.items() if key.startswith("GIT_")} == of_git


def test_a_section_of_the_command_beats_a_stronger_file_and_a_variable_beats_both() -> None:
    files = {
        "/etc/pip.conf": "[install]\nindex-url = https://install.system/simple\ntimeout = 7.2\n",
        "/home/me/.config/pip/pip.conf": "[global]\nindex_url = https://global.user/simple\nretries = 2\n",
    }

    of_files = variables({"HOME": "/home/me"}, files)
    of_variable = variables({"HOME": "/home/me", "PIP_INDEX_URL": "https://variable/simple"}, files)

    assert of_files["UV_DEFAULT_INDEX"] == "https://install.system/simple"
    assert (of_files["UV_HTTP_TIMEOUT"], of_files["UV_HTTP_RETRIES"]) == ("8", "2")
    assert of_variable["UV_DEFAULT_INDEX"] == "https://variable/simple"


def conf(url: str) -> str:
    return f"[global]\nindex-url = https://{url}/simple\n"


def test_files_are_read_in_pips_order() -> None:
    files = {
        "/etc/xdg/pip/pip.conf": conf("xdg"),
        "/etc/pip.conf": conf("etc"),
        "/home/me/.pip/pip.conf": conf("old"),
        "/home/me/.config/pip/pip.conf": conf("user"),
        "/venv/pip.conf": conf("venv"),
        "/chosen.conf": conf("chosen"),
    }
    environ = {"HOME": "/home/me", "VIRTUAL_ENV": "/venv", "PIP_CONFIG_FILE": "/chosen.conf"}
    seen: list[str] = []

    while files:
        seen.append(variables(environ, files)["UV_DEFAULT_INDEX"].removeprefix("https://").removesuffix("/simple"))
        del files[next(path for path, text in files.items() if text == conf(seen[-1]))]

    # A PIP_CONFIG_FILE that is there keeps pip from the user's files; they count once it is gone.
    assert seen == ["chosen", "venv", "user", "old", "etc", "xdg"]


def test_pip_config_file_of_dev_null_means_no_file_at_all() -> None:
    assert variables({"PIP_CONFIG_FILE": "/dev/null"}, {"/etc/pip.conf": conf("etc")}) == {}


def test_an_empty_value_is_no_setting() -> None:
    assert variables({"PIP_INDEX_URL": ""}, {"/etc/pip.conf": conf("etc")})["UV_DEFAULT_INDEX"] == "https://etc/simple"


def test_an_extra_index_that_is_not_on_this_machine_is_left_out_with_a_warning() -> None:
    reporter = RecordingReporter()

    found = variables(
        {"PIP_EXTRA_INDEX_URL": "file:///mnt/simple https://b.corp/simple", "PIP_FIND_LINKS": "/mnt/wheels"},
        reporter=reporter,
    )

    assert found == {"UV_INDEX": "https://b.corp/simple"}
    assert reporter.warnings == ["PIP_EXTRA_INDEX_URL: file:///mnt/simple does not exist; ignored"]
    assert reporter.details == ["PIP_FIND_LINKS: /mnt/wheels does not exist; ignored"]


def test_no_index_becomes_an_argument_and_closes_pips_indexes() -> None:
    found = settings(
        {"PIP_NO_INDEX": "yes", "PIP_INDEX_URL": "https://pip/simple", "PIP_EXTRA_INDEX_URL": "https://b/"}
    )

    assert found.arguments == ("--no-index",)
    assert found.environ == {}


def test_what_decides_about_files_and_cannot_be_translated_is_refused_by_name() -> None:
    with pytest.raises(LockError) as caught:
        settings(
            {"PIP_NO_BINARY": ":all:", "PIP_REQUIREMENT": "r.txt", "PIP_PRE": "maybe", "PIP_TIMEOUT": "soon"},
            {"/etc/pip.conf": "[global]\nprefer-binary = true\nno-deps = no\nonly-binary = :none:\n"},
        )

    lines = sorted(line.split(":")[0].strip() for line in caught.value.details.splitlines())
    assert lines == [
        "PIP_NO_BINARY",
        "PIP_PRE",
        "PIP_REQUIREMENT",
        "PIP_TIMEOUT",
        "[global] prefer-binary in /etc/pip.conf",
    ]


def test_choices_and_security_are_translated() -> None:
    found = variables(
        {
            "PIP_CONSTRAINT": "c.txt https://corp/c.txt",
            "PIP_PRE": "1",
            "PIP_UPLOADED_PRIOR_TO": "2026-01-01",
            "PIP_TRUSTED_HOST": "pypi.corp:8080 other",
            "PIP_CERT": "/ca.pem",
            "PIP_CLIENT_CERT": "/me.pem",
            "PIP_PROXY": "proxy.corp:3128",
            "PIP_KEYRING_PROVIDER": "subprocess",
        },
        {"/ca.pem": "certificate"},
    )

    assert {key: value for key, value in found.items() if "proxy" not in key} == {
        "UV_CONSTRAINT": "/home/me/app/c.txt https://corp/c.txt",
        "UV_PRERELEASE": "allow",
        "UV_EXCLUDE_NEWER": "2026-01-01",
        "UV_INSECURE_HOST": "pypi.corp:8080 other",
        "SSL_CERT_FILE": "/ca.pem",
        "SSL_CLIENT_CERT": "/me.pem",
        "HTTP_PROXY": "http://proxy.corp:3128",
        "HTTPS_PROXY": "http://proxy.corp:3128",
        "ALL_PROXY": "http://proxy.corp:3128",
        "UV_KEYRING_PROVIDER": "subprocess",
    }
    assert found["https_proxy"] == "http://proxy.corp:3128"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"REQUESTS_CA_BUNDLE": "/ca.pem", "CURL_CA_BUNDLE": "/other.pem"}, "/ca.pem"),
        ({"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "/ca.pem"}, "/ca.pem"),
        ({"REQUESTS_CA_BUNDLE": "/other.pem", "PIP_CERT": "/ca.pem"}, "/ca.pem"),
        ({"REQUESTS_CA_BUNDLE": "/other.pem", "SSL_CERT_FILE": "/ca.pem"}, "/ca.pem"),
    ],
)
def test_authorities_that_pip_trusts_by_variables_of_its_library_are_trusted(
    environ: dict[str, str], expected: str
) -> None:
    found = variables(environ, {"/ca.pem": "certificate", "/other.pem": "certificate"})

    assert found == {"SSL_CERT_FILE": expected}


def test_a_configuration_that_pip_cannot_read_is_an_error_not_the_public_index() -> None:
    with pytest.raises(LockError, match="PIP_CONFIG_FILE=/dev/null") as caught:
        settings({}, {"/etc/pip.conf": "index-url = https://me:secret@corp/simple\n"})

    assert "/etc/pip.conf" in caught.value.details
    assert "secret" not in str(caught.value)


def test_a_chosen_file_keeps_pip_from_the_users_files() -> None:
    files = {"/chosen.conf": "[global]\ntimeout = 3\n", "/home/me/.config/pip/pip.conf": conf("user")}

    assert variables({"HOME": "/home/me", "PIP_CONFIG_FILE": "/chosen.conf"}, files)["UV_HTTP_TIMEOUT"] == "3"
    assert "UV_DEFAULT_INDEX" not in variables({"HOME": "/home/me", "PIP_CONFIG_FILE": "/chosen.conf"}, files)
    assert "UV_DEFAULT_INDEX" in variables({"HOME": "/home/me", "PIP_CONFIG_FILE": "/gone.conf"}, files)


def test_an_index_url_is_asked_before_the_others_and_the_public_index_only_without_one() -> None:
    more = {"PIP_EXTRA_INDEX_URL": "https://a/ https://b/"}

    both, alone = settings(more | {"PIP_INDEX_URL": "https://corp/"}), settings(more)

    assert (both.environ["UV_INDEX"], both.environ["UV_DEFAULT_INDEX"]) == ("https://corp/ https://a/", "https://b/")
    assert both.order == ("https://corp/", "https://a/", "https://b/")
    assert "UV_DEFAULT_INDEX" not in alone.environ
    assert alone.order == ("https://a/", "https://b/", "")
    assert both.is_chosen_by_pip


@pytest.mark.parametrize("variable", ["UV_INDEX", "UV_INDEX_STRATEGY"])
def test_who_gives_uv_indexes_or_a_strategy_knows_its_rules(variable: str) -> None:
    assert not settings({"PIP_EXTRA_INDEX_URL": "https://a/", variable: "first-index"}).is_chosen_by_pip
