"""Render dependencies in one of the output formats. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from venvpkg.explain.evidence import dump_evidence
from venvpkg.explain.graph import dependency_graph, dot
from venvpkg.explain.page import page
from venvpkg.explain.text import explain_as_text, select_dependencies

if TYPE_CHECKING:
    from venvpkg.model.depends import DependencySet


class OutputFormat(StrEnum):
    """Output formats: for a terminal, Graphviz, a browser, or programs."""

    TEXT = "text"
    DOT = "dot"
    HTML = "html"
    JSON = "json"


def render_dependencies(
    dependencies: DependencySet, output_format: OutputFormat, title: str, package: str | None = None
) -> str:
    """Return an explanation of a package's dependencies, or of those on one package; ends with a newline.

    Args:
        dependencies: from the evidence of a package.
        output_format: of the explanation.
        title: such as the file name of the package.
        package: name of one package; it matches any alternative of a relation.

    Raises:
        NotAPackageError: no relation names ``package``.
    """
    match output_format:
        case OutputFormat.TEXT:
            return explain_as_text(dependencies, package)
        case OutputFormat.DOT:
            return dot(dependency_graph(select_dependencies(dependencies, package)), title)
        case OutputFormat.HTML:
            return page(select_dependencies(dependencies, package), title)
        case OutputFormat.JSON:
            return dump_evidence(select_dependencies(dependencies, package)).decode("ascii")
        case _:
            assert_never(output_format)
