"""A small project for each build backend that compiles; each says where the compiler took its source from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acceptance.cargoregistry import publish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PROJECT = """\
[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.9"
[tool.venvpkg]
maintainer = "A B <a@example.org>"
commands = []
[tool.venvpkg.wheels]
default = "compile"
[build-system]
{build}
"""
_C = """\
#include <Python.h>
static PyObject *where(PyObject *self, PyObject *args) { return PyUnicode_FromString(__FILE__); }
static PyMethodDef methods[] = {{"where", where, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "NAME", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_NAME(void) { return PyModule_Create(&module); }
"""
_CYTHON = {
    "setup.py": "from Cython.Build import cythonize\nfrom setuptools import setup\n"
    "setup(ext_modules=cythonize('NAME.pyx'))\n",
    "NAME.pyx": 'cdef extern from *:\n    const char *FILE "__FILE__"\ndef where():\n    return FILE.decode()\n',
}
_MESON = {
    "meson.build": "project('NAME', 'c')\npython = import('python').find_installation(pure: false)\n"
    "python.extension_module('NAME', 'NAME.c', install: true)\n",
    "NAME.c": _C,
}
_CMAKE = {
    "CMakeLists.txt": "cmake_minimum_required(VERSION 3.20)\nproject(NAME C)\n"
    "find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)\n"
    "python_add_library(NAME MODULE NAME.c WITH_SOABI)\ninstall(TARGETS NAME DESTINATION .)\n",
    "NAME.c": _C,
}
_MATURIN = {
    "Cargo.toml": '[package]\nname = "NAME"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\ngreet = "1"\n',
    "src/main.rs": 'fn main() { println!("{} {}", file!(), greet::place()); }\n',
    "Cargo.lock": """\
version = 3

[[package]]
name = "greet"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "CHECKSUM"

[[package]]
name = "NAME"
version = "1.0.0"
dependencies = [
 "greet",
]
""",
}
_CRATE = {
    "Cargo.toml": '[package]\nname = "greet"\nversion = "1.0.0"\nedition = "2021"\n',
    "src/lib.rs": "pub fn place() -> &'static str { file!() }\n",
}

# Backend → what [build-system] says, files, and what the program says that is built: the paths of its sources.
PROJECTS: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "cython": (
        'requires = ["setuptools>=75", "Cython>=3.1"]\nbuild-backend = "setuptools.build_meta"', _CYTHON, "NAME.c",
    ),
    "meson-python": ('requires = ["meson-python>=0.17"]\nbuild-backend = "mesonpy"', _MESON, "../src/NAME.c"),
    "scikit-build-core": (
        'requires = ["scikit-build-core>=0.11"]\nbuild-backend = "scikit_build_core.build"', _CMAKE,
        "/usr/src/with-scikit-build-core/NAME.c",
    ),
    "maturin": (
        'requires = ["maturin>=1.8,<2"]\nbuild-backend = "maturin"\n[tool.maturin]\nbindings = "bin"', _MATURIN,
        "src/main.rs /usr/src/cargo/crates/greet-1.0.0/src/lib.rs",
    ),
}  # fmt: skip


def name_of(backend: str) -> str:
    """Return the name of a backend's project, which is also its module's or program's."""
    return f"with_{backend.replace('-', '_')}"


def write_project(directory: Path, backend: str, checksum: str = "") -> Path:
    """Write the project of a backend, and return its directory; ``checksum`` is that of the crate it needs."""
    build, files, _ = PROJECTS[backend]
    name = name_of(backend)
    _write(directory, {"pyproject.toml": _PROJECT.format(name=name, build=build)})
    _write(directory, {path.replace("NAME", name): text.replace("NAME", name).replace("CHECKSUM", checksum)
                       for path, text in files.items()})  # fmt: skip
    return directory


def told_by(backend: str) -> str:
    """Return what the program of a backend says."""
    return PROJECTS[backend][2].replace("NAME", name_of(backend))


def publish_crate(registry: Path, url: str) -> str:
    """Put the crate that the maturin project needs into a registry, and return its checksum."""
    crate = registry.parent / "greet"
    _write(crate, _CRATE)
    return publish(crate, registry, url)


def _write(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
