"""The spec of a recipe: no %prep, %build or %install, since the build root is the staged tree. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rpmworld.layout import SHARED_DIRECTORIES
from rpmworld.tree import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rpmworld.recipes import Recipe
    from rpmworld.tree import Entry, Tree

# perl is no part of a world. Python's generator wants a library that this machine need not have: we write its Provides.
_GENERATORS = """\
%global __requires_exclude ^(/usr/bin/perl|perl\\\\(.*)
%global __perl_requires %{nil}
%global __perl_provides %{nil}
%global __perllib_requires %{nil}
%global __perllib_provides %{nil}
%global __pythondist_path ^$
"""


def spec_text(recipe: Recipe, tree: Tree, requires: Mapping[str, tuple[str, ...]], python: str) -> str:
    """Return the spec.

    Args:
        recipe: what is packaged.
        tree: its files.
        requires: for each package that comes of it.
        python: the interpreter's X.Y.
    """
    return "\n".join(
        [
            f"Name: {recipe.name}",
            f"Version: {recipe.version}",
            f"Release: {recipe.release}",
            f"Summary: {_literal(recipe.summary)}",
            "License: see /usr/share/licenses",
            *([f"URL: {_literal(recipe.url)}"] if recipe.url else []),
            "Vendor: rpmworld",
            *(["BuildArch: noarch"] if recipe.is_noarch else []),
            *(f"Provides: {each}" for each in sorted(_provides(recipe, tree, python))),
            *(f"Requires: {each}" for each in requires[recipe.name]),
            *(f"Conflicts: {each}" for each in recipe.addition.conflicts),
            _GENERATORS,
            "%description",
            _literal(recipe.summary),
            *_split_headers(recipe, requires),
            *(["%pre", recipe.addition.pre] if recipe.addition.pre else []),
            recipe.addition.triggers,
            *_file_lists(recipe, tree),
            "",
        ]
    )


def _provides(recipe: Recipe, tree: Tree, python: str) -> set[str]:
    found = {*recipe.addition.provides, *tree.aliases}
    for name, version in tree.distributions.items():
        native = re.sub(r"[^A-Za-z0-9.+~]", "_", version)
        found |= {f"python3dist({name}) = {native}", f"python{python}dist({name}) = {native}"}
    return found | ({f"python{python} = {recipe.evr}"} if recipe.name == "python3" else set())


def _split_headers(recipe: Recipe, requires: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    for split in recipe.addition.splits:
        yield f"%package -n {split.name}"
        yield f"Summary: {split.summary}"
        yield from (f"Requires: {each}" for each in requires[split.name])
        yield f"%description -n {split.name}\n{split.summary}."


def _file_lists(recipe: Recipe, tree: Tree) -> Iterable[str]:
    lists: dict[str, list[str]] = {name: [] for name in recipe.names}
    for path in sorted(tree.entries):
        entry = tree.entries[path]
        if entry.kind is Kind.DIRECTORY and path in SHARED_DIRECTORIES and not recipe.owns_shared:
            continue
        owner = next((split.name for split in recipe.addition.splits if split.has(path)), recipe.name)
        lists[owner].append(_file_line(entry))
    for name in recipe.names:
        yield "%files" if name == recipe.name else f"%files -n {name}"
        yield from lists[name]


def _file_line(entry: Entry) -> str:
    attributes = f"%attr({entry.mode & 0o7777:04o},{entry.user},{entry.group})"
    directives = {
        Kind.FILE: f"{attributes} {entry.directive}",
        Kind.DIRECTORY: f"{attributes} %dir",
        Kind.LINK: "%attr(-,root,root)",
    }
    is_license = entry.path.startswith("usr/share/licenses/") and entry.kind is Kind.FILE
    # A pattern stands for the characters that rpm would read otherwise.
    path = re.sub(r'[\\\[\]*?{}%" ]', "?", entry.path)
    return f'{directives[entry.kind]}{" %license" if is_license else ""} "/{path}"'


def _literal(text: str) -> str:
    return text.replace("%", "%%")
