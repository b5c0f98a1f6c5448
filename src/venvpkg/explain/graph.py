"""Dependencies as a graph (package → soname → file → distribution), and the same in the DOT language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from venvpkg.explain.text import floor_of, place_of
from venvpkg.model.depends import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath

    from venvpkg.model.depends import DependencySet, Evidence


class Column(IntEnum):
    """Kinds of nodes, from left to right."""

    PACKAGE = 0
    SONAME = 1
    FILE = 2
    DISTRIBUTION = 3


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A node of the graph.

    Attributes:
        column: kind of the node.
        name: unique within its column.
        label: short text to show.
        detail: further text to show; may be empty.
        is_left_out: whether the user left out this dependency.
    """

    column: Column
    name: str
    label: str
    detail: str = ""
    is_left_out: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """A link between nodes of different columns.

    Attributes:
        left: node nearer to the package.
        right: node that causes it.
        why: one line to show; may be empty.
    """

    left: Node
    right: Node
    why: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and links, both sorted and unique. Only packages without evidence have no link."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    def column(self, column: Column) -> tuple[Node, ...]:
        """Return the nodes of one column, sorted."""
        return tuple(each for each in self.nodes if each.column is column)


def dependency_graph(dependencies: DependencySet) -> Graph:
    """Return the graph of all evidence. Causes that are not libraries take the place of the soname."""
    links: set[Link] = set()
    for each in dependencies.dependencies:
        links.update(_links_of_evidence(Node(Column.PACKAGE, each.relation, each.relation), each.evidence))
    for each in dependencies.recommends:
        name = f"recommended: {each.relation}"
        links.update(_links_of_evidence(Node(Column.PACKAGE, name, name), each.evidence))
    for left_out in dependencies.exclusions:
        name = f"left out: {left_out.what}"
        links.update(_links_of_evidence(Node(Column.PACKAGE, name, name, is_left_out=True), left_out.evidence))
    # Only the first of several symbols for one pair of nodes is shown; the text format has all of them.
    unique = {(link.left, link.right): link for link in sorted(links, reverse=True)}
    nodes = {node for pair in unique for node in pair}
    return Graph(tuple(sorted(nodes)), tuple(sorted(unique.values())))


def _links_of_evidence(package: Node, evidence: Iterable[Evidence]) -> Iterator[Link]:
    for each in evidence:
        cause = _cause_node(package, each)
        yield Link(package, cause, each.source)
        if each.needed_by is None:
            if each.distribution is not None:
                yield Link(cause, Node(Column.DISTRIBUTION, each.distribution, each.distribution), _reason_line(each))
            continue
        file = Node(Column.FILE, str(each.needed_by), _short_path(each.needed_by))
        yield Link(cause, file, _reason_line(each))
        if each.distribution is not None:
            yield Link(file, Node(Column.DISTRIBUTION, each.distribution, each.distribution))


def _cause_node(package: Node, evidence: Evidence) -> Node:
    place = place_of(evidence)
    if evidence.soname is not None:
        return Node(Column.SONAME, f"{evidence.soname} {place}", evidence.soname, place)
    if evidence.source is Source.IMPORT:
        module = str(evidence.module)
        return Node(Column.SONAME, f"module {module}", module, "of the standard library")
    if evidence.source is Source.UNIT:
        return Node(Column.SONAME, f"unit {evidence.needed_by}", "read at installation", "for accounts and directories")
    if evidence.source is Source.USER:
        return Node(Column.SONAME, f"user {package.name}", "declared by hand", "depends in [tool.venvpkg]")
    label = evidence.library.name if evidence.library is not None else str(evidence.source)
    return Node(Column.SONAME, place, label, place)


def _reason_line(evidence: Evidence) -> str:
    if evidence.source is Source.SYSTEM:
        return str(evidence.symbol)
    if evidence.soname is None:
        return ""
    return f"{floor_of(evidence)}, {evidence.symbol or 'the library itself'}"


def _short_path(path: PurePosixPath) -> str:
    """Return a path relative to site-packages, without the ABI tag (``lxml/etree.so``); else its last two parts."""
    parts = path.parts
    below = parts[parts.index("site-packages") + 1 :] if "site-packages" in parts else parts[-2:]
    stem, dot, rest = below[-1].partition(".") if below else ("", "", "")
    name = (
        f"{stem}.so"
        if dot and rest.startswith(("cpython-", "pypy", "abi3.")) and rest.endswith(".so")
        else f"{stem}{dot}{rest}"
    )
    return "/".join((*below[:-1], name))


_SHAPES = {Column.PACKAGE: "box3d", Column.SONAME: "component", Column.FILE: "note", Column.DISTRIBUTION: "folder"}


def dot(graph: Graph, title: str) -> str:
    """Return the graph in the DOT language, left to right, a column for each kind of node.

    Source:
        The DOT Language (graphviz.org/doc/info/lang.html): quoted identifiers; escString for labels and tooltips.
    """
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = [
        f"digraph {_quote(title)} {{",
        "  rankdir=LR; ranksep=1.2; nodesep=0.15;",
        '  node [fontname="sans-serif", fontsize=11]; edge [color="#8888aa", arrowsize=0.6];',
    ]
    for column in Column:
        members = graph.column(column)
        if members:
            lines.append(f"  {{ rank=same; node [shape={_SHAPES[column]}];")
            lines += [f"    {names[node]} [{_node_attributes(node)}];" for node in members]
            lines.append("  }")
    lines += [f"  {names[link.left]} -> {names[link.right]} [tooltip={_quote(link.why)}];" for link in graph.links]
    return "\n".join((*lines, "}", ""))


def _node_attributes(node: Node) -> str:
    style = ", style=dashed" if node.is_left_out else ""
    return f"label={_node_label(node)}, tooltip={_quote(node.name)}{style}"


def _node_label(node: Node) -> str:
    return _quote(node.label, node.detail) if node.detail else _quote(node.label)


def _quote(*texts: str) -> str:
    """Return a quoted string with a line for each text. Graphviz has escapes of its own, so backslashes are escaped."""
    printable = (text.encode("utf-8", "backslashreplace").decode("utf-8") for text in texts)
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") for text in printable)
    return '"' + "\\n".join(escaped) + '"'
