"""Parse and compare relations of Debian packages, and reduce claims to the fewest relations. Pure.

Source:
    Debian Policy 7.1; deb-control(5).
"""

from __future__ import annotations

import operator
import re
from functools import cmp_to_key
from typing import TYPE_CHECKING, Final, NamedTuple

from venvpkg.config.keys import PACKAGE_NAME
from venvpkg.families.common.preflight import Grammar, relation_problems
from venvpkg.families.deb.versions import is_higher, version_key
from venvpkg.model.depends import Dependency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from venvpkg.depends.derive import Claim
    from venvpkg.families.deb.versions import VersionKey
    from venvpkg.model.depends import Evidence
    from venvpkg.model.project import Project


MINVER = "#MINVER#"

_ALTERNATIVE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]*)(?P<qualifier>:[a-z0-9-]+)?"
    r"(?:\s*\(\s*(?P<operator><<|<=|=|>=|>>|<|>)\s*(?P<version>[A-Za-z0-9.+:~-]+)\s*\))?"
)
# Policy 7.1: ``<`` and ``>`` are the old spellings of ``<=`` and ``>=``.
_MODERN = {"<": "<=", ">": ">="}

# Weaker operator → stronger operator → how the stronger one's version must compare with the weaker one's.
_IMPLIES: Mapping[str, Mapping[str, Callable[[VersionKey, VersionKey], bool]]] = {
    ">=": {">=": operator.ge, ">>": operator.ge, "=": operator.ge},
    ">>": {">=": operator.gt, ">>": operator.ge, "=": operator.gt},
    "<=": {"<=": operator.le, "<<": operator.le, "=": operator.le},
    "<<": {"<=": operator.lt, "<<": operator.le, "=": operator.lt},
    "=": {"=": operator.eq},
}


class Alternative(NamedTuple):
    """One package of a relation; operator and version are empty if any version will do."""

    name: str
    operator: str
    version: str

    def __str__(self) -> str:
        """Return the alternative as in a control file."""
        return f"{self.name} ({self.operator} {self.version})" if self.operator else self.name


Relation = tuple[Alternative, ...]


def parse_relation(text: str) -> Relation | None:
    """Return the alternatives of one relation; None if it is not valid.

    Commas, substitution variables, and the build profiles and architecture lists of source packages are not valid.
    """
    alternatives = []
    for part in text.split("|"):
        match = _ALTERNATIVE.fullmatch(part.strip())
        if match is None:
            return None
        bound = match["operator"] or ""
        name = match["name"] + (match["qualifier"] or "")
        alternatives.append(Alternative(name, _MODERN.get(bound, bound), match["version"] or ""))
    return tuple(alternatives)


def spell_relation(relation: Relation) -> str:
    """Return the relation as in a control file."""
    return " | ".join(map(str, relation))


def with_floor(template: str, floor: str | None) -> str:
    """Return a template of a symbols file with the floor for #MINVER#; without a bound for None, empty and ``0``."""
    bound = f"(>= {floor})" if floor not in {None, "", "0"} else ""
    return " ".join(template.replace(MINVER, f" {bound} ").split())


def implies(stronger: Relation, weaker: Relation) -> bool:
    """Whether every system that satisfies the first relation satisfies the second one."""
    return all(any(_implies(each, other) for other in weaker) for each in stronger)


def fewest(claims: Iterable[Claim]) -> tuple[Dependency, ...]:
    """Return the relations that satisfy all claims: templates with their highest floor, without implied ones.

    If a relation is implied by another one, its evidence goes to the other one: a lower floor is a reason, too. A
    template that is not a valid relation is an error of the caller.

    Returns:
        Relations sorted by name and spelling; evidence with the highest floor first, then by file.

    Raises:
        ValueError: the template of a claim is not a valid relation.
    """
    by_template: dict[str, list[Evidence]] = {}
    for claim in claims:
        by_template.setdefault(claim.template, []).append(claim.evidence)
    reasons: dict[Relation, list[Evidence]] = {}
    for template, evidence in by_template.items():
        text = with_floor(template, max((each.floor or "" for each in evidence), key=version_key))
        relation = parse_relation(text)
        if relation is None:
            raise ValueError(text)
        reasons.setdefault(relation, []).extend(evidence)
    # Of two that imply each other (the same alternatives in another order), the first one stays.
    kept: list[Relation] = []
    for relation in sorted(reasons):
        if not any(implies(other, relation) for other in kept):
            kept = [other for other in kept if not implies(relation, other)] + [relation]
    for relation in reasons.keys() - set(kept):
        strongest = next(other for other in kept if implies(other, relation))
        reasons[strongest].extend(reasons[relation])
    return tuple(Dependency(spell_relation(each), _sort_evidence(reasons[each])) for each in sorted(kept))


def _sort_evidence(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    # dict.fromkeys: a template and a stronger one of the same library give the same evidence twice.
    named = sorted(
        dict.fromkeys(evidence), key=lambda each: (str(each.needed_by or ""), each.soname or "", each.symbol or "")
    )
    return tuple(sorted(named, key=cmp_to_key(_higher_floor_first)))


def _higher_floor_first(one: Evidence, other: Evidence) -> int:
    first, second = one.floor or "", other.floor or ""
    return is_higher(second, first) - is_higher(first, second)


def _implies(one: Alternative, other: Alternative) -> bool:
    if one.name != other.name:
        return False
    if not other.operator or one == other:
        return True
    compare = _IMPLIES[other.operator].get(one.operator)
    return compare is not None and compare(version_key(one.version), version_key(other.version))


_GRAMMAR: Final = Grammar(
    parse_relation,
    is_single=lambda relation: len(relation) == 1,
    is_exact=lambda relation: relation[0].operator in {"", "="},
    relation="'postgresql-client (>= 13) | pgcli'",
    single="guestbook-legacy (<< 2)",
    provided="guestbook-api (= 2)",
    library="libfoo1 (>= 2)",
)


def problems(project: Project) -> Iterator[str]:
    """Yield messages for problems that config/ does not find: Debian's grammar, and names that are not configured.

    Source:
        Debian Policy 5.6.1, 7.1, 7.5 (a provided version is exact).
    """
    if not PACKAGE_NAME.fullmatch(project.package_name):
        yield (
            f"name: {project.package_name!r} is not a valid package name; it needs at least two characters: lower-case"
            " letters, digits, and + - ."
        )
    yield from relation_problems(project.settings, _GRAMMAR)
