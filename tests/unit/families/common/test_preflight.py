"""What is refused before anything is built is told at once, with the file that has it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from unit.samples import a_project
from venvpkg.errors import ConfigurationError
from venvpkg.families.common.preflight import check_project
from venvpkg.model.project import ProjectFiles, Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_the_family_s_problems_and_templates_that_shadow_none_of_ours_are_told_at_once(tmp_path: Path) -> None:
    # Those of both families are known, for a project may be packaged for both.
    for name in ("control.j2", "package.spec.j2", "copyrigth.j2", "package.spec", "_part.j2"):
        (tmp_path / name).touch()

    with pytest.raises(ConfigurationError) as caught:
        check_project(a_project(), ProjectFiles(templates=tmp_path), ["name: '_' is not a valid package name"])

    assert caught.value.problems == (
        "name: '_' is not a valid package name",
        "templates: copyrigth.j2 overrides no built-in template",
        "templates: package.spec overrides no built-in template",
    )
    assert "/srv/build/checkout/app/pyproject.toml" in caught.value.brief


def test_a_project_without_problems_is_not_refused() -> None:
    check_project(a_project(), ProjectFiles(), [])


def test_a_package_that_nobody_would_answer_for_is_refused_before_it_is_built() -> None:
    anonymous = dataclasses.replace(a_project(), is_anonymous=True, settings=Settings())
    with pytest.raises(ConfigurationError, match="maintainer: not given"):
        check_project(anonymous, ProjectFiles(), [])

    check_project(
        dataclasses.replace(anonymous, settings=Settings(maintainer="Jane <jane@example.org>")), ProjectFiles(), []
    )
