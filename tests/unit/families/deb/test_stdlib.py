"""Which package has a part of the standard library, by dpkg, by apt-file, and where neither knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.fakes import RecordingReporter
from unit.families.deb.dpkg import PYTHON, VERSIONS, Dpkg, database
from unit.linking.builder import Elf
from unit.places import Dirs
from unit.samples import on_target
from venvpkg.families.deb.dependencies import derive_dependencies
from venvpkg.host.command import NOT_FOUND, Command, Completed
from venvpkg.model.project import Settings
from venvpkg.model.staged import InstalledDistribution

if TYPE_CHECKING:
    from venvpkg.model.depends import DependencySet

SITE = "/opt/venvs/app/lib/python3.11/site-packages"
LIBRARY = "/usr/lib/python3.11"


@dataclass
class Machine(Dpkg):
    """A dpkg-query, and an apt-file that may be there."""

    indexed: str | None = None

    def run(self, command: Command) -> Completed:
        if command.argv[0] != "apt-file":
            return super().run(command)
        return Completed(NOT_FOUND) if self.indexed is None else Completed(0, self.indexed.encode())


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    made = Dirs.below(tmp_path)
    database(made)
    return made


def depends(
    places: Dirs, source: str, *declared: str, installed: tuple[tuple[str, str], ...] = (), indexed: str | None = None
) -> DependencySet:
    for path, _ in installed:
        places.text(path, "")
    files = {"app.py": source, "app-1.0.dist-info/entry_points.txt": "[console_scripts]\napp = app:main\n"}
    for name, content in files.items():
        file = places.destdir / f"{SITE}/{name}"[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    distribution = InstalledDistribution("app", "1.0", "", tuple(PurePosixPath(SITE, each) for each in files))
    machine = Machine(PYTHON | dict(installed), VERSIONS, indexed=indexed)
    return derive_dependencies(
        places.scan(),
        places.staged([distribution]),
        Settings(depends=declared),
        on_target(places.target(), machine, RecordingReporter()),
    )


def names(found: DependencySet) -> tuple[str, ...]:
    return tuple(each for each in found.relations() if not each.startswith("python3.11 "))


def test_the_package_of_an_installed_module_is_dpkgs_answer(places: Dirs) -> None:
    found = depends(places, "import tkinter\n", installed=((f"{LIBRARY}/tkinter/__init__.py", "own-tk"),))

    assert names(found) == ("own-tk",)
    assert found.dependencies[0].evidence[0].module == "tkinter"


def test_what_comes_with_the_interpreter_is_no_dependency(places: Dirs) -> None:
    part = (f"{LIBRARY}/distutils/version.py", "libpython3.11-stdlib:amd64")

    assert names(depends(places, "import distutils.version\n", installed=(part,))) == ()


def test_apt_file_knows_what_is_not_installed(places: Dirs) -> None:
    index = f"their-tk: {LIBRARY}/tkinter/__init__.py\n"

    assert names(depends(places, "import tkinter\n", indexed=index)) == ("their-tk",)


@pytest.mark.parametrize(
    ("source", "package"),
    [
        ("from tkinter import ttk", "python3-tk"),
        ("import dbm.gnu", "python3-gdbm"),
        ("import turtle", "python3-tk"),
        ("from distutils.core import setup", "python3-distutils"),
        ("import ensurepip", "python3.11-venv"),
    ],
)
def test_where_neither_knows_debians_own_names_stand(places: Dirs, source: str, package: str) -> None:
    assert names(depends(places, f"{source}\n")) == (package,)


def test_what_need_not_happen_is_recommended_with_a_warning(places: Dirs) -> None:
    found = depends(places, "def main():\n    import tkinter\n")

    assert (names(found), [each.relation for each in found.recommends]) == ((), ["python3-tk"])
    (warning,) = found.warnings
    assert f"python3-tk is recommended, for tkinter in {SITE}/app.py" in warning


@pytest.mark.parametrize("declared", ["!python3-tk", "python3-tk"])
def test_a_recommendation_is_left_out_or_made_a_dependency_by_the_user(places: Dirs, declared: str) -> None:
    found = depends(places, "def main():\n    import tkinter\n", "$auto", declared)

    assert (found.recommends, found.warnings) == ((), ())
    assert names(found) == (() if declared[0] == "!" else ("python3-tk",))


def test_a_dependency_is_left_out_by_the_user(places: Dirs) -> None:
    found = depends(places, "import tkinter\n", "$auto", "!python3-tk")

    assert names(found) == ()
    assert [each.what for each in found.exclusions] == ["python3-tk"]


def test_of_pypy_only_tk_is_in_a_package_of_its_own(places: Dirs) -> None:
    here = places.target()
    pypy = replace(
        here.interpreter, path=PurePosixPath("/usr/bin/pypy3.9"), version=(3, 9, 16), identity="its own",
        marker_environment={"implementation_name": "pypy", "implementation_version": "7.3.11"},
    )  # fmt: skip
    places.system("/usr/bin/pypy3.9", Elf())
    site = PurePosixPath("/opt/venvs/app/lib/pypy3.9/site-packages")
    for name, source in {
        "app.py": "import turtle, dbm.gnu, distutils\n",
        "app-1.0.dist-info/entry_points.txt": "[console_scripts]\napp = app:main\n",
    }.items():
        file = places.destdir / str(site / name)[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    files = (site / "app.py", site / "app-1.0.dist-info/entry_points.txt")
    staged = places.staged([InstalledDistribution("app", "1.0", "", files)])
    machine = Machine({"/usr/bin/pypy3.9": "pypy3"}, {"pypy3": "7.3.11+dfsg-2"})

    found = derive_dependencies(
        places.scan(), staged, Settings(), on_target(replace(here, interpreter=pypy), machine, RecordingReporter())
    )

    assert found.relations() == ("pypy3 (<< 7.3.12~)", "pypy3 (>= 7.3.11)", "pypy3-tk")
