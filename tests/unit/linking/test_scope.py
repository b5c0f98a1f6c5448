"""Symbols that nothing defines where the loader will look, among files that are made to measure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from unit.linking.builder import ET_EXEC, Elf, Take
from unit.places import PYTHON, SYSTEM, Dirs
from venvpkg.linking.loader import resolve_needs
from venvpkg.linking.scope import find_undefined_symbols

if TYPE_CHECKING:
    from pathlib import Path

SITE = "/opt/venvs/app/lib/python3.11/site-packages"
HOOK = Take("PyInit__x", defined=True)
LOADER = "/lib64/ld-linux-x86-64.so.2"


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    """A target whose interpreter defines ``Py_Check``, and whose C library defines ``puts``, of one version."""
    places = Dirs.below(tmp_path)
    places.system("/usr/bin/python3.11", replace(PYTHON, symbols=(Take("Py_Check", defined=True),)))
    places.system(f"{SYSTEM}/libc.so.6", Elf(soname="libc.so.6", symbols=(Take("puts", defined=True),)))
    return places


def undefined(places: Dirs) -> list[tuple[str, str, str | None, bool]]:
    elf, target = places.scan(), places.target()
    target = replace(target, interpreter=replace(target.interpreter, ext_suffix=".cpython-311-x86_64-linux-gnu.so"))
    found = find_undefined_symbols(elf, resolve_needs(elf, places.destdir, target).needs, places.destdir, target)
    return [
        (each.path.name, each.name, each.elsewhere.name if each.elsewhere else None, each.is_certain) for each in found
    ]


def module(*imports: str, needed: tuple[str, ...] = ("libc.so.6",)) -> Elf:
    return Elf(needed=needed, symbols=(HOOK, *map(Take, imports)))


def test_the_interpreter_its_libraries_and_those_of_the_module_define_symbols(places: Dirs) -> None:
    places.system(f"{SYSTEM}/libfoo.so.1", Elf(needed=("libbar.so.1",), soname="libfoo.so.1"))
    places.system(f"{SYSTEM}/libbar.so.1", Elf(soname="libbar.so.1", symbols=(Take("bar", defined=True),)))
    places.payload(f"{SITE}/_x.so", module("Py_Check", "puts", "bar", needed=("libfoo.so.1",)))

    assert undefined(places) == []


def test_an_extension_module_whose_symbol_nothing_defines_cannot_be_imported(places: Dirs) -> None:
    places.payload(f"{SITE}/_x.cpython-311-x86_64-linux-gnu.so", module("puts", "gone"))
    places.payload(f"{SITE}/plugin.so", Elf(symbols=(Take("ap_hook"),)))

    assert undefined(places) == [
        ("_x.cpython-311-x86_64-linux-gnu.so", "gone", None, True),
        ("plugin.so", "ap_hook", None, False),
    ]


def test_a_module_for_another_interpreter_is_never_loaded(places: Dirs) -> None:
    places.payload(f"{SITE}/_x.cpython-39-x86_64-linux-gnu.so", module("_PyGone"))
    places.payload(f"{SITE}/_x.pypy39-pp73-x86_64-linux-gnu.so", module("PyPyGone"))

    assert undefined(places) == []


def test_a_weak_symbol_may_be_undefined(places: Dirs) -> None:
    places.payload(f"{SITE}/_x.so", Elf(symbols=(HOOK, Take("__gmon_start__", weak=True))))

    assert undefined(places) == []


def test_a_library_takes_symbols_from_whatever_loads_it(places: Dirs) -> None:
    loading = Elf(needed=("libplug.so",), runpath="$ORIGIN", symbols=(Take("api", defined=True),))
    places.payload(f"{SITE}/_x.so", loading)
    places.payload(f"{SITE}/libplug.so", Elf(soname="libplug.so", symbols=(Take("api"), Take("Py_Check"))))

    assert undefined(places) == []


def test_what_another_file_of_the_payload_defines_must_be_loaded_first(places: Dirs) -> None:
    places.payload(f"{SITE}/_x.so", module("api"))
    places.payload(f"{SITE}/libapi.so", Elf(soname="libapi.so", symbols=(Take("api", defined=True),)))

    assert undefined(places) == [("_x.so", "api", "libapi.so", False)]


def test_a_missing_library_could_define_anything(places: Dirs) -> None:
    places.payload(f"{SITE}/_x.so", module("gone", needed=("libgone.so.1",)))
    places.system(f"{SYSTEM}/libhalf.so.1", Elf(needed=("libgone.so.1",), soname="libhalf.so.1"))
    places.payload(f"{SITE}/_y.so", module("gone", needed=("libhalf.so.1",)))

    assert undefined(places) == []


def test_a_program_does_not_see_the_interpreter(places: Dirs) -> None:
    places.payload("/opt/venvs/app/bin/server", Elf(interpreter=LOADER, kind=ET_EXEC, symbols=(Take("Py_Check"),)))

    assert undefined(places) == [("server", "Py_Check", None, False)]
