"""The name of a project without the table ``[project]``; the rest of its metadata comes from its build backend."""

from __future__ import annotations

import ast
import configparser
from typing import TYPE_CHECKING

from venvpkg.host.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


# These files are written by hand.
_LARGEST = 4 * 2**20


def is_project(directory: Path) -> bool:
    """Whether pip would build what is in ``directory``."""
    return any((directory / name).is_file() for name in ("pyproject.toml", "setup.py"))


def find_legacy_name(document: Mapping[str, object], directory: Path) -> object:
    """Return the name from poetry's table, from setuptools' setup.cfg, or from a setup.py that has it as text.

    A setup.py is parsed and never run.
    """
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    if isinstance(poetry, dict):
        return poetry.get("name")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(directory / "setup.cfg"))
    except configparser.Error:
        return None
    return parser.get("metadata", "name", fallback=None) or _name_in_setup_py(_read(directory / "setup.py"))


def _read(path: Path) -> str:
    try:
        return read_regular(path, _LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _name_in_setup_py(text: str) -> str | None:
    """Return the argument ``name`` of the call of ``setup``, also if it is a name with that text in the file."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    texts: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            texts |= {each.id: node.value.value for each in node.targets if isinstance(each, ast.Name)}
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) != "setup":
            continue
        for argument in node.keywords if isinstance(node, ast.Call) else ():
            if argument.arg == "name" and isinstance(argument.value, ast.Constant):
                return argument.value.value if isinstance(argument.value.value, str) else None
            if argument.arg == "name" and isinstance(argument.value, ast.Name):
                return texts.get(argument.value.id)
    return None
