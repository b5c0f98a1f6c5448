"""Find the imports of a module, and which of them always happen. Pure: source in, names out; nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_CAUGHT_AS_IMPORT_ERROR = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_TYPE_CHECKING = "TYPE_CHECKING"
# A statement at the beginning of a line is outside any branch or function, but may be inside a multi-line string.
_TOP_LEVEL_IMPORT = re.compile(
    rb"(?m)^(?:import[ \t]+(?P<names>[^\n#;]+)"
    rb"|from[ \t]+(?P<base>[.\w]+)[ \t]+import[ \t]*(?P<from>\([^)]*\)|[^\n#;]+))"
)
_IMPORTED_NAME = re.compile(r"(?:^|[,(\s])\s*([\w.]+)(?:\s+as\s+\w+)?")


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """A name that an import statement may load as a module.

    Attributes:
        module: absolute, dotted name. ``from a import b`` gives both ``a`` and ``a.b``, which may not be a module.
        always: whether loading the importing module always loads this one, and fails if that fails.
    """

    module: str
    always: bool


def imports_of(source: bytes, module: str, *, is_package: bool = False) -> tuple[Import, ...]:
    """Return the imports of a module, sorted and unique; none when this Python cannot parse the source.

    An import inside a function, a branch, or a ``try`` that catches its failure does not always happen. An import for
    type checkers never happens.

    Args:
        source: of the module; untrusted.
        module: its own dotted name, for relative imports.
        is_package: whether it is an ``__init__.py``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the user cannot fix invalid escapes in other people's modules
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    parts = module.split(".") if is_package else module.split(".")[:-1]
    found = {
        Import(name, always)
        for statement, always in _statements(tree.body)
        for name in _imported_names(statement, parts)
    }
    return tuple(sorted(found))


def guess_imports(source: bytes, module: str, *, is_package: bool = False) -> frozenset[str]:
    """Return the always imported names by a fast search of lines; a superset of those of ``imports_of``.

    The names in excess come from lines inside multi-line strings.

    Args:
        source: of the module; untrusted.
        module: its own dotted name, for relative imports.
        is_package: whether it is an ``__init__.py``.
    """
    package = module.split(".") if is_package else module.split(".")[:-1]
    found: set[str] = set()
    for match in _TOP_LEVEL_IMPORT.finditer(source):
        names = _IMPORTED_NAME.findall((match["names"] or match["from"]).decode("utf-8", "replace"))
        if match["names"] is not None:
            found.update(names)
            continue
        text = match["base"].decode("utf-8", "replace")
        base = text.lstrip(".")
        statement = ast.ImportFrom(base or None, [ast.alias(each) for each in names], len(text) - len(base))
        found.update(_imported_names(statement, package))
    return frozenset(found)


def _statements(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield every statement and whether it always runs. Not recursive, because ``elif`` nests without limit."""
    pending = [(each, True) for each in body]
    while pending:
        statement, always = pending.pop()
        yield statement, always
        match statement:
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                caught = not always or any(_catches_import_error(each) for each in handlers)
                pending += [(each, not caught) for each in (*body, *orelse)]
                pending += [(each, False) for handler in handlers for each in handler.body]
                pending += [(each, always) for each in final]
            case ast.If(test=test, body=body, orelse=orelse):
                if not _is_for_type_checkers(test):
                    pending += [(each, False) for each in body]
                pending += [(each, False) for each in orelse]
            case ast.With(body=body) | ast.ClassDef(body=body):
                pending += [(each, always) for each in body]
            case _:
                # Functions, loops, match: their bodies may not run.
                pending += [(each, False) for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt)]
                cases = [each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.match_case)]
                pending += [(each, False) for case in cases for each in case.body]


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(each, ast.Name) and each.id in _CAUGHT_AS_IMPORT_ERROR for each in kinds)


def _is_for_type_checkers(test: ast.expr) -> bool:
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == _TYPE_CHECKING


def _imported_names(statement: ast.stmt, package: list[str]) -> Iterator[str]:
    match statement:
        case ast.Import(names=names):
            yield from (each.name for each in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            if level > len(package) + (not level):
                return
            above = package[: len(package) - level + 1] if level else []
            base = ".".join((*above, *([module] if module else [])))
            if base:
                yield base
                yield from (f"{base}.{each.name}" for each in names if each.name != "*")
        case _:
            return
