"""Parse relations of rpm packages, and merge them into the fewest that satisfy all. Pure.

Source:
    rpm's manual, "Dependencies" and "Boolean Dependencies"; rpm-version(7).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from venvpkg.families.common.preflight import Grammar, relation_problems
from venvpkg.families.rpm.versions import version_key
from venvpkg.model.depends import Dependency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvpkg.depends.derive import Claim
    from venvpkg.model.depends import Evidence
    from venvpkg.model.project import Project


MINVER: Final = "#MINVER#"

# A package, a capability with its parentheses (``pkgconfig(libpq)``, ``libpq.so.5()(64bit)``) or a file.
_NAME: Final = r"(?:/[A-Za-z0-9_.+@:/-]+|[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:\([A-Za-z0-9_.+:=@/\[\]-]*\))*)"
_VERSION: Final = r"[A-Za-z0-9][A-Za-z0-9_.+~^:-]*"
_SINGLE: Final = re.compile(rf"(?P<name>{_NAME})(?:\s*(?P<operator><=|>=|<|>|=)\s*(?P<version>{_VERSION}))?")
# Debian's syntax, so that a configuration for both families needs only one spelling.
_NEUTRAL: Final = re.compile(rf"(?P<name>{_NAME})\s+\(\s*(?P<operator><<|<=|=|>=|>>)\s*(?P<version>{_VERSION})\s*\)")
_RPM_OPERATORS: Final = {"<<": "<", ">>": ">"}
# Operators between two conditions.
_OPERATORS: Final = ("and", "or", "if", "unless", "with", "without")
_CHAINABLE: Final = frozenset({"and", "or", "with"})
_DEEPEST: Final = 10


def spell_relation(text: str) -> str | None:
    """Return one relation in rpm's spelling; None when it is not valid.

    Args:
        text: ``postgresql >= 13``, a boolean dependency such as ``(postgresql or pgcli)``, or in Debian's syntax,
            ``postgresql (>= 13) | pgcli``.
    """
    text = text.strip()
    if text.startswith("("):
        return _spell_boolean(text)
    alternatives = [_spell_single(each.strip()) for each in text.split("|")]
    known = [each for each in alternatives if each is not None]
    if len(known) != len(alternatives):
        return None
    return f"({' or '.join(known)})" if len(known) > 1 else known[0]


def is_single(relation: str) -> bool:
    """Whether a spelled relation names one package or capability, as conflicts, obsoletes and provides must."""
    return not relation.startswith("(")


def is_versioned_at_most_exactly(relation: str) -> bool:
    """Whether a single relation has no version or an exact one."""
    match = _SINGLE.fullmatch(relation)
    return match is not None and match["operator"] in {None, "="}


def name_of(relation: str) -> str:
    """Return the name in a single relation, without its version; a boolean dependency as it is."""
    match = _SINGLE.fullmatch(relation)
    return match["name"] if match else relation


def names_of(dependency: Dependency) -> list[str]:
    """Return the names of a computed relation: the relation, its capability, the soname in it, its providers."""
    name = name_of(dependency.relation)
    owners = [each.owner for each in dependency.evidence if each.owner]
    return [dependency.relation, name, name.partition("(")[0], *owners]


def with_floor(template: str, floor: str | None) -> str:
    """Return a relation with its floor; without a floor it accepts any version."""
    return " ".join(template.replace(MINVER, f">= {floor}" if floor else "").split())


def fewest(claims: Iterable[Claim]) -> tuple[Dependency, ...]:
    """Return the relations that satisfy all claims: each template once, with its highest floor.

    Relations implied by others are kept: rpm's own generator lists every symbol version, too.

    Returns:
        Sorted by relation; evidence with the highest floor first, then by file.
    """
    by_template: dict[str, list[Evidence]] = {}
    for claim in claims:
        by_template.setdefault(claim.template, []).append(claim.evidence)
    merged: dict[str, list[Evidence]] = {}
    for template, evidence in by_template.items():
        floors = [each.floor for each in evidence if each.floor]
        highest = max(floors, key=version_key) if floors else None
        merged.setdefault(with_floor(template, highest), []).extend(evidence)
    return tuple(Dependency(relation, _sort_evidence(merged[relation])) for relation in sorted(merged))


def _sort_evidence(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    named = sorted(
        dict.fromkeys(evidence), key=lambda each: (str(each.needed_by or ""), each.soname or "", each.symbol or "")
    )
    return tuple(sorted(named, key=lambda each: version_key(each.floor or ""), reverse=True))


def _spell_single(text: str) -> str | None:
    match = _SINGLE.fullmatch(text) or _NEUTRAL.fullmatch(text)
    if match is None:
        return None
    if not match["operator"]:
        return match["name"]
    return f"{match['name']} {_RPM_OPERATORS.get(match['operator'], match['operator'])} {match['version']}"


def _spell_boolean(text: str) -> str | None:
    try:
        tokens = list(_tokens(text))
        spelled = _parse_group(tokens, 0)
    except ValueError:
        return None
    return None if tokens else spelled


def _tokens(text: str) -> Iterator[str]:
    """Yield grouping parentheses, operators and single relations."""
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
        elif text[place] in "()":
            yield text[place]
            place += 1
        else:
            match = _SINGLE.match(text, place)
            if match is None:
                raise ValueError(text)
            yield match[0]
            place = match.end()


def _parse_group(tokens: list[str], depth: int) -> str:
    """Consume one group in parentheses at the front of ``tokens``, and return it.

    Raises:
        ValueError: there is no valid group.
    """
    if depth > _DEEPEST or len(tokens) < 2 or tokens.pop(0) != "(":  # noqa: PLR2004 (a parenthesis and what it opens)
        raise ValueError(tokens)
    parts = [_parse_operand(tokens, depth)]
    joined: list[str] = []
    while tokens and tokens[0] in _OPERATORS:
        joined.append(tokens.pop(0))
        parts += [joined[-1], _parse_operand(tokens, depth)]
        if joined[-1] in {"if", "unless"} and tokens[:1] == ["else"]:
            parts += [tokens.pop(0), _parse_operand(tokens, depth)]
    if (
        tokens[:1] != [")"]
        or not joined
        or (len(joined) > 1 and not (len(set(joined)) == 1 and joined[0] in _CHAINABLE))
    ):
        raise ValueError(parts)
    tokens.pop(0)
    return f"({' '.join(parts)})"


def _parse_operand(tokens: list[str], depth: int) -> str:
    if tokens[:1] == ["("]:
        return _parse_group(tokens, depth + 1)
    spelled = _spell_single(tokens.pop(0)) if tokens else None
    if spelled is None or spelled in {*_OPERATORS, "else"}:
        raise ValueError(tokens)
    return spelled


_PACKAGE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]*")
_LARGEST_EPOCH: Final = 2**32 - 1
_GRAMMAR: Final = Grammar(
    spell_relation,
    is_single,
    is_versioned_at_most_exactly,
    relation="'postgresql >= 13' or '(postgresql or pgcli)'",
    single="guestbook-legacy < 2",
    provided="guestbook-api = 2",
    library="libfoo >= 2",
)


def problems(project: Project) -> Iterator[str]:
    """Yield problems of the project that config/ does not check: rpm's syntax, and names with default values.

    Source:
        rpm's manual, "Spec file format" and "Boolean Dependencies".
    """
    settings = project.settings
    if not _PACKAGE_NAME.fullmatch(project.package_name):
        yield f"name: {project.package_name!r} is not a valid package name; use letters, digits and . _ + -"
    if not _REVISION.fullmatch(settings.revision):
        yield f"revision: {settings.revision!r} is not valid in a Release; use letters, digits and . _ + ~ ^"
    if settings.epoch > _LARGEST_EPOCH:
        yield f"epoch: {settings.epoch} is larger than rpm accepts"
    yield from relation_problems(settings, _GRAMMAR)
