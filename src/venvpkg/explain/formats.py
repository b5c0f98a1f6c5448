"""The forms in which dependencies are explained. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from venvpkg.explain.evidence import dump_evidence
from venvpkg.explain.graph import dependency_graph, dot
from venvpkg.explain.page import page
from venvpkg.explain.text import chosen_dependencies, explanation

if TYPE_CHECKING:
    from venvpkg.model.depends import DependencySet


class OutputFormat(StrEnum):
    """Who is to read it: people in a terminal, graphviz, people in a browser, or programs."""

    TEXT = "text"
    DOT = "dot"
    HTML = "html"
    JSON = "json"


def render_dependencies(
    dependencies: DependencySet, output_format: OutputFormat, title: str, package: str | None = None
) -> str:
    """Return why a package depends on all it depends on, or on one package; ends with a newline.

    Args:
        dependencies: from a record.
        output_format: of the answer.
        title: what the dependencies are of.
        package: name of one; any alternative of a relation counts.

    Raises:
        NotAPackageError: no relation names ``package``.
    """
    match output_format:
        case OutputFormat.TEXT:
            return explanation(dependencies, package)
        case OutputFormat.DOT:
            return dot(dependency_graph(chosen_dependencies(dependencies, package)), title)
        case OutputFormat.HTML:
            return page(chosen_dependencies(dependencies, package), title)
        case OutputFormat.JSON:
            return dump_evidence(chosen_dependencies(dependencies, package)).decode("ascii")
        case _:
            assert_never(output_format)
