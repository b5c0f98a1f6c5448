"""What the documents for contributors say is so: drawings and tables are made from the code, names exist."""

from __future__ import annotations

import inspect
import re
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from architecture import (
    CHECKOUT,
    drawing,
    entry_table,
    layer_table,
    layers,
    protocol_table,
    with_parts,
    without_detours,
)
from unit.golden import golden
from venvpkg import pipeline
from venvpkg.console.events import VERSION
from venvpkg.explain.evidence import SCHEMA as EVIDENCE_SCHEMA
from venvpkg.lock import venvpkg_lock
from venvpkg.record.file import SCHEMA as RECORD_SCHEMA
from venvpkg.wheelhouse.entry import FORMAT as ENTRY_FORMAT
from venvpkg.wheelhouse.key import RECIPE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DOCS = CHECKOUT / "docs"
ARCHITECTURE = DOCS / "development" / "architecture.md"
PAGES = sorted(
    [
        *(DOCS / "development").glob("*.md"),
        *(DOCS / "reference").glob("*.md"),
        *CHECKOUT.glob("*.md"),
        CHECKOUT / "tests" / "README.md",
    ]
)
MADE: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "architecture.md": {"layers": layer_table, "imports": drawing},
    "adding-a-family.md": {
        "entry": entry_table,
        **{name: partial(protocol_table, name) for name in ("BuildHost", "PackageFormat", "Bootstrapper")},
    },
}
# A reader's own files and those on a target have names like ours; these pages name ours.
OF_THE_CODE = [*(DOCS / "development").glob("*.md"), *CHECKOUT.glob("[CS]*.md"), CHECKOUT / "tests" / "README.md"]
# Where a page may start from when it names a file.
STARTS = (CHECKOUT, CHECKOUT / "src" / "venvpkg", CHECKOUT / "tests", DOCS)
# `families/deb/read.py`, `tests/unit/`; not `NAME-templates/`, nor a pattern.
NAMED = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+\.(?:py|md|toml|json|sh|j2))?)`")


@pytest.mark.parametrize("page", MADE)
def test_what_a_page_shows_of_the_code_is_made_from_the_code(page: str) -> None:
    expected = with_parts((DOCS / "development" / page).read_text(), MADE[page])

    assert golden(f"../../docs/development/{page}", expected) == expected


@pytest.mark.parametrize("page", sorted(OF_THE_CODE), ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = [name for name in NAMED.findall(page.read_text()) if "NAME" not in name]

    assert [name for name in named if not any((start / name).exists() for start in STARTS)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_walk_finds_in_each_file_what_leads_to_the_next() -> None:
    walk = ARCHITECTURE.read_text().partition("\n## A walk\n")[2]
    rows = re.findall(r"^\| \d \| `([\w./]+)` \| `(.+?)`", walk, re.MULTILINE)

    assert 0 < len(rows) <= 5
    for file, seen in rows:
        assert seen in (CHECKOUT / "src" / "venvpkg" / file).read_text(), file


def test_the_stages_are_in_the_order_of_the_pipeline_and_none_is_missing() -> None:
    table = ARCHITECTURE.read_text().partition("\n## The pipeline\n")[2].partition("\n## ")[0]
    stages = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    source = inspect.getsource(pipeline.build)

    assert stages[0] == "read_project"
    assert sorted(stages[1:], key=lambda name: source.index(f"{name}(")) == stages[1:]
    own = {name for name, each in vars(pipeline).items() if inspect.isfunction(each) and f" {name}(" in source}
    assert own - {"build_context", "source_date_epoch", "build"} == set(stages[1:])


def test_the_page_about_stability_has_the_versions_of_all_formats() -> None:
    text = (DOCS / "reference" / "stability.md").read_text()

    for each in (
        f"`version`: {VERSION}",
        f"`{RECORD_SCHEMA}`",
        f"`{EVIDENCE_SCHEMA}`",
        f"`version`: {venvpkg_lock._VERSION}",  # noqa: SLF001 - the number that the file has
        f"`format`: {ENTRY_FORMAT}",
        f"`recipe`: {RECIPE}",
    ):
        assert each in text


def test_a_layer_is_above_all_that_it_imports() -> None:
    names = [name for layer in layers() for name in layer]

    assert len(names) == len(set(names))
    assert names.index("cli") < names.index("api") < names.index("pipeline") < names.index("families.deb")
    assert names[-1] == "model"


def test_a_drawing_leaves_out_what_a_longer_way_shows() -> None:
    chain = set(pairwise("abcd"))

    assert without_detours(chain | {("a", "d"), ("b", "d")}) == chain
    assert without_detours({("a", "b"), ("c", "b")}) == {("a", "b"), ("c", "b")}
