"""Which package has a part of the standard library: by the rpmdb, by the repositories, and where neither knows."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.families.rpm.rpm import GLIBC, PYTHON_FILES, Rpm
from unit.places import Dirs
from unit.samples import on_target
from venvpkg.families.rpm.dependencies import derive_dependencies
from venvpkg.model.project import Settings
from venvpkg.model.staged import InstalledDistribution

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.model.depends import DependencySet

SITE = "/opt/venvs/app/lib/python3.11/site-packages"
LIBRARY = "/usr/lib64/python3.11"
OF_PYTHON = ("/usr/bin/python3.11", "python(abi) = 3.11")
UNKNOWN = (
    "no installed package, and none known from the repositories, has the module tkinter: it is assumed to be in"
    " python3-tkinter"
)


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    return Dirs.below(tmp_path)


def depends(  # noqa: PLR0913 - each is one thing that a release can have
    places: Dirs,
    source: str,
    *declared: str,
    files: Mapping[str, str] | None = None,
    repository_files: Mapping[str, str] | None = None,
    python: str = "python3",
    reporter: RecordingReporter | None = None,
) -> DependencySet:
    contents = {"app.py": source, "app-1.0.dist-info/entry_points.txt": "[console_scripts]\napp = app:main\n"}
    for name, content in contents.items():
        file = places.destdir / f"{SITE}/{name}"[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    distribution = InstalledDistribution("app", "1.0", "", tuple(PurePosixPath(SITE, each) for each in contents))
    runner = Rpm(
        {python: ("python(abi) = 3.11",), **GLIBC},
        dict.fromkeys(PYTHON_FILES, python) | dict(files or {}),
        versions={python: "3.11.2-1"},
        repository_files=repository_files or {},
    )
    return derive_dependencies(
        places.scan(),
        places.staged([distribution]),
        Settings(depends=declared),
        on_target(places.target(), runner, reporter or RecordingReporter()),
    )


def names(found: DependencySet) -> tuple[str, ...]:
    return tuple(each for each in found.relations() if each not in OF_PYTHON)


def test_the_package_of_an_installed_module_is_the_rpmdbs_answer(places: Dirs) -> None:
    found = depends(places, "import tkinter.ttk\n", files={f"{LIBRARY}/tkinter/__init__.py": "own-tk"})

    assert names(found) == ("own-tk",)
    assert [each.evidence[0].module for each in found.dependencies if each.relation == "own-tk"] == ["tkinter.ttk"]


def test_what_comes_with_the_interpreter_is_not_required(places: Dirs) -> None:
    found = depends(places, "import tkinter\n", files={f"{LIBRARY}/tkinter/__init__.py": "python3-libs"})

    assert names(found) == ()


def test_the_repositories_know_what_is_not_installed(places: Dirs) -> None:
    reporter = RecordingReporter()
    theirs = {"/usr/lib/python3.11/tkinter/__init__.py": "their-tk"}

    assert names(depends(places, "import tkinter\n", repository_files=theirs, reporter=reporter)) == ("their-tk",)
    assert reporter.warnings == []


def test_where_neither_knows_the_releases_usual_name_stands_with_a_warning(places: Dirs) -> None:
    reporter = RecordingReporter()

    assert names(depends(places, "import tkinter\n", reporter=reporter)) == ("python3-tkinter",)
    assert reporter.warnings == [UNKNOWN]


@pytest.mark.parametrize(
    ("python", "source", "package"),
    [
        ("python3", "from idlelib import run", "python3-idle"),
        ("python3.12", "import turtle", "python3.12-tkinter"),
        ("python311-base", "import turtle", "python311-tk"),
        ("python311-base", "import curses.panel", "python311-curses"),
        ("python311-base", "import dbm.gnu", "python311-dbm"),
        ("python311-base", "import sqlite3", "python311"),
    ],
)
def test_names_are_those_of_the_family_of_releases(places: Dirs, python: str, source: str, package: str) -> None:
    assert names(depends(places, f"{source}\n", python=python)) == (package,)


def test_what_fedora_has_with_the_interpreter_is_not_looked_for_there(places: Dirs) -> None:
    assert names(depends(places, "import curses, sqlite3, dbm.gnu\n")) == ()


def test_what_need_not_happen_is_recommended_with_a_warning(places: Dirs) -> None:
    found = depends(places, "def main():\n    import tkinter\n")

    assert (names(found), [each.relation for each in found.recommends]) == ((), ["python3-tkinter"])
    (warning,) = found.warnings
    assert f"python3-tkinter is recommended, for tkinter in {SITE}/app.py" in warning


@pytest.mark.parametrize("declared", ["!python3-tkinter", "python3-tkinter"])
def test_a_recommendation_is_left_out_or_made_a_requirement_by_the_user(places: Dirs, declared: str) -> None:
    found = depends(places, "def main():\n    import tkinter\n", "$auto", declared)

    assert (found.recommends, found.warnings) == ((), ())
    assert names(found) == (() if declared[0] == "!" else ("python3-tkinter",))
