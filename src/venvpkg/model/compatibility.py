"""Which platform tags stand for which: a site's decision about its releases. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvpkg.model.target import Target


@dataclass(frozen=True, slots=True)
class TagRule:
    """What a site decided for one platform tag.

    Attributes:
        build: the tag that wheels compiled there get instead; None for its own.
        install: tags whose wheels serve there too, best first.
    """

    build: str | None = None
    install: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The rules in force, sorted by tag. A tag is matched exactly: no wildcards, and no rule leads to another."""

    rules: tuple[tuple[str, TagRule], ...] = ()

    def applied_to(self, target: Target) -> Target:
        """Return the target with the tag that its wheels get, and the tags that it accepts beside that."""
        rule = dict(self.rules).get(target.platform_tag)
        if rule is None:
            return target
        tag = rule.build or target.platform_tag
        # The target's own builds lie under its own tag, and are found by everything that can change them.
        accepts = tuple(dict.fromkeys(each for each in rule.install if each != tag))
        return replace(target, vendor_tag=rule.build or "", accepts=accepts)
