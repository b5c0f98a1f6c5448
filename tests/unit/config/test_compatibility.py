"""A site says which platform tags stand for which; what it says wrong is told at once."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from unit.wheelhouse.makers import bookworm
from venvpkg.config.compatibility import FILENAME, read_compatibility
from venvpkg.errors import ConfigurationError
from venvpkg.model.target import Compatibility, TagRule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HERE = "linux_x86_64_debian_12"
UBUNTU = "linux_x86_64_ubuntu_22_04"
CONDA = "linux_x86_64_conda_4"


def write(directory: Path, content: object) -> Path:
    directory.mkdir(exist_ok=True)
    file = directory / FILENAME
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def rules(
    directory: Path, given: Path | None = None, environment: Mapping[str, str] | None = None
) -> dict[str, TagRule]:
    found = read_compatibility(environment or {}, directory / "house", given, machine=directory / "etc")
    return dict(found.rules)


def test_without_any_file_there_is_no_rule(tmp_path: Path) -> None:
    assert rules(tmp_path) == {}


def test_a_later_file_replaces_the_whole_rule_of_a_tag(tmp_path: Path) -> None:
    write(tmp_path / "etc", {HERE: {"build": CONDA, "install": [UBUNTU]}, UBUNTU: {"install": [HERE]}})
    write(tmp_path / "env", {HERE: {"build": UBUNTU}})
    write(tmp_path / "house", {HERE: {"install": [CONDA]}})

    found = rules(tmp_path, environment={"VIRTUAL_ENV": str(tmp_path / "env")})

    assert found == {HERE: TagRule(None, (CONDA,)), UBUNTU: TagRule(None, (HERE,))}


def test_a_given_file_is_read_instead_of_the_wheelhouses_own(tmp_path: Path) -> None:
    write(tmp_path / "house", {HERE: {"install": [CONDA]}})
    given = write(tmp_path / "site", {UBUNTU: {"install": [HERE]}})

    assert rules(tmp_path, given) == {UBUNTU: TagRule(None, (HERE,))}


def test_a_given_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the file does not exist"):
        rules(tmp_path, tmp_path / "nowhere.cfg")


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    wrong = {
        "../x": {},
        HERE: {"instal": [UBUNTU], "build": 3, "install": ["a b", 1]},
        UBUNTU: [],
        CONDA: {"install": HERE},
    }
    write(tmp_path / "house", wrong)

    with pytest.raises(ConfigurationError) as caught:
        rules(tmp_path)

    assert len(caught.value.problems) == 7
    assert any("unknown key 'instal'" in problem for problem in caught.value.problems)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "\x00", "[" * 100_000, '{"a_b": {}, "a_b": {}}', " " * (2 << 20), '{"a": NaN}']
)
def test_a_malformed_file_is_an_error_of_ours(tmp_path: Path, content: str) -> None:
    write(tmp_path / "house", content)

    with pytest.raises(ConfigurationError):
        rules(tmp_path)


def test_a_file_that_cannot_be_read_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "house" / FILENAME).mkdir(parents=True)

    with pytest.raises(ConfigurationError, match="cannot be read"):
        rules(tmp_path)


def test_a_pipe_in_place_of_the_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    os.mkfifo(tmp_path / "house" / FILENAME)

    with pytest.raises(ConfigurationError, match="not a regular file"):
        rules(tmp_path)


def test_a_target_without_rule_stays_as_it_is() -> None:
    assert Compatibility(((UBUNTU, TagRule(CONDA)),)).apply_to(bookworm()) == bookworm()


def test_build_gives_the_targets_wheels_another_tag() -> None:
    target = Compatibility(((HERE, TagRule(CONDA)),)).apply_to(bookworm())

    assert (target.platform_tag, target.accepts) == (CONDA, ())


def test_install_lists_what_serves_too_but_no_rule_leads_to_another() -> None:
    both = Compatibility(((HERE, TagRule(install=(UBUNTU, HERE, UBUNTU))), (UBUNTU, TagRule(install=(CONDA,)))))

    target = both.apply_to(bookworm())

    assert (target.platform_tag, target.accepts) == (HERE, (UBUNTU,))


def test_the_tag_of_the_build_is_not_accepted_loosely() -> None:
    target = Compatibility(((HERE, TagRule(CONDA, (CONDA, UBUNTU))),)).apply_to(bookworm())

    assert (target.platform_tag, target.accepts) == (CONDA, (UBUNTU,))
