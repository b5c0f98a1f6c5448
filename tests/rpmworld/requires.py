"""The Requires that a spec writes out: Debian's dependencies, less those that rpm's generator finds by itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rpmworld.archive import Alternative, Archive
    from rpmworld.recipes import Recipe
    from rpmworld.tables import Tables
    from rpmworld.tree import Tree


@dataclass(frozen=True, slots=True)
class Requirements:
    """What is known of all packages of a world."""

    recipes: Mapping[str, Recipe]
    trees: Mapping[str, Tree]
    archive: Archive
    tables: Tables

    @property
    def _known(self) -> frozenset[str]:
        return frozenset(name for recipe in self.recipes.values() for name in recipe.names)

    def of(self, recipe: Recipe) -> Mapping[str, tuple[str, ...]]:
        """Return the Requires of each package that comes of a recipe, sorted."""
        own = set(recipe.addition.requires)
        found = {each for deb in recipe.debs for group in deb.depends if (each := self._relation(recipe, group))}
        required: dict[str, set[str]] = {recipe.name: own | found}
        for split in recipe.addition.splits:
            required[split.name] = {each.removesuffix("?") for each in split.requires if self._exists(each)}
            if split.takes_requires:
                required[split.name] |= found
                required[recipe.name] = own | {split.name}
        return {name: tuple(sorted(each - {name})) for name, each in required.items()}

    def _exists(self, name: str) -> bool:
        return not name.endswith("?") or name.removesuffix("?") in self._known

    def _relation(self, recipe: Recipe, group: tuple[Alternative, ...]) -> str | None:
        """Return what one of Debian's dependencies becomes, or None when it needs no saying."""
        for alternative in group:
            name = self.tables.real(alternative.name)
            if self.tables.is_ignored(name):
                continue
            real = [name] if name in self.archive.stanzas else self.archive.providers.get(name, ())
            target = next((each for deb in real if (each := self.tables.rpm_name(deb)) in self.recipes), None)
            if target is None:
                continue
            if target == recipe.name or not self.trees[recipe.name].needs.isdisjoint(self.trees[target].gives):
                return None
            is_exact = alternative.restriction.startswith("= ") and recipe.name.endswith("-devel")
            return f"{target} = {self.recipes[target].evr}" if is_exact else target
        return None
