"""The dependencies of a package as one self-contained HTML page: a drawing and the evidence below it. Pure.

Every element is built as a tree and written by one serialiser, so that nothing from a record can become markup. The
page loads nothing: no script library, no font, no image; its content security policy says so too.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from venvpkg.depends.explain import WHY, floor_of, place_of, without_library
from venvpkg.depends.graph import Column, dependency_graph
from venvpkg.depends.layout import FONT, TOP, fitted, layout
from venvpkg.depends.page_style import SCRIPT, STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvpkg.depends.graph import Graph, Link, Node
    from venvpkg.depends.layout import Box
    from venvpkg.model.depends import DependencySet, Evidence

_TITLES = {
    Column.PACKAGE: ("package", "packages"),
    Column.SONAME: ("needs", "needs"),
    Column.FILE: ("file", "files"),
    Column.DISTRIBUTION: ("distribution", "distributions"),
}
_HEADS = {
    Column.PACKAGE: "Package",
    Column.SONAME: "Library",
    Column.FILE: "File that needs it",
    Column.DISTRIBUTION: "Distribution",
}
_COLOURS = 8
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(dependencies: DependencySet, title: str) -> str:
    """Return an HTML document; the same dependencies give the same one.

    Args:
        dependencies: from a record.
        title: what they are of, such as the file name of a package.
    """
    root = ET.Element("html", lang="en")
    head = _add(root, "head")
    _add(head, "meta", charset="utf-8")
    _add(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    _add(head, "meta", name="viewport", content="width=device-width")
    _add(head, "title", text=f"{title}: dependencies")
    _add(head, "style", text=STYLE)
    body = _add(root, "body")
    _write_body(body, dependencies, title)
    return "<!DOCTYPE html>\n" + ET.tostring(root, encoding="unicode", method="html") + "\n"


def _write_body(body: ET.Element, dependencies: DependencySet, title: str) -> None:
    graph = dependency_graph(dependencies)
    header = _add(body, "header")
    _add(header, "p", {"class": "kind"}, "Dependencies, and why")
    _add(header, "h1", text=title)
    _add(header, "p", {"class": "counts"}, _counts(graph))
    if graph.nodes:
        _draw(_add(body, "figure"), graph)
    else:
        _add(body, "p", text="It depends on nothing.")
    evidence = _add(body, "main")
    for each in dependencies.dependencies:
        section = _add(evidence, "section")
        _add(section, "h2", text=each.relation)
        _reasons(section, each.evidence)
    for left_out in dependencies.exclusions:
        section = _add(evidence, "section")
        _add(section, "h2", text=f"left out: {left_out.what}")
        _add(section, "p", text=f"The user's reason: {left_out.reason}")
        _reasons(section, left_out.evidence)
    if dependencies.warnings:
        warnings = _add(evidence, "section", {"class": "warnings"})
        _add(warnings, "h2", text="Warnings")
        for warning in dependencies.warnings:
            _add(warnings, "p", text=warning)
    _add(body, "script", text=SCRIPT)


def _add(
    parent: ET.Element, tag: str, attributes: Mapping[str, str] | None = None, text: str = "", **more: str
) -> ET.Element:
    clean = {name: _printable(value) for name, value in {**(attributes or {}), **more}.items()}
    child = ET.SubElement(parent, tag, clean)
    if text:
        child.text = _printable(text)
    return child


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _counts(graph: Graph) -> str:
    sizes = {column: len(graph.column(column)) for column in Column}
    parts = [f"{sizes[column]} {_TITLES[column][sizes[column] != 1]}" for column in Column if column != Column.SONAME]
    return " · ".join(parts)


def _draw(figure: ET.Element, graph: Graph) -> None:
    placed = layout(graph)
    size = f"0 0 {placed.width:g} {placed.height:g}"
    svg = _add(figure, "svg", viewBox=size, width=f"{placed.width:g}", height=f"{placed.height:g}", role="img")
    svg.set("aria-label", "Packages, the libraries they are needed for, the files that need them, their distributions")
    for column, x in placed.columns.items():
        if graph.column(column):
            _add(svg, "text", {"class": "head", "x": f"{x:g}", "y": f"{TOP - 22}"}, _HEADS[column])
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    colours = _colours(graph)
    links = _add(svg, "g", {"class": "links"})
    for link in graph.links:
        _draw_link(links, link, placed.boxes, names, colours)
    for node in graph.nodes:
        _draw_node(svg, node, placed.boxes[node], names[node], colours.get(node))


def _colours(graph: Graph) -> dict[Node, int]:
    """Return a number for each package, and the package's for each library; files and distributions have none."""
    found = {node: number % _COLOURS for number, node in enumerate(graph.column(Column.PACKAGE))}
    for link in graph.links:
        if link.left.column is Column.PACKAGE:
            found.setdefault(link.right, found[link.left])
    return found


