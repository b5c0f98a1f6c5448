"""What rpm would not accept is told before anything is built, all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.samples import a_project, a_staged
from venvpkg.backends.rpm.compose import check, compose
from venvpkg.errors import ConfigurationError
from venvpkg.model.depends import DependencySet
from venvpkg.model.project import Inclusions, Settings, SonameRule

if TYPE_CHECKING:
    from pathlib import Path


def test_every_problem_is_told_at_once() -> None:
    settings = Settings(
        name="no name",
        revision="1-2",
        epoch=2**32,
        depends=("$auto", "!libgone", "a b"),
        recommends=("%{lua:x}",),
        conflicts=("(a or b)",),
        provides=("api >= 2",),
        sonames=(SonameRule("libx.so.1", relation="x ("),),
    )

    with pytest.raises(ConfigurationError) as caught:
        check(a_project(settings))

    told = str(caught.value)
    keys = (
        "name: ",
        "revision: ",
        "epoch: ",
        "depends: 'a b'",
        "recommends: ",
        "conflicts: ",
        "provides: ",
        "sonames.",
    )
    assert [key for key in keys if key not in told] == []
    assert "libgone" not in told


def test_what_rpm_and_debian_take_is_taken() -> None:
    settings = Settings(
        name="App_2", depends=("postgresql (>= 13) | pgcli", "(a if b)"), provides=("api = 2",), breaks=("old < 2",)
    )

    check(a_project(settings))

    spec = compose(a_project(settings), a_staged(), DependencySet(), 0, evidence=b"")
    assert spec.name == "App_2"


def test_a_template_that_shadows_none_of_ours_is_told(tmp_path: Path) -> None:
    for name in ("package.spec.j2", "control.j2", "_part.j2", "package.spec"):
        (tmp_path / name).touch()

    with pytest.raises(ConfigurationError, match="package.spec shadows no template") as caught:
        check(a_project(), Inclusions(templates=tmp_path))

    # A project may be packaged for both families.
    assert "control.j2" not in str(caught.value)
