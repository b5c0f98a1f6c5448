"""What a module imports in any case, and what only perhaps."""

from __future__ import annotations

import pytest

from venvpkg.depends.imports import guess_imports, imports_of


def always(source: str, module: str = "app.cli", *, is_package: bool = False) -> set[str]:
    return {each.module for each in imports_of(source.encode(), module, is_package=is_package) if each.always}


def perhaps(source: str) -> set[str]:
    return {each.module for each in imports_of(source.encode(), "app.cli") if not each.always}


@pytest.mark.parametrize(
    "source",
    [
        "import tkinter",
        "import os, tkinter as tk",
        "class A:\n    import tkinter",
        "with open('x'):\n    import tkinter",
        "try:\n    import tkinter\nfinally:\n    pass",
        "try:\n    import tkinter\nexcept KeyError:\n    pass",
        "try:\n    pass\nexcept ImportError:\n    pass\nfinally:\n    import tkinter",
    ],
)
def test_what_runs_when_the_module_is_loaded_always_happens(source: str) -> None:
    assert "tkinter" in always(source)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import tkinter",
        "if x:\n    import tkinter",
        "if x:\n    pass\nelif y:\n    import tkinter",
        "for each in x:\n    import tkinter",
        "match x:\n    case 1:\n        import tkinter",
        "try:\n    import tkinter\nexcept ImportError:\n    pass",
        "try:\n    import tkinter\nexcept (OSError, ModuleNotFoundError):\n    pass",
        "try:\n    import tkinter\nexcept:\n    pass",
        "try:\n    pass\nexcept ImportError:\n    import tkinter",
    ],
)
def test_a_branch_a_function_or_a_caught_failure_need_not_happen(source: str) -> None:
    assert (always(source), perhaps(source)) == (set(), {"tkinter"})


def test_what_is_for_type_checkers_alone_never_happens() -> None:
    assert imports_of(b"if TYPE_CHECKING:\n    import tkinter\n", "app") == ()
    assert imports_of(b"if typing.TYPE_CHECKING:\n    import tkinter\n", "app") == ()


def test_a_name_from_a_module_may_be_a_module() -> None:
    assert always("from tkinter import ttk, Tk") == {"tkinter", "tkinter.Tk", "tkinter.ttk"}
    assert always("from tkinter import *") == {"tkinter"}


def test_relative_imports_are_made_absolute() -> None:
    assert always("from . import gui") == {"app", "app.gui"}
    assert always("from .gui import main", "app", is_package=True) == {"app.gui", "app.gui.main"}
    assert always("from ... import x") == set()


@pytest.mark.parametrize(
    "source", [b"print 'old'", b"\0", b"(" * 100_000, b"# coding: nonsense\nimport tkinter", b"if x:\n" * 300]
)
def test_what_cannot_be_parsed_imports_nothing(source: bytes) -> None:
    assert imports_of(source, "app") == ()


def test_a_very_long_elif_chain_is_no_problem() -> None:
    source = "if x:\n    pass\n" + "elif x:\n    pass\n" * 300 + "else:\n    import tkinter\n"

    assert perhaps(source) == {"tkinter"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b as c, d  # e", {"a.b", "d"}),
        ("from a import (\n    b,\n    c as d,\n)", {"a", "a.b", "a.c"}),
        ("from .a import b", {"app.a", "app.a.b"}),
        ("    import indented", set()),
        ('"""\nimport text\n"""', {"text"}),
    ],
)
def test_a_guess_finds_lines_that_look_like_imports(source: str, expected: set[str]) -> None:
    assert guess_imports(source.encode(), "app.cli") == expected
