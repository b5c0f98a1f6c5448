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
    """What a node stands for, from left to right."""

    PACKAGE = 0
    SONAME = 1
    FILE = 2
    DISTRIBUTION = 3


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A thing that takes part.

    Attributes:
        column: what it is.
        name: tells it from the others of its column.
        label: short, for people.
        detail: the rest, for people; may be empty.
        is_left_out: whether it is no dependency, because the user says so.
    """

    column: Column
    name: str
    label: str
    detail: str = ""
    is_left_out: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Two nodes of different columns.

    Attributes:
        left: the one that is nearer to the package.
        right: the one that causes it.
        why: one line for people; may be empty.
    """

    left: Node
    right: Node
    why: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, each at least once in a link but for packages that nothing causes; both sorted and unique."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    def column(self, column: Column) -> tuple[Node, ...]:
        """Return the nodes of one column, sorted."""
        return tuple(each for each in self.nodes if each.column is column)


def dependency_graph(dependencies: DependencySet) -> Graph:
    """Return the graph of all evidence. What the user declared stands in the place of the soname."""
    links: set[Link] = set()
    for each in dependencies.dependencies:
        links.update(_links(Node(Column.PACKAGE, each.relation, each.relation), each.evidence))
    for each in dependencies.recommends:
        name = f"recommended: {each.relation}"
        links.update(_links(Node(Column.PACKAGE, name, name), each.evidence))
    for left_out in dependencies.exclusions:
        name = f"left out: {left_out.what}"
        links.update(_links(Node(Column.PACKAGE, name, name, is_left_out=True), left_out.evidence))
    # Of several symbols for one pair of nodes the first one in order is shown; the text has them all.
    unique = {(link.left, link.right): link for link in sorted(links, reverse=True)}
    nodes = {node for pair in unique for node in pair}
    return Graph(tuple(sorted(nodes)), tuple(sorted(unique.values())))


def _links(package: Node, evidence: Iterable[Evidence]) -> Iterator[Link]:
    for each in evidence:
        cause = _cause(package, each)
        yield Link(package, cause, each.source)
        if each.needed_by is None:
            if each.distribution is not None:
                yield Link(cause, Node(Column.DISTRIBUTION, each.distribution, each.distribution), _why(each))
            continue
        file = Node(Column.FILE, str(each.needed_by), _short(each.needed_by))
        yield Link(cause, file, _why(each))
        if each.distribution is not None:
            yield Link(file, Node(Column.DISTRIBUTION, each.distribution, each.distribution))


def _cause(package: Node, evidence: Evidence) -> Node:
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


def _why(evidence: Evidence) -> str:
    if evidence.source is Source.SYSTEM:
        return str(evidence.symbol)
    if evidence.soname is None:
        return ""
    return f"{floor_of(evidence)}, {evidence.symbol or 'the library itself'}"


def _short(path: PurePosixPath) -> str:
    """Return ``lxml/etree.so`` for a module in site-packages; else the last two parts."""
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
