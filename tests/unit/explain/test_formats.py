"""The drawings say what the text says, and nothing from a record becomes markup."""

from __future__ import annotations

import shlex
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import PurePosixPath

import pytest

from venvpkg.errors import NotAPackageError
from venvpkg.explain.formats import OutputFormat, render_dependencies
from venvpkg.explain.graph import Column, dependency_graph
from venvpkg.explain.layout import layout, shorten
from venvpkg.model.depends import Dependency, DependencySet, Evidence, Exclusion, Source

SITE = "/opt/venvs/app/lib/python3.11/site-packages"
HOSTILE = "</title><script>alert('\"&\\N')</script>"


def need(soname: str, package: str, file: str, distribution: str | None, symbol: str | None = None) -> Evidence:
    library = PurePosixPath(f"/lib/x86_64-linux-gnu/{soname}")
    return Evidence(Source.SYMBOLS, soname, PurePosixPath(file), distribution, "2.34", symbol, library, package)


def module(path: str) -> str:
    return f"{SITE}/{path}.cpython-311-x86_64-linux-gnu.so"


SET = DependencySet(
    (
        Dependency(
            "libc6 (>= 2.34)",
            (
                need("libc.so.6", "libc6:amd64", module("lxml/etree"), "lxml", "memcpy@GLIBC_2.14"),
                need("libc.so.6", "libc6:amd64", module("psycopg2/_psycopg"), "psycopg2"),
                need("libc.so.6", "libc6:amd64", "/opt/venvs/app/own.so", None),
            ),
        ),
        Dependency("libxml2", (need("libxml2.so.2", "libxml2:amd64", module("lxml/etree"), "lxml"),)),
        Dependency("postgresql-client", (Evidence(Source.USER),)),
        Dependency(
            "python3.11",
            (
                Evidence(
                    Source.INTERPRETER,
                    needed_by=PurePosixPath("/opt/venvs/app/bin/python"),
                    library=PurePosixPath("/usr/bin/python3.11"),
                    owner="python3.11-minimal",
                ),
            ),
        ),
    ),
    ("a search path leads nowhere",),
)


