"""Render the dependencies of a package as a self-contained HTML page: a drawing, and the evidence below it. Pure.

The page is built as a tree of elements and written by one serialiser, so that nothing in the evidence can become
markup. It loads no script library, font or image, and its content security policy forbids it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from venvpkg.explain.graph import Column, dependency_graph
from venvpkg.explain.layout import FONT, TOP, layout, shorten
from venvpkg.explain.text import WHY, floor_of, place_of, without_library

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvpkg.explain.graph import Graph, Link, Node
    from venvpkg.explain.layout import Box
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
    """Return an HTML document; the same dependencies give the same document.

    Args:
        dependencies: from the evidence of a package.
        title: such as the file name of the package.
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
    _add(header, "p", {"class": "counts"}, _count_line(graph))
    if graph.nodes:
        _draw(_add(body, "figure"), graph)
    else:
        _add(body, "p", text="It depends on nothing.")
    evidence = _add(body, "main")
    for each in dependencies.dependencies:
        section = _add(evidence, "section")
        _add(section, "h2", text=each.relation)
        _write_reasons(section, each.evidence)
    for left_out in dependencies.exclusions:
        section = _add(evidence, "section")
        _add(section, "h2", text=f"left out: {left_out.what}")
        _add(section, "p", text=f"The user's reason: {left_out.reason}")
        _write_reasons(section, left_out.evidence)
    if dependencies.warnings:
        warnings = _add(evidence, "section", {"class": "warnings"})
        _add(warnings, "h2", text="Warnings")
        for warning in dependencies.warnings:
            _add(warnings, "p", text=warning)
    _add(body, "script", text=SCRIPT)


def _add(
    parent: ET.Element, tag: str, attributes: Mapping[str, str] | None = None, text: str = "", **more: str
) -> ET.Element:
    clean = {name: _escape_surrogates(value) for name, value in {**(attributes or {}), **more}.items()}
    child = ET.SubElement(parent, tag, clean)
    if text:
        child.text = _escape_surrogates(text)
    return child


