"""Places for the nodes of a dependency graph: four columns, few crossings, nothing on top of anything. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvpkg.explain.graph import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvpkg.explain.graph import Graph, Node


# Pixels. A character of a monospaced font is three fifths of its size wide.
FONT = 13
_SMALL = 10.5
_CHARACTER = 0.602
_PADDING = 12
_GAP = 10
_BETWEEN = 120
_MARGIN = 16
TOP = 46
_LONGEST = 46
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node is drawn, in pixels; x and y of its upper left corner."""

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
    """A box for each node, where each column begins, and the size of the whole, in pixels."""

    boxes: Mapping[Node, Box]
    columns: Mapping[Column, float]
    width: float
    height: float


def fitted(text: str, most: int = _LONGEST) -> str:
    """Return the text, or its two ends with an ellipsis between them."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"


def layout(graph: Graph) -> Layout:
    """Return a place for every node; the same graph has the same layout."""
    neighbours: dict[Node, list[Node]] = {node: [] for node in graph.nodes}
    for link in graph.links:
        neighbours[link.left].append(link.right)
        neighbours[link.right].append(link.left)
    order = {column: list(graph.column(column)) for column in Column}
    by_distribution = {link.left: link.right.name for link in graph.links if link.right.column is Column.DISTRIBUTION}
    order[Column.FILE].sort(key=lambda node: (by_distribution.get(node, ""), node.label, node.name))
    heights = {node: _height(node) for node in graph.nodes}
    tallest = max((_stacked(order[column], heights) for column in Column), default=0.0)
    middles: dict[Node, float] = {}
    for column in Column:
        middles |= _spread(order[column], {}, heights, tallest)
    # Files have an order that people expect; each other column goes where the nodes are that it is linked to.
    for _ in range(_ROUNDS):
        for column in (Column.DISTRIBUTION, Column.SONAME, Column.PACKAGE):
            wishes = {node: _mean(middles[each] for each in neighbours[node]) for node in order[column]}
            order[column].sort(key=lambda node, wishes=wishes: (wishes[node], node))  # type: ignore[misc]
            middles |= _spread(order[column], wishes, heights, tallest)
    return _boxed(order, middles, heights, tallest)


def _boxed(
    order: Mapping[Column, Sequence[Node]], middles: Mapping[Node, float], heights: Mapping[Node, float], tallest: float
) -> Layout:
    boxes: dict[Node, Box] = {}
    columns: dict[Column, float] = {}
    x = float(_MARGIN)
    for column in Column:
        width = max((_width(node) for node in order[column]), default=0.0)
        columns[column] = x
        for node in order[column]:
            y = TOP + middles[node] - heights[node] / 2
            boxes[node] = Box(x, round(y, 1), round(width, 1), heights[node])
        x += width + _BETWEEN if width else 0
    return Layout(boxes, columns, round(x - _BETWEEN + _MARGIN, 1), round(TOP + tallest + _MARGIN, 1))


def _spread(
    nodes: Sequence[Node], wishes: Mapping[Node, float], heights: Mapping[Node, float], tallest: float
) -> dict[Node, float]:
    """Return the middle of each node of a column: in order, as near to its wish as the others leave room."""
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
        end = found[node] + heights[node] / 2 + _GAP
    limit = tallest
    for node in reversed(nodes):
        found[node] = min(found[node], limit - heights[node] / 2)
        limit = found[node] - heights[node] / 2 - _GAP
    return found


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known) if known else 0.0


def _stacked(nodes: Sequence[Node], heights: Mapping[Node, float]) -> float:
    return sum(heights[node] for node in nodes) + _GAP * max(0, len(nodes) - 1)


def _height(node: Node) -> float:
    return 42.0 if node.detail else 27.0


def _width(node: Node) -> float:
    lines = (len(fitted(node.label)) * FONT, len(fitted(node.detail, 56)) * _SMALL)
    return max(lines) * _CHARACTER + 2 * _PADDING
