"""What rpm would not accept is told before anything is built, all of it at once."""

from __future__ import annotations

from unit.samples import a_project
from venvpkg.families.rpm.relations import problems
from venvpkg.model.project import Settings, SonameRule


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

    told = "\n".join(problems(a_project(settings)))

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

    assert list(problems(a_project(settings))) == []