def _escape_surrogates(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _count_line(graph: Graph) -> str:
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
    colours = _package_colours(graph)
    links = _add(svg, "g", {"class": "links"})
    for link in graph.links:
        _draw_link(links, link, placed.boxes, names, colours)
    for node in graph.nodes:
        _draw_node(svg, node, placed.boxes[node], names[node], colours.get(node))


def _package_colours(graph: Graph) -> dict[Node, int]:
    """Return the colour number of each package, and of the libraries it is needed for; other nodes have none."""
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
    _add(group, "text", {"class": "label", "x": f"{box.x + 12:g}", "y": f"{baseline:g}"}, shorten(node.label))
    if node.detail:
        _add(
            group, "text", {"class": "detail", "x": f"{box.x + 12:g}", "y": f"{box.y + 33:g}"}, shorten(node.detail, 56)
        )


def _write_reasons(parent: ET.Element, evidence: Sequence[Evidence]) -> None:
    """Write each library, the source of its floor, and a table of the files that need it."""
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
        _add(line, "code", text=soname).tail = _escape_surrogates(f" {place} ({WHY.get(source, source)})")
        _write_table(parent, list(grouped))


def _write_table(parent: ET.Element, evidence: Sequence[Evidence]) -> None:
    frame = _add(parent, "div", {"class": "frame"})
    table = _add(frame, "table")
    head = _add(_add(table, "thead"), "tr")
    for title in ("Lowest version", "Because of", "Distribution", "File"):
        _add(head, "th", text=title)
    rows = _add(table, "tbody")
    for each in evidence:
        row = _add(rows, "tr")
        for cell in _table_cells(each):
            _add(row, "td", text=cell)


def _table_cells(evidence: Evidence) -> Iterator[str]:
    yield floor_of(evidence)
    yield evidence.symbol or "the library itself"
    yield evidence.distribution or "-"
    yield str(evidence.needed_by)


STYLE: Final = """
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1f2430; --dim: #6b7280; --card: #fff; --edge: #d9d6cf;
  --mono: ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace;
  --c0: #2563ab; --c1: #b4532a; --c2: #2f7d4f; --c3: #8b3f92; --c4: #0f7c86; --c5: #a3262f; --c6: #6a6f00;
  --c7: #5a4fcf; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181e; --ink: #e6e4de; --dim: #9aa1ad; --card: #1d222b;
  --edge: #39404d; --c0: #7db2ee; --c1: #eb9a73; --c2: #7fcf9f; --c3: #d597dc; --c4: #6fd0d9; --c5: #f08b92;
  --c6: #cfd35c; --c7: #b0a8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
header, main, figure { max-width: 1380px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 36px; }
.kind { margin: 0; color: var(--dim); font-size: 13px; letter-spacing: .04em; }
h1 { margin: 2px 0 4px; font-size: 25px; line-height: 1.25; overflow-wrap: anywhere; }
.counts { margin: 0; color: var(--dim); }
figure { padding-top: 22px; padding-bottom: 10px; overflow-x: auto; }
svg { display: block; margin-left: -16px; font-family: var(--mono); }
.head { fill: var(--dim); font: 600 12px system-ui, "DejaVu Sans", sans-serif; }
.c0 { --own: var(--c0); } .c1 { --own: var(--c1); } .c2 { --own: var(--c2); } .c3 { --own: var(--c3); }
.c4 { --own: var(--c4); } .c5 { --own: var(--c5); } .c6 { --own: var(--c6); } .c7 { --own: var(--c7); }
.plain { --own: var(--dim); }
.link { fill: none; stroke: var(--own); stroke-width: 1.4; opacity: .55; }
.link.plain { opacity: .4; }
.node { cursor: default; outline: none; }
.node rect { fill: var(--card); stroke: var(--edge); }
.node.package rect { fill: color-mix(in srgb, var(--own) 14%, var(--card)); stroke: var(--own); }
.node.out rect { fill: none; stroke-dasharray: 4 3; }
.node.soname rect { stroke: var(--own); }
.node.distribution rect { fill: color-mix(in srgb, var(--dim) 12%, var(--card)); }
.label { font-size: 13px; fill: var(--ink); }
.package .label { font-weight: 600; }
.detail { font-size: 10.5px; fill: var(--dim); }
.node:focus-visible rect { stroke-width: 2.5; }
svg.chosen .node, svg.chosen .link { opacity: .13; }
svg.chosen .node.on { opacity: 1; }
svg.chosen .link.on { opacity: .95; stroke-width: 2; }
section { margin: 30px 0; }
h2 { margin: 0 0 4px; font: 600 17px/1.4 var(--mono); overflow-wrap: anywhere; }
section p { margin: 4px 0 8px; }
code { font: 600 14px var(--mono); }
.frame { overflow-x: auto; }
table { border-collapse: collapse; font: 12.5px/1.5 var(--mono); }
th { text-align: left; font: 600 12px system-ui, "DejaVu Sans", sans-serif; color: var(--dim); }
th, td { padding: 3px 18px 3px 0; border-bottom: 1px solid var(--edge); white-space: nowrap; vertical-align: top; }
th:nth-child(1) { min-width: 9em; } th:nth-child(2) { min-width: 25em; } th:nth-child(3) { min-width: 9em; }
.warnings h2 { font-family: inherit; }
@media print { figure { overflow: visible; } svg { max-width: 100%; height: auto; } }
"""

# The chosen node, its causes and its consequences stay; the rest of the drawing fades.
SCRIPT: Final = """
(() => {
  const svg = document.querySelector("svg");
  if (!svg) return;
  const links = [...svg.querySelectorAll(".link")];
  const reach = (start, from, to) => {
    const seen = new Set([start]);
    for (const name of seen)
      for (const link of links)
        if (link.dataset[from] === name) { link.classList.add("on"); seen.add(link.dataset[to]); }
    return seen;
  };
  const clear = () => {
    svg.classList.remove("chosen");
    svg.querySelectorAll(".on").forEach(each => each.classList.remove("on"));
  };
  const choose = node => {
    clear();
    svg.classList.add("chosen");
    for (const name of [...reach(node.id, "left", "right"), ...reach(node.id, "right", "left")])
      document.getElementById(name).classList.add("on");
  };
  for (const node of svg.querySelectorAll(".node")) {
    node.addEventListener("pointerenter", () => choose(node));
    node.addEventListener("pointerleave", clear);
    node.addEventListener("focus", () => choose(node));
    node.addEventListener("blur", clear);
  }
})();
"""
