"""A small project with as much in it as a test needs: a command, a C extension or none, data files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "ringbell"

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=75"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "{version}"
description = "A bell that rings as often as it is told"
requires-python = ">=3.9"
license = "MIT"
authors = [{{ name = "Bell Founders", email = "bells@example.org" }}]
scripts = {{ {name} = "{name}.cli:main" }}

[tool.setuptools]
packages = ["{name}"]
package-data = {{ {name} = ["data/**/*"] }}
{extension}
[tool.venvpkg]
{configuration}
"""
_EXTENSION = """
[[tool.setuptools.ext-modules]]
name = "{name}._bell"
sources = ["{name}/_bell.c"]
"""
_C = """\
#include <Python.h>

/* assert() puts the path of this file into the object. */
#include <assert.h>

static PyObject *
ring(PyObject *self, PyObject *times)
{
    long count = PyLong_AsLong(times);
    assert(self != NULL);
    return PyErr_Occurred() ? NULL : PyUnicode_FromFormat("%ld rings of VERSION", count);
}

static PyMethodDef methods[] = {{"ring", ring, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef bell = {PyModuleDef_HEAD_INIT, "_bell", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__bell(void)
{
    return PyModule_Create(&bell);
}
"""
_PURE = """\
def ring(times):
    return f"{times} rings of VERSION"
"""
_CLI = """\
from ringbell._bell import ring


def main():
    print(ring(3))
"""


def write_project(
    directory: Path,
    version: str = "1.0.0",
    *,
    native: bool = True,
    configuration: str = "",
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write the sources; return ``directory``.

    Args:
        directory: made with its parents.
        version: of the project; its command prints it.
        native: with a C extension, else with a module of the same name.
        configuration: lines of ``[tool.venvpkg]``.
        files: more files of the Python package, by path below it; those below ``data`` need not be modules.
    """
    package = directory / NAME
    package.mkdir(parents=True)
    extension = _EXTENSION.format(name=NAME) if native else ""
    (directory / "pyproject.toml").write_text(
        _PYPROJECT.format(name=NAME, version=version, extension=extension, configuration=configuration)
    )
    (directory / "LICENSE").write_text("MIT License\n\nCopyright (c) 2024 Bell Founders\n\nPermission is granted.\n")
    source, text = ("_bell.c", _C) if native else ("_bell.py", _PURE)
    contents = {"__init__.py": "", "cli.py": _CLI, source: text.replace("VERSION", version), **(files or {})}
    for name, content in contents.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return directory
