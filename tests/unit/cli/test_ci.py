"""CI jobs are valid by the published schemas of their services, and contain what the user named."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import ruamel.yaml

from unit.golden import golden
from venvpkg.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

RELEASES = ("debian:bullseye", "debian:trixie")
SERVICES = {"github": "github-workflows", "gitlab": "gitlab-ci"}


@pytest.fixture(name="project")
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\n')
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["ci", *arguments]) == 0

    return capsys.readouterr().out


def read(text: str) -> Any:
    return ruamel.yaml.YAML(typ="safe", pure=True).load(text)


def options(*targets: str) -> list[str]:
    return [f"--target={each}" for each in targets]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "arguments",
    [options(*RELEASES), [*options("debian:sid", "fedora:43"), "--targets-file=packaging/targets.toml", "borg==1"]],
)
def test_the_job_is_valid_by_the_services_schema(
    service: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    schemas = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / f"{SERVICES[service]}.json").read_text())

    job = read(printed(capsys, service, *arguments))

    jsonschema.validators.validator_for(schema)(schema).validate(job)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("service", SERVICES)
def test_the_job_of_a_project_with_two_releases(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, service, *options(*RELEASES))

    assert golden(f"ci/{service}.yml", text) == text


@pytest.mark.usefixtures("project")
def test_each_release_is_a_row_with_a_name_that_keys_and_artifacts_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    job = read(printed(capsys, "github", *options(*RELEASES)))["jobs"]["package"]

    assert job["strategy"]["matrix"]["include"] == [
        {"target": "debian:bullseye", "name": "debian-bullseye"},
        {"target": "debian:trixie", "name": "debian-trixie"},
    ]


@pytest.mark.usefixtures("project")
def test_what_is_kept_of_one_release_is_never_taken_for_another(capsys: pytest.CaptureFixture[str]) -> None:
    job = read(printed(capsys, "github", *options(*RELEASES)))["jobs"]["package"]
    rows = job["strategy"]["matrix"]["include"]
    (restored,) = (step["with"] for step in job["steps"] if "cache/restore" in step.get("uses", ""))
    (saved,) = (step["with"] for step in job["steps"] if "cache/save" in step.get("uses", ""))

    beginnings = [restored["restore-keys"].replace("${{ matrix.name }}", row["name"]) for row in rows]
    keys = [saved["key"].replace("${{ matrix.name }}", row["name"]) for row in rows]

    assert restored["path"] == saved["path"]
    assert [[key.startswith(each) for each in beginnings] for key in keys] == [[True, False], [False, True]]
    assert {beginning[-1] for beginning in beginnings} == {"_"}
    assert all(re.fullmatch(r"[a-z0-9-]+", row["name"]) for row in rows)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("service", SERVICES)
def test_the_releases_may_be_those_of_the_configuration(
    service: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\n[tool.venvpkg]\nci-targets = ["debian:bullseye", "debian:trixie"]\n'
    )

    assert printed(capsys, service) == printed(capsys, service, *options(*RELEASES))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("lock", ["pylock.toml", "uv.lock"])
def test_a_job_of_a_project_with_a_lock_insists_on_it(
    service: str, lock: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without = printed(capsys, service, *options(*RELEASES))
    (project / lock).touch()

    assert "venvpkg build --locked " in printed(capsys, service, *options(*RELEASES))
    assert "venvpkg build --locked " not in without


@pytest.mark.parametrize("service", SERVICES)
def test_what_the_user_names_is_text_in_the_job(
    service: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = "a 'b' \"c\": #d/ü"
    (project / odd).mkdir(parents=True)
    (project / odd / "pyproject.toml").write_text('[project]\nname = "app"\n')

    text = printed(capsys, service, *options("debian:sid"), f"{odd}/")

    job = read(text)
    variables = job["jobs"]["package"]["env"] if service == "github" else job["package"]["variables"]
    assert variables["PROJECT"] == f"{odd}/"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "ci-targets"),
        (options("host"), "releases that venvpkg bootstraps"),
        (options("debian:trixie", "fedora:43"), "--targets-file"),
        (options("debian"), "is not a valid target"),
        ([*options("fedora:43"), "--targets-file=/etc/targets.toml"], "inside the repository"),
        ([*options("fedora:43"), "--targets-file=../targets.toml"], "inside the repository"),
        ([*options("debian:sid"), "--requirement=x\n- y"], "printed"),
        ([*options("debian:sid"), "${{ secrets.token }}"], "'$'"),
    ],
)
def test_options_without_a_usable_job_are_refused(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ci", "gitlab", *arguments]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert expected in captured.err
