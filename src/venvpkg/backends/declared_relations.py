"""Whether the relations that a project declares are any, by the family's grammar. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from venvpkg.model.project import Settings

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Grammar(Generic[R]):
    """How a family spells relations.

    Attributes:
        parse: returns one relation; None when the text is none.
        is_single: whether it names one package, as all must that are about packages to be kept away or provided.
        is_exact: whether a single one has no version or an exact one, as those must that are provided.
        relation: for people: examples of relations, in quotes.
        single: an example of one that names a package.
        provided: an example of one that is provided.
        library: an example of one that stands for a library.
    """

    parse: Callable[[str], R | None]
    is_single: Callable[[R], bool]
    is_exact: Callable[[R], bool]
    relation: str
    single: str
    provided: str
    library: str


def relation_problems(settings: Settings, grammar: Grammar[R]) -> Iterator[str]:
    """Yield which declared relations the family would not accept, one sentence each."""
    for key in ("depends", "recommends", "suggests"):
        for text in settings.declared_depends if key == "depends" else getattr(settings, key):
            if grammar.parse(text) is None:
                yield f"{key}: {text!r} is no relation such as {grammar.relation}"
    for key in ("conflicts", "breaks", "replaces", "provides"):
        for text in getattr(settings, key):
            relation = grammar.parse(text)
            if relation is None or not grammar.is_single(relation):
                yield f"{key}: {text!r} is not one package such as {grammar.single!r}"
            elif key == "provides" and not grammar.is_exact(relation):
                yield f"{key}: {text!r} provides more than one version; {grammar.provided!r} would be one"
    for rule in settings.sonames:
        if rule.relation and grammar.parse(rule.relation) is None:
            yield f'sonames."{rule.soname}": {rule.relation!r} is no relation such as {grammar.library!r}'
