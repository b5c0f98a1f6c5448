"""Imports of the standard library's split-off parts: needed, recommended, or of no concern."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from unit.samples import SITE, a_staged
from venvpkg.depends.stdlib import find_uses
from venvpkg.model.staged import InstalledDistribution

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvpkg.depends.stdlib import Use
    from venvpkg.model.staged import StagedVenv

SCRIPTS = "[console_scripts]\napp = app.cli:main\n\n[other]\nx = app.plugin:x\n"


def staged(destdir: Path, **distributions: Mapping[str, str]) -> StagedVenv:
    made = []
    for name, files in distributions.items():
        for path, text in files.items():
            file = destdir / (SITE / path).relative_to("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        made.append(InstalledDistribution(name, "1.0", "0" * 64, tuple(sorted(SITE / path for path in files))))
    found = a_staged(destdir)
    application = dataclasses.replace(found.application, name="app")
    return dataclasses.replace(found, application=application, distributions=tuple(made))


def uses(destdir: Path, app: Mapping[str, str], **others: Mapping[str, str]) -> tuple[Use, ...]:
    files = {"app/__init__.py": "", "app-1.0.dist-info/entry_points.txt": SCRIPTS, **app}
    return find_uses(staged(destdir, app=files, **others), ("tkinter", "distutils"))


def needed(found: tuple[Use, ...]) -> list[tuple[str, PurePosixPath]]:
    return [(each.imported, each.path.relative_to(SITE)) for each in found if each.always]


def test_what_a_command_always_loads_is_needed_through_any_distribution(tmp_path: Path) -> None:
    found = uses(
        tmp_path,
        {"app/cli.py": "from .work import go\n", "app/work.py": "import pil.image\n"},
        pil={"pil/__init__.py": "", "pil/image.py": "from pil import tk\n", "pil/tk.py": "import tkinter\n"},
    )

    assert needed(found) == [("tkinter", PurePosixPath("pil/tk.py"))]


def test_loading_a_module_loads_the_packages_around_it(tmp_path: Path) -> None:
    found = uses(
        tmp_path,
        {"app/cli.py": "import gui.window\n"},
        gui={"gui/__init__.py": "import tkinter\n", "gui/window.py": ""},
    )

    assert needed(found) == [("tkinter", PurePosixPath("gui/__init__.py"))]


def test_a_module_that_no_command_always_loads_needs_nothing(tmp_path: Path) -> None:
    found = uses(
        tmp_path,
        {"app/cli.py": "def main():\n    import app.gui\n", "app/gui.py": "import tkinter\n"},
        pil={"pil/__init__.py": "", "pil/tk.py": "import tkinter\n"},
    )

    assert needed(found) == []
    assert [(each.path.name, each.own) for each in found] == [("gui.py", True), ("tk.py", False)]


def test_a_text_that_looks_like_an_import_leads_nowhere(tmp_path: Path) -> None:
    found = uses(tmp_path, {"app/cli.py": '"""Try this:\n\nimport app.gui\n"""\n', "app/gui.py": "import tkinter\n"})

    assert needed(found) == []


def test_another_way_is_found_where_the_first_one_was_none(tmp_path: Path) -> None:
    found = uses(
        tmp_path,
        {
            "app/cli.py": '"""\nimport app.gui\n"""\nimport app.real\n',
            "app/real.py": "import app.gui\n",
            "app/gui.py": "import tkinter\n",
        },
    )

    assert needed(found) == [("tkinter", PurePosixPath("app/gui.py"))]


def test_the_applications_tests_are_of_no_concern(tmp_path: Path) -> None:
    assert uses(tmp_path, {"app/cli.py": "", "app/tests/test_gui.py": "import tkinter\n"}) == ()


def test_what_the_payload_has_itself_is_not_the_releases(tmp_path: Path) -> None:
    app = {"app/cli.py": "import tkinter, distutils.core\n"}

    assert uses(tmp_path, app, other={"tkinter/__init__.py": "", "distutils.py": ""}) == ()


def test_setuptools_stands_in_for_distutils(tmp_path: Path) -> None:
    hook = {"distutils-precedence.pth": "", "setuptools/__init__.py": ""}

    assert uses(tmp_path, {"app/cli.py": "import distutils.core\n"}, setuptools=hook) == ()


def test_modules_that_import_each_other_end(tmp_path: Path) -> None:
    found = uses(tmp_path, {"app/cli.py": "import app.b\n", "app/b.py": "import app.cli\nimport tkinter\n"})

    assert needed(found) == [("tkinter", PurePosixPath("app/b.py"))]
