"""What is said of symbols that nothing defines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from unit.linking.builder import Elf, Take
from unit.places import Dirs
from venvpkg.errors import UndefinedSymbolError
from venvpkg.linking.scope import resolve_payload
from venvpkg.model.project import Settings
from venvpkg.model.staged import InstalledDistribution

if TYPE_CHECKING:
    from pathlib import Path

    from venvpkg.linking.loader import Resolution

SITE = "/opt/venvs/app/lib/python3.11/site-packages"
MODULE = f"{SITE}/_x.so"


@pytest.fixture
def places(tmp_path: Path) -> Dirs:
    return Dirs.below(tmp_path)


def resolved(places: Dirs, *allowed: str) -> Resolution:
    owner = InstalledDistribution("pymssql", "2.4.6", "", (PurePosixPath(MODULE),))
    settings = replace(Settings(), undefined_symbols=allowed)
    return resolve_payload(places.scan(), places.staged([owner]), settings, places.target())


def test_every_module_that_cannot_be_imported_is_reported_at_once_with_what_to_do(places: Dirs) -> None:
    for name in ("_x", "_y"):
        hook = Take(f"PyInit_{name}", defined=True)
        places.payload(f"{SITE}/{name}.so", Elf(symbols=(hook, *(Take(f"db_{number}") for number in range(7)))))

    with pytest.raises(UndefinedSymbolError) as caught:
        resolved(places)

    assert caught.value.details.splitlines() == [
        f"  {SITE}/{name}.so: db_0, db_1, db_2, db_3, db_4 and 2 more" for name in ("_x", "_y")
    ]
    assert 'wheels.binary = ["pymssql"]' in caught.value.resolution
    assert 'undefined-symbols = ["db_0"]' in caught.value.resolution


def test_what_the_user_knows_to_be_loaded_first_is_not_reported(places: Dirs) -> None:
    places.payload(MODULE, Elf(symbols=(Take("PyInit__x", defined=True), Take("ap_hook"), Take("apr_pool"))))

    assert resolved(places, "ap_*", "apr_pool").warnings == ()


def test_an_object_that_something_else_may_load_is_only_warned_of(places: Dirs) -> None:
    places.payload(MODULE, Elf(symbols=(Take("ap_hook"),)))
    places.payload(f"{SITE}/_y.so", Elf(symbols=(Take("api"),)))
    places.payload(f"{SITE}/libapi.so", Elf(symbols=(Take("api", defined=True),)))

    assert resolved(places).warnings == (
        f"{MODULE} imports ap_hook, which neither the interpreter nor a needed library defines",
        f"{SITE}/_y.so imports api, which only {SITE}/libapi.so defines: something must load it first",
    )
