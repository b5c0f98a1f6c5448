"""Lay out a dependency graph in four columns, with few crossings and no overlaps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.explain.graph import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvpkg.explain.graph import Graph, Node


# In pixels. A character of a monospaced font is about three fifths as wide as the font size.
FONT = 13
_SMALL = 10.5
_CHARACTER = 0.602
_PADDING = 12
_ROW_GAP = 10
_COLUMN_GAP = 120
_MARGIN = 16
TOP = 46
_LONGEST = 46
_SORT_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Box:
    """The box of a node, in pixels; x and y are those of its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The y of its centre."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """The box of each node, the x of each column, and the size of the drawing, in pixels."""

    boxes: Mapping[Node, Box]
    columns: Mapping[Column, float]
    width: float
    height: float


def shorten(text: str, most: int = _LONGEST) -> str:
    """Return the text; when it is too long, its two ends with an ellipsis between them."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"


def layout(graph: Graph) -> Layout:
    """Return the layout of a graph; the same graph has the same layout."""
    neighbours: dict[Node, list[Node]] = {node: [] for node in graph.nodes}
    for link in graph.links:
        neighbours[link.left].append(link.right)
        neighbours[link.right].append(link.left)
    order = {column: list(graph.column(column)) for column in Column}
    by_distribution = {link.left: link.right.name for link in graph.links if link.right.column is Column.DISTRIBUTION}
    order[Column.FILE].sort(key=lambda node: (by_distribution.get(node, ""), node.label, node.name))
    heights = {node: _node_height(node) for node in graph.nodes}
    tallest = max((_stack_height(order[column], heights) for column in Column), default=0.0)
    middles: dict[Node, float] = {}
    for column in Column:
        middles |= _spread_column(order[column], {}, heights, tallest)
    # Files keep the order that people expect. Nodes of the other columns move towards the nodes they are linked to.
    for _ in range(_SORT_ROUNDS):
        for column in (Column.DISTRIBUTION, Column.SONAME, Column.PACKAGE):
            wishes = {node: _mean(middles[each] for each in neighbours[node]) for node in order[column]}
            order[column].sort(key=lambda node, wishes=wishes: (wishes[node], node))  # type: ignore[misc]
            middles |= _spread_column(order[column], wishes, heights, tallest)
    return _place_boxes(order, middles, heights, tallest)


def _place_boxes(
    order: Mapping[Column, Sequence[Node]], middles: Mapping[Node, float], heights: Mapping[Node, float], tallest: float
) -> Layout:
    boxes: dict[Node, Box] = {}
    columns: dict[Column, float] = {}
    x = float(_MARGIN)
    for column in Column:
        width = max((_column_width(node) for node in order[column]), default=0.0)
        columns[column] = x
        for node in order[column]:
            y = TOP + middles[node] - heights[node] / 2
            boxes[node] = Box(x, round(y, 1), round(width, 1), heights[node])
        x += width + _COLUMN_GAP if width else 0
    return Layout(boxes, columns, round(x - _COLUMN_GAP + _MARGIN, 1), round(TOP + tallest + _MARGIN, 1))


def _spread_column(
    nodes: Sequence[Node], wishes: Mapping[Node, float], heights: Mapping[Node, float], tallest: float
) -> dict[Node, float]:
    """Return the middle of each node of a column, in order, as close to its wish as possible without overlaps."""
    if not nodes:
        return {}
    if not wishes:
        gap = (tallest - sum(heights[node] for node in nodes)) / len(nodes)
        wishes, y = {}, gap / 2
        for node in nodes:
            wishes[node] = y + heights[node] / 2
            y += heights[node] + gap
    found: dict[Node, float] = {}
    end = 0.0
    for node in nodes:
        found[node] = max(wishes[node], end + heights[node] / 2)
        end = found[node] + heights[node] / 2 + _ROW_GAP
    limit = tallest
    for node in reversed(nodes):
        found[node] = min(found[node], limit - heights[node] / 2)
        limit = found[node] - heights[node] / 2 - _ROW_GAP
    return found


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known) if known else 0.0


def _stack_height(nodes: Sequence[Node], heights: Mapping[Node, float]) -> float:
    return sum(heights[node] for node in nodes) + _ROW_GAP * max(0, len(nodes) - 1)


def _node_height(node: Node) -> float:
    return 42.0 if node.detail else 27.0


def _column_width(node: Node) -> float:
    lines = (len(shorten(node.label)) * FONT, len(shorten(node.detail, 56)) * _SMALL)
    return max(lines) * _CHARACTER + 2 * _PADDING
