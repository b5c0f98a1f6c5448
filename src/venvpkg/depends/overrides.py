"""Apply the user's overrides to computed dependencies, and report them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.depends.derive import Claim
from venvpkg.model.depends import DependencySet, Exclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from venvpkg.console import Reporter
    from venvpkg.model.depends import Dependency


def apply_overrides(
    computed: DependencySet,
    declared: Iterable[Claim],
    left_out: Iterable[str],
    merge: Callable[[Iterable[Claim]], tuple[Dependency, ...]],
    names: Callable[[Dependency], Iterable[str]],
) -> DependencySet:
    """Return the computed relations without those that the user leaves out, plus those that the user declares.

    Each relation left out is kept as an exclusion, and causes a warning.

    Args:
        computed: result of the derivation.
        declared: claims for the relations that the user adds.
        left_out: names of the relations that the user leaves out.
        merge: returns the fewest relations that satisfy all claims.
        names: returns the names by which the user can leave out a relation.
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
    dependencies = merge([*claims, *declared])
    needed = {name for each in dependencies for name in names(each)}
    return DependencySet(
        dependencies,
        (*computed.warnings, *warnings),
        tuple(sorted((*computed.exclusions, *exclusions), key=lambda each: each.what)),
        recommends=tuple(each for each in recommends if each.relation not in needed),
    )


def report_dependencies(result: DependencySet, objects: int, reporter: Reporter, what: tuple[str, str]) -> None:
    """Report the number of dependencies, and every warning.

    Args:
        result: with the user's overrides applied.
        objects: number of ELF files of the payload.
        reporter: receives the messages.
        what: the family's word for a relation, in singular and plural.
    """
    for warning in result.warnings:
        reporter.warn(warning)
    objects_need = f"{objects} ELF files need" if objects != 1 else "1 ELF file needs"
    one, several = what
    count = len(result.dependencies)
    reporter.step(f"{objects_need} {count} {several if count != 1 else one}")
