"""A dependency graph in the DOT language, for graphviz. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.depends.graph import Column

if TYPE_CHECKING:
    from venvpkg.depends.graph import Graph, Node

_SHAPES = {Column.PACKAGE: "box3d", Column.SONAME: "component", Column.FILE: "note", Column.DISTRIBUTION: "folder"}


def dot(graph: Graph, title: str) -> str:
    """Return the graph in the DOT language, left to right, a column for each kind of node.

    Source:
        The DOT Language (graphviz.org/doc/info/lang.html): quoted identifiers; escString for labels and tooltips.
    """
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = [
        f"digraph {_quoted(title)} {{",
        "  rankdir=LR; ranksep=1.2; nodesep=0.15;",
        '  node [fontname="sans-serif", fontsize=11]; edge [color="#8888aa", arrowsize=0.6];',
    ]
    for column in Column:
        members = graph.column(column)
        if members:
            lines.append(f"  {{ rank=same; node [shape={_SHAPES[column]}];")
            lines += [f"    {names[node]} [{_attributes(node)}];" for node in members]
            lines.append("  }")
    lines += [f"  {names[link.left]} -> {names[link.right]} [tooltip={_quoted(link.why)}];" for link in graph.links]
    return "\n".join((*lines, "}", ""))


def _attributes(node: Node) -> str:
    style = ", style=dashed" if node.is_left_out else ""
    return f"label={_label(node)}, tooltip={_quoted(node.name)}{style}"


def _label(node: Node) -> str:
    return _quoted(node.label, node.detail) if node.detail else _quoted(node.label)


def _quoted(*texts: str) -> str:
    """Return a quoted string, a line for each text. A backslash would begin an escape of graphviz's own."""
    printable = (text.encode("utf-8", "backslashreplace").decode("utf-8") for text in texts)
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") for text in printable)
    return '"' + "\\n".join(escaped) + '"'
