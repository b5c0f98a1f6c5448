"""A third package family is one folder and one entry of the registry: nothing else of venvpkg knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from differential.makers import python_project
from differential.toyfamily import TOY
from venvpkg.api import Options, build, examine, explain, inspect, plan, read_project, rebuild, record_path
from venvpkg.families import registry
from venvpkg.model.wheels import Action

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvpkg.model.project import Project


@pytest.fixture(autouse=True)
def _toys_first() -> Iterator[None]:
    """This machine's packages are toys, as long as a test runs."""
    known = dict(registry.FAMILIES)
    registry.FAMILIES.clear()
    registry.FAMILIES.update({"toy": TOY} | known)
    yield
    registry.FAMILIES.clear()
    registry.FAMILIES.update(known)


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return read_project(python_project(tmp_path / "app", "app"))


@pytest.fixture(name="options")
def _options(tmp_path: Path) -> Options:
    return Options(out=tmp_path / "dist", wheelhouse=tmp_path / "wheelhouse", cache=tmp_path / "cache", offline=True)


def test_its_packages_are_planned_built_explained_inspected_and_rebuilt(
    project: Project, options: Options, tmp_path: Path
) -> None:
    events: list[object] = []

    planned = plan(project, options)
    (package,) = build(project, options, on_event=lambda event: events.append(event["event"]))
    again = rebuild(record_path(package.path), tmp_path / "app", options)

    assert [each.action for each in planned.wheels] == [Action.COMPILE]
    assert package.path.name == "app-1.0.toy64.toy"
    assert package.path.read_bytes().startswith(TOY.magic)
    assert again.sha256 == package.sha256
    assert "toy(python3." in explain(package.path)
    found = inspect(package.path)
    assert dict(found.fields)["Colour"] == "red"
    assert {each.name for each in found.distributions} == {"app"}
    assert "step" in events


def test_what_a_target_lacks_is_installed_in_its_own_words(project: Project, options: Options) -> None:
    found = examine(project, options)

    assert (found.target.family, found.target.architecture) == ("toy", "toy64")
    assert found.missing == ()