class Reader(HTMLParser):
    """Collects elements and text as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def labels(column: Column) -> list[str]:
    return [node.label for node in dependency_graph(SET).column(column)]


def test_the_graph_has_each_thing_once_in_its_column() -> None:
    assert labels(Column.PACKAGE) == ["libc6 (>= 2.34)", "libxml2", "postgresql-client", "python3.11"]
    assert labels(Column.SONAME) == ["python3.11", "libc.so.6", "libxml2.so.2", "declared by hand"]
    assert labels(Column.FILE) == ["bin/python", "lxml/etree.so", "psycopg2/_psycopg.so", "app/own.so"]
    assert labels(Column.DISTRIBUTION) == ["lxml", "psycopg2"]


def test_a_link_tells_the_floor_and_the_symbol() -> None:
    links = {(link.left.label, link.right.label): link.why for link in dependency_graph(SET).links}

    assert links["libc.so.6", "lxml/etree.so"] == ">= 2.34, memcpy@GLIBC_2.14"
    assert links["libxml2", "libxml2.so.2"] == "symbols"


def test_no_node_is_drawn_upon_another_and_none_outside() -> None:
    graph = dependency_graph(SET)

    placed = layout(graph)

    for column in Column:
        boxes = sorted((placed.boxes[node] for node in graph.column(column)), key=lambda box: box.y)
        assert all(upper.y + upper.height <= lower.y for upper, lower in pairwise(boxes))
        assert all(box.y >= 0 and box.y + box.height <= placed.height for box in boxes)
        assert all(box.x + box.width <= placed.width for box in boxes)


def test_a_thousand_files_are_laid_out_in_order() -> None:
    files = tuple(need("libc.so.6", "libc6", module(f"m{number:04}"), "m") for number in range(1000))
    graph = dependency_graph(DependencySet((Dependency("libc6", files),)))

    boxes = layout(graph).boxes

    ordered = sorted(graph.column(Column.FILE), key=lambda node: boxes[node].y)
    assert [node.label for node in ordered] == [f"m{number:04}.so" for number in range(1000)]


def test_a_long_name_keeps_both_its_ends() -> None:
    assert shorten("a" * 30 + "b" * 30, 11) == "aaaa…bbbbbb"
    assert shorten("short", 11) == "short"


def test_the_page_has_a_drawing_the_evidence_and_the_warnings() -> None:
    reader = read(render_dependencies(SET, OutputFormat.HTML, "app_1_amd64.deb"))

    said = " ".join(reader.texts)
    nodes = [attrs for tag, attrs in reader.elements if tag == "g" and "node" in str(attrs.get("class"))]
    assert len(nodes) == len(dependency_graph(SET).nodes)
    for expected in ("app_1_amd64.deb", "memcpy@GLIBC_2.14", "a search path leads nowhere", "declared by hand"):
        assert expected in said


def test_every_link_of_the_drawing_names_two_nodes_of_it() -> None:
    reader = read(render_dependencies(SET, OutputFormat.HTML, "app"))

    ids = {attrs["id"] for _, attrs in reader.elements if "id" in attrs}
    ends = [attrs[side] for _, attrs in reader.elements for side in ("data-left", "data-right") if side in attrs]
    assert len(ends) == 2 * len(dependency_graph(SET).links)
    assert set(ends) <= ids


def test_the_page_loads_nothing() -> None:
    reader = read(render_dependencies(SET, OutputFormat.HTML, "app"))

    assert not {"img", "link", "iframe", "object", "embed", "base"} & {tag for tag, _ in reader.elements}
    assert not [attrs for _, attrs in reader.elements if {"src", "href", "xlink:href"} & attrs.keys()]
    assert any("default-src 'none'" in str(attrs.get("content")) for _, attrs in reader.elements)


def hostile() -> DependencySet:
    evidence = Evidence(
        Source.SYMBOLS, HOSTILE, PurePosixPath(f"/{HOSTILE}\udcff"), HOSTILE, HOSTILE, HOSTILE,
        PurePosixPath(f"/{HOSTILE}"), HOSTILE,
    )  # fmt: skip
    return DependencySet((Dependency(HOSTILE, (evidence,)),), (HOSTILE,), (Exclusion(HOSTILE, HOSTILE, (evidence,)),))


def test_nothing_from_a_record_becomes_an_element_of_the_page() -> None:
    clean = read(
        render_dependencies(
            DependencySet((Dependency("x", hostile().dependencies[0].evidence),)), OutputFormat.HTML, "x"
        )
    )

    reader = read(render_dependencies(hostile(), OutputFormat.HTML, HOSTILE))

    scripts = [tag for tag, _ in reader.elements if tag == "script"]
    assert scripts == ["script"] == [tag for tag, _ in clean.elements if tag == "script"]
    assert HOSTILE in "".join(reader.texts)


def test_nothing_from_a_record_ends_a_string_of_the_dot_graph() -> None:
    text = render_dependencies(hostile(), OutputFormat.DOT, HOSTILE)

    strings = shlex.split(text.splitlines()[0])
    assert strings == ["digraph", HOSTILE, "{"]
    assert "\\\\N" in text
    text.encode("utf-8")


def test_the_dot_graph_has_every_node_and_link() -> None:
    text = render_dependencies(SET, OutputFormat.DOT, "app")

    graph = dependency_graph(SET)
    assert text.count("label=") == len(graph.nodes)
    assert text.count(" -> ") == len(graph.links)
    assert 'label="libxml2.so.2\\n/lib/x86_64-linux-gnu/libxml2.so.2 of libxml2:amd64"' in text


@pytest.mark.parametrize("output_format", list(OutputFormat))
def test_every_form_can_be_of_one_package(output_format: OutputFormat) -> None:
    text = render_dependencies(SET, output_format, "app", "libxml2")

    assert "libxml2" in text
    assert "libc6" not in text
    with pytest.raises(NotAPackageError):
        render_dependencies(SET, output_format, "app", "libssl3")


def test_a_package_without_dependencies_has_a_page_too() -> None:
    assert "It depends on nothing." in render_dependencies(DependencySet(), OutputFormat.HTML, "app")
    assert "->" not in render_dependencies(DependencySet(), OutputFormat.DOT, "app")


def test_what_the_user_left_out_is_drawn_as_that_with_his_reason() -> None:
    left_out = Exclusion(
        "libcuda.so.1", "comes with the driver", (need("libcuda.so.1", "x", "/opt/venvs/app/a.so", "t"),)
    )
    dependencies = DependencySet(exclusions=(left_out,))

    reader = read(render_dependencies(dependencies, OutputFormat.HTML, "app"))

    assert [attrs for _, attrs in reader.elements if "out" in str(attrs.get("class")).split()]
    assert "The user's reason: comes with the driver" in reader.texts
    assert "style=dashed" in render_dependencies(dependencies, OutputFormat.DOT, "app")
