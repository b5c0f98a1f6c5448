"""No module but the registry knows a family by its name: adding one must not mean searching for where others stand."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import venvpkg
from venvpkg.families.registry import FAMILIES

PACKAGE = Path(venvpkg.__file__).parent
OWN = (PACKAGE / "families" / "registry.py", *(PACKAGE / "families" / name for name in FAMILIES))
OTHERS = sorted(path for path in PACKAGE.rglob("*.py") if not any(path.is_relative_to(each) for each in OWN))


def knowledge_of_families(source: str) -> list[str]:
    """Return the lines that name a family: an import of its modules, or its name as a string of its own."""
    modules = {family.module for family in FAMILIES.values()}
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                named = {each.name for each in names}
            case ast.ImportFrom(module=str(module), names=names):
                named = {module, *(f"{module}.{each.name}" for each in names)}
            case ast.Constant(value=str(value)):
                named = {value} & FAMILIES.keys()
            case _:
                continue
        if named & FAMILIES.keys() or any(f"{each}.".startswith(f"{module}.") for each in named for module in modules):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def test_no_other_module_names_a_family() -> None:
    found = {path: lines for path in OTHERS if (lines := knowledge_of_families(path.read_text()))}

    assert len(OTHERS) > len(FAMILIES)
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "import venvpkg.families.deb.read",
        "from venvpkg.families import rpm",
        "def f():\n    from venvpkg.families.deb.host import read_flags",
        "if target.family == 'deb': pass",
        "match family:\n    case 'rpm': pass",
        "{'deb': 1}",
    ],
)
def test_a_module_that_names_one_is_found(source: str) -> None:
    assert len(knowledge_of_families(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from venvpkg.families import registry",
        "from venvpkg.families.debris import x",
        "'a .deb or an .rpm'",
        "deb = 1",
    ],
)
def test_a_word_in_a_sentence_is_no_such_knowledge(source: str) -> None:
    assert knowledge_of_families(source) == []
