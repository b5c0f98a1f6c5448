"""What docs/development says of the code, made from the code: layers, imports, and what a package family has to do."""

from __future__ import annotations

import inspect
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import grimp

from venvpkg.families import base, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHECKOUT = Path(__file__).parents[1]
# Any layer may ask them, and they know no family: one node of the drawing, at its bottom.
PLUG_BOARD = {"families.registry", "families.base"}

Edges = set[tuple[str, str]]


def layers() -> list[list[str]]:
    """Return the names in each layer, top first; ``families`` stands as its own layers."""
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    of_container = {contract["containers"][0]: contract["layers"] for contract in contracts if "layers" in contract}
    found = []
    for layer in of_container["venvpkg"]:
        names = layer.split(" | ")
        if names == ["families"]:
            found += [[f"families.{name}" for name in each.split(" | ")] for each in of_container["venvpkg.families"]]
        else:
            found.append(names)
    return found


def layer_table() -> str:
    """Return a table with what is in each layer, as the docstrings say."""
    rows = ["| layer | module or folder | what it does |", "| --- | --- | --- |"]
    for number, names in enumerate(layers(), 1):
        rows += [f"| {number} | `{name}` | {_first_line(f'venvpkg.{name}')} |" for name in names]
    return "\n".join(rows)


def import_edges() -> Edges:
    """Return which module or folder imports which at run time."""
    graph = grimp.build_graph("venvpkg", exclude_type_checking_imports=True, cache_dir=None)
    pairs = (
        (_node(module), _node(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    )
    return {(one, other) for one, other in pairs if one and other and one != other}


def without_detours(edges: Edges) -> Edges:
    """Return the edges without each one whose ends are joined by a longer way, too.

    Args:
        edges: of a graph without circles.
    """
    next_of: dict[str, set[str]] = {}
    for one, other in edges:
        next_of.setdefault(one, set()).add(other)

    def below(node: str) -> set[str]:
        reached: set[str] = set()
        waiting = [node]
        while waiting:
            for each in next_of.get(waiting.pop(), set()) - reached:
                reached.add(each)
                waiting.append(each)
        return reached

    reach = {node: below(node) for node in next_of}
    return {(one, other) for one, other in edges if not any(other in reach.get(via, ()) for via in next_of[one])}


def drawing() -> str:
    """Return the imports as a Mermaid flowchart; what the registry loads by name is dotted."""
    solid = without_detours(import_edges())
    dotted = {("families.registry", family.module.removeprefix("venvpkg.")) for family in registry.FAMILIES.values()}
    names = sorted({name for edge in solid for name in edge})
    return "\n".join(
        [
            "```mermaid",
            "flowchart TD",
            *(f'    {_identifier(name)}["{_label(name)}"]' for name in names),
            *(f"    {_identifier(one)} --> {_identifier(other)}" for one, other in sorted(solid)),
            *(f"    {_identifier(one)} -. by name .-> {_identifier(other)}" for one, other in sorted(dotted)),
            "```",
        ]
    )


def protocol_table(name: str) -> str:
    """Return a table of the functions that a protocol of ``families.base`` asks for, in its order."""
    protocol = getattr(base, name)
    rows = ["| function | what it does |", "| --- | --- |"]
    for function in (each for each in vars(protocol).values() if inspect.isfunction(each)):
        if not function.__name__.startswith("_"):
            summary = " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split()).replace("``", "`")
            rows.append(f"| `{function.__name__}` | {summary} |")
    return "\n".join(rows)


def entry_table() -> str:
    """Return a table of what an entry of the registry says of a family."""
    documented = (inspect.getdoc(registry.Family) or "").partition("Attributes:\n")[2]
    rows = ["| attribute | meaning |", "| --- | --- |"]
    one_a_line = re.sub(r"\n +", " ", inspect.cleandoc(documented)).replace("``", "`")
    for line in one_a_line.splitlines():
        name, _, meaning = line.partition(": ")
        rows.append(f"| `{name}` | {meaning} |")
    return "\n".join(rows)


def with_parts(page: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with new text between the marks ``<!-- NAME: made by ... -->`` and ``<!-- end of NAME -->``."""
    for name, make in parts.items():
        begin, end = f"<!-- {name}: made by tests/architecture.py -->\n", f"<!-- end of {name} -->"
        before, found_begin, rest = page.partition(begin)
        _, found_end, after = rest.partition(end)
        if not found_begin or not found_end:
            raise ValueError(f"no place for {name}")
        page = f"{before}{begin}\n{make()}\n\n{end}{after}"
    return page


def _node(module: str) -> str:
    parts = module.split(".")[1:]
    if parts[:1] != ["families"]:
        return "".join(parts[:1])
    name = ".".join(parts[:2])
    return "families.registry" if name in PLUG_BOARD else name if len(parts) > 1 else ""


def _identifier(name: str) -> str:
    return name.strip("_").replace(".", "_")


def _label(name: str) -> str:
    return "families.registry, families.base" if name == "families.registry" else name


def _first_line(module: str) -> str:
    return (inspect.getdoc(import_module(module)) or "").partition("\n")[0].replace("``", "`")
