"""The forms in which dependencies are explained. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from venvpkg.explain.evidence import dump_record
from venvpkg.explain.graph import dependency_graph, dot
from venvpkg.explain.page import page
from venvpkg.explain.text import chosen_dependencies, explanation

if TYPE_CHECKING:
    from venvpkg.model.depends import DependencySet


class Form(StrEnum):
    """Who is to read it: people in a terminal, graphviz, people in a browser, or programs."""

    TEXT = "text"
    DOT = "dot"
    HTML = "html"
    RECORD = "record"


def explained(dependencies: DependencySet, form: Form, title: str, package: str | None = None) -> str:
    """Return why a package depends on all it depends on, or on one package; ends with a newline.

    Args:
        dependencies: from a record.
        form: of the answer.
        title: what the dependencies are of.
        package: name of one; any alternative of a relation counts.

    Raises:
        NotAPackageError: no relation names ``package``.
    """
    match form:
        case Form.TEXT:
            return explanation(dependencies, package)
        case Form.DOT:
            return dot(dependency_graph(chosen_dependencies(dependencies, package)), title)
        case Form.HTML:
            return page(chosen_dependencies(dependencies, package), title)
        case Form.RECORD:
            return dump_record(chosen_dependencies(dependencies, package)).decode("ascii")
        case _:
            assert_never(form)
