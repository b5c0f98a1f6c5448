"""The first configuration: it changes nothing until uncommented, and then it is good."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from venvpkg.config.project import read_project
from venvpkg.config.settings import read_configuration
from venvpkg.config.starter import Detected, commands_of, require_unconfigured, starter_text, write_starter
from venvpkg.errors import ConfigurationError
from venvpkg.model.project import Settings

if TYPE_CHECKING:
    from pathlib import Path

DETECTED = Detected("guestbook", ("guestbook",), ("lxml", "psycopg2"))
PYPROJECT = '[project]\r\nname = "app"  # mine'


def test_as_it_is_written_it_says_nothing() -> None:
    assert tomllib.loads(starter_text(DETECTED, "")) == {}
    assert tomllib.loads(starter_text(DETECTED, "tool.venvpkg")) == {"tool": {"venvpkg": {}}}


def test_with_every_key_uncommented_it_is_good_and_every_key_is_there() -> None:
    text = re.sub(r"^# (?=\[[a-z]+\]$|[a-z-]+ = )", "", starter_text(DETECTED, ""), flags=re.MULTILINE)

    read = read_configuration(tomllib.loads(text), "", {}, {})

    assert read.problems == ("wheels.prefer-compile: lxml is also in compile", "wheels.binary: lxml is also in compile")
    assert (read.settings.name, read.settings.commands) == ("guestbook", ("guestbook",))
    assert read.settings.sonames != () != read.settings.files


def test_what_was_detected_is_said() -> None:
    assert "Compiled for the release: lxml, psycopg2." in starter_text(DETECTED, "")
    assert "could not be determined: no\n" in starter_text(Detected("a", None, None, "no"), "")


def test_a_default_that_follows_from_the_name_is_said_with_it() -> None:
    assert '# prefix = "/opt/venvs/motd"\n' in starter_text(Detected("motd", (), ()), "")


def test_nothing_from_the_outside_ends_a_comment() -> None:
    text = starter_text(Detected("a", ('x"\nname = 1',), None, "why\nname = 'evil'\x0bx"), "")

    assert tomllib.loads(text) == {}


@pytest.mark.parametrize(
    ("document", "commands"),
    [
        ({"project": {"scripts": {"b": "x", "a": "y"}}}, ("a", "b")),
        ({"project": {}}, ()),
        ({"project": {"dynamic": ["scripts"]}}, None),
        ({"project": {"scripts": 3}}, None),
        ({}, None),
    ],
)
def test_commands_are_those_that_the_metadata_declares(
    document: dict[str, object], commands: tuple[str, ...] | None
) -> None:
    assert commands_of(document) == commands


def test_a_project_keeps_every_byte_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(PYPROJECT.encode())

    written = write_starter(read_project(".", {}, tmp_path), DETECTED)

    assert written == path
    assert path.read_bytes().startswith(PYPROJECT.encode() + b"\n\n[tool.venvpkg]\n")
    assert read_project(".", {}, tmp_path).settings == Settings()


def test_a_requirement_gets_a_file_of_its_own(tmp_path: Path) -> None:
    written = write_starter(read_project("Borgbackup==1.4.5", {}, tmp_path), DETECTED)

    assert written == tmp_path / "venvpkg.borgbackup.toml"
    assert read_project("borgbackup", {}, tmp_path).configuration == written


@pytest.mark.parametrize("name", ["pyproject.toml", "venvpkg.toml"])
def test_a_configuration_that_is_there_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\n')
    with (tmp_path / name).open("a") as file:
        file.write("[tool.venvpkg]\n" if name == "pyproject.toml" else "")
    before = (tmp_path / name).read_bytes()
    project = read_project(".", {}, tmp_path)

    with pytest.raises(ConfigurationError, match="never overwritten"):
        require_unconfigured(project)
    with pytest.raises(ConfigurationError, match="never overwritten"):
        write_starter(project, DETECTED)

    assert (tmp_path / name).read_bytes() == before


def test_a_file_to_which_no_table_can_be_appended_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('tool = { black = {} }\n[project]\nname = "app"\n')

    with pytest.raises(ConfigurationError, match="by hand"):
        write_starter(read_project(".", {}, tmp_path), DETECTED)

    assert path.read_text().startswith("tool = {")
