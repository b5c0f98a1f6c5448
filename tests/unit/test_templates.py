"""Templates are found in a checkout and in an installation, and lay out without interpreting values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from venvpkg.errors import AssembleError
from venvpkg.templates import render, template_dir

if TYPE_CHECKING:
    from pathlib import Path

CHANGELOG = {"package": "app", "version": "1", "distribution": "x", "entry": "y", "maintainer": "z", "date": "d"}


def test_an_installed_package_carries_its_templates(tmp_path: Path) -> None:
    installed = tmp_path / "lib/venvpkg"
    (installed / "_templates/deb").mkdir(parents=True)

    assert template_dir("deb", installed) == installed / "_templates/deb"


def test_in_a_checkout_they_are_beside_src(tmp_path: Path) -> None:
    (tmp_path / "debian-templates").mkdir()

    assert template_dir("deb", tmp_path / "src/venvpkg") == tmp_path / "debian-templates"


def test_an_installation_without_templates_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssembleError, match="deb templates"):
        template_dir("deb", tmp_path / "lib/venvpkg")


def test_a_template_in_a_value_is_text() -> None:
    hostile = "{{ 7 * 7 }}{% include 'control.j2' %}<b>&"

    assert f"  * {hostile}\n" in render("deb", "changelog.j2", CHANGELOG | {"entry": hostile})


def test_a_value_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AssembleError, match="maintainer"):
        render("deb", "changelog.j2", {key: value for key, value in CHANGELOG.items() if key != "maintainer"})


def test_a_template_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AssembleError, match=r"nothing\.j2"):
        render("deb", "nothing.j2", {})


def test_a_template_of_the_project_is_taken_and_the_others_are_ours(tmp_path: Path) -> None:
    (tmp_path / "changelog.j2").write_text("{{ package }}, {% include '_more' %}")
    (tmp_path / "_more").write_text("and more")

    assert render("deb", "changelog.j2", CHANGELOG, tmp_path) == "app, and more"
    assert render("deb", "control.j2", _Everything(), tmp_path).startswith("Package: ")


class _Everything(dict[str, object]):
    def __init__(self) -> None:
        text = (template_dir("deb") / "control.j2").read_text()
        super().__init__(dict.fromkeys(re.findall(r"{{ (\w+) }}", text), "x"))


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ 1 / 0 }}",
        "{{ package + 1 }}",
        "{% include 'changelog.j2' %}",
        "{% include '../x' %}",
        "{{",
        "{% for _ in range(999999999) %}{% endfor %}",
    ],
)
def test_a_bad_template_of_the_project_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "changelog.j2").write_text(text)

    with pytest.raises(AssembleError, match=r"changelog\.j2 could not be rendered"):
        render("deb", "changelog.j2", CHANGELOG, tmp_path)
