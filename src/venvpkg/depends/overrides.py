"""Apply the user's overrides to computed dependencies, and report them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.depends.derive import Claim
from venvpkg.model.depends import DependencySet, Exclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from venvpkg.console import Reporter
    from venvpkg.model.depends import Dependency


def with_declared(
    computed: DependencySet,
    user: Iterable[Claim],
    left_out: Iterable[str],
    merged: Callable[[Iterable[Claim]], tuple[Dependency, ...]],
    names: Callable[[Dependency], Iterable[str]],
) -> DependencySet:
    """Return the computed relations without those that the user leaves out, and with the user's own.

    What is left out stays known as an exclusion, and is worth a warning.

    Args:
        computed: by the derivation.
        user: the relations that the user adds.
        left_out: what the user leaves out, by name.
        merged: how the family makes the fewest relations of claims.
        names: the names that a relation goes by in the family.
    """
    kept, recommends = list(computed.dependencies), list(computed.recommends)
    exclusions: list[Exclusion] = []
    warnings: list[str] = []
    for name in left_out:
        removed = [each for each in kept if name in names(each)]
        kept = [each for each in kept if each not in removed]
        exclusions += (Exclusion(each.relation, f"'!{name}' in depends", each.evidence) for each in removed)
        warnings += (f"depends: {each.relation} is needed, and left out by '!{name}'" for each in removed)
        dropped = [each for each in recommends if each.relation == name]
        recommends = [each for each in recommends if each not in dropped]
        if not removed and not dropped:
            warnings.append(f"depends: '!{name}' leaves nothing out: no computed relation is on {name}")
    claims = [Claim(each.relation, evidence) for each in kept for evidence in each.evidence]
    dependencies = merged([*claims, *user])
    needed = {name for each in dependencies for name in names(each)}
    return DependencySet(
        dependencies,
        (*computed.warnings, *warnings),
        tuple(sorted((*computed.exclusions, *exclusions), key=lambda each: each.what)),
        recommends=tuple(each for each in recommends if each.relation not in needed),
    )


def tell(result: DependencySet, objects: int, reporter: Reporter, what: tuple[str, str]) -> None:
    """Tell people what ``objects`` ELF files, and the user, ask for; ``what`` says what that is: one, and several."""
    for warning in result.warnings:
        reporter.warn(warning)
    objects_need = f"{objects} ELF files need" if objects != 1 else "1 ELF file needs"
    one, several = what
    count = len(result.dependencies)
    reporter.step(f"{objects_need} {count} {several if count != 1 else one}")
