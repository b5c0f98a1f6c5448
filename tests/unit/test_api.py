"""The library checks what a caller gives it, as the command line checks its own arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from venvpkg import api
from venvpkg.errors import ConfigurationError, MachineError
from venvpkg.targets.selection import Selection

if TYPE_CHECKING:
    from pathlib import Path


def test_targets_are_text_or_selections_and_each_is_taken_once() -> None:
    options = api.Options(targets=["host", Selection("debian", "trixie"), "debian:trixie"])

    assert options.selections() == (Selection("host"), Selection("debian", "trixie"))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (api.Options(targets="host"), "'host' is text; expected a sequence"),
        (api.Options(targets=[]), "at least one is needed"),
        (api.Options(targets=["moon:tranquility"]), "moon:tranquility"),
        (api.Options(jobs=0), "jobs: 0 is not a positive number"),
    ],
)
def test_options_that_no_command_could_have_are_refused(options: api.Options, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        options.selections()

    assert problem in str(caught.value.details) + str(caught.value)


def test_what_is_for_one_target_refuses_several(tmp_path: Path) -> None:
    project = api.read_project("six==1.16.0")

    with pytest.raises(ConfigurationError, match="expected one target, got 2"):
        api.plan(project, api.Options(targets=["host", "debian:trixie"], cache=tmp_path, wheelhouse=str(tmp_path)))


def test_an_unknown_key_and_a_value_that_is_not_text_are_problems_of_the_configuration() -> None:
    with pytest.raises(ConfigurationError) as caught:
        api.read_project("six==1.16.0", {"no_such_key": "1", "revision": 2})  # type: ignore[dict-item]

    assert "no_such_key: unknown key" in str(caught.value.details)
    assert "revision: 2 is not text" in str(caught.value.details)


def test_an_unknown_format_of_an_explanation_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=re.escape("text, ")):
        api.explain("hello.deb", output_format="pdf")


def test_only_a_build_root_is_a_place_to_run_a_program_in() -> None:
    with pytest.raises(ConfigurationError, match="host is not a build root"):
        api.run_in_build_root(api.parse_selection("host"))


def test_what_the_machine_refuses_is_an_error_of_venvpkg(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(MachineError, match="Not a directory"):
        api.build_roots(api.Options(cache=file)).create(api.parse_selection("debian:trixie"))