def _draw_link(
    parent: ET.Element, link: Link, boxes: Mapping[Node, Box], names: Mapping[Node, str], colours: Mapping[Node, int]
) -> None:
    left, right = boxes[link.left], boxes[link.right]
    start, end = left.x + left.width, right.x
    bend = (end - start) / 2
    colour = f"c{colours[link.left]}" if link.left in colours else "plain"
    path = _add(
        parent,
        "path",
        {
            "class": f"link {colour}",
            "d": f"M{start:g} {left.middle:g}C{start + bend:g} {left.middle:g} "
            f"{end - bend:g} {right.middle:g} {end:g} {right.middle:g}",
            "data-left": names[link.left],
            "data-right": names[link.right],
        },
    )
    if link.why:
        _add(path, "title", text=link.why)


def _draw_node(parent: ET.Element, node: Node, box: Box, name: str, colour: int | None) -> None:
    out = " out" if node.is_left_out else ""
    kind = f"node {node.column.name.lower()}{out} {'plain' if colour is None else f'c{colour}'}"
    group = _add(parent, "g", {"class": kind, "id": name, "tabindex": "0"})
    _add(group, "title", text=node.name)
    _add(
        group, "rect", x=f"{box.x:g}", y=f"{box.y:g}", width=f"{box.width:g}", height=f"{box.height:g}", rx="6"
    )  # fmt: skip
    baseline = box.y + (17 if node.detail else box.height / 2 + FONT * 0.35)
    _add(group, "text", {"class": "label", "x": f"{box.x + 12:g}", "y": f"{baseline:g}"}, fitted(node.label))
    if node.detail:
        _add(
            group, "text", {"class": "detail", "x": f"{box.x + 12:g}", "y": f"{box.y + 33:g}"}, fitted(node.detail, 56)
        )


def _reasons(parent: ET.Element, evidence: Sequence[Evidence]) -> None:
    """Write each library, how its floor came about, and a table of the files that need it."""
    for each in evidence:
        if each.soname is None:
            _add(parent, "p", text=f"{without_library(each)}.")
    libraries = sorted(
        (each for each in evidence if each.soname is not None),
        key=lambda each: (each.soname or "", place_of(each), each.source),
    )
    for (soname, place, source), grouped in groupby(
        libraries, key=lambda each: (each.soname or "", place_of(each), each.source)
    ):
        line = _add(parent, "p")
        _add(line, "code", text=soname).tail = _printable(f" {place} ({WHY.get(source, source)})")
        _table(parent, list(grouped))


def _table(parent: ET.Element, evidence: Sequence[Evidence]) -> None:
    frame = _add(parent, "div", {"class": "frame"})
    table = _add(frame, "table")
    head = _add(_add(table, "thead"), "tr")
    for title in ("Lowest version", "Because of", "Distribution", "File"):
        _add(head, "th", text=title)
    rows = _add(table, "tbody")
    for each in evidence:
        row = _add(rows, "tr")
        for cell in _cells(each):
            _add(row, "td", text=cell)


def _cells(evidence: Evidence) -> Iterator[str]:
    yield floor_of(evidence)
    yield evidence.symbol or "the library itself"
    yield evidence.distribution or "-"
    yield str(evidence.needed_by)
