"""Derive native package dependencies from ELF evidence, and apply the user's overrides. Pure: opens no file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from venvpkg.errors import UnknownAbiError, UnownedSonameError
from venvpkg.model.depends import DependencySet, Evidence, Exclusion, Source
from venvpkg.model.elf import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from venvpkg.console import Reporter
    from venvpkg.model.depends import Dependency
    from venvpkg.model.elf import ElfObject, ElfReport, Need, ResolvedNeed
    from venvpkg.model.project import SonameRule


class Clause(NamedTuple):
    """A relation that a library requires of its users.

    Attributes:
        template: the relation in the family's syntax, with a place for the floor.
        floor: lowest version; None when any version will do.
    """

    template: str
    floor: str | None


@dataclass(frozen=True, slots=True)
class Library:
    """A library with the clauses that its package declares for users of the library.

    Attributes:
        path: of the library on the target; None when it is only in a repository of the target.
        owner: the installed package; None when a local rule covers a file that no package ships.
        source: where the owner declares the clauses.
        base: clauses for everything linked with the library; empty when the owner declares none.
        symbols: ``symbol@version`` → further clauses for its users; empty when the owner does not list symbols.
        warning: a sentence for the user; may be empty.
        versions: symbol version of this library → further clauses for objects that require it; empty when the owner
            lists symbols, or no versions.
    """

    path: PurePosixPath | None
    owner: str | None
    source: Source
    base: tuple[Clause, ...]
    symbols: Mapping[str, tuple[Clause, ...]]
    warning: str = ""
    versions: Mapping[str, tuple[Clause, ...]] = field(default_factory=dict)


class Claim(NamedTuple):
    """The template of a clause with the evidence for it, which includes the floor."""

    template: str
    evidence: Evidence


class OwnerIndex(Protocol):
    """Index of the packages of one target, in the syntax of their family."""

    def library(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        """Return the library found at one of ``places``; None when no package owns any of them."""

    def is_higher(self, version: str, than: str) -> bool:
        """Return whether a version is higher than another in the family's order."""

    def dependencies(self, claims: Iterable[Claim]) -> tuple[Dependency, ...]:
        """Return the fewest relations that satisfy all claims, sorted; they carry the evidence of every claim."""


def derive(  # noqa: PLR0913 - the facts, and the index that interprets them
    elf: ElfReport,
    needs: Iterable[ResolvedNeed],
    owners: OwnerIndex,
    distributions: Mapping[PurePosixPath, str],
    others: Iterable[Claim] = (),
    *,
    rules: Iterable[SonameRule] = (),
) -> DependencySet:
    """Return the relations that cover every need which the payload does not meet itself.

    Symbols that no owner of a needed library lists cause no relation. They come from the payload, from a library whose
    owner lists no symbols, or, like all ``Py*``, from the interpreter, which is a dependency of its own.

    Args:
        elf: objects of the payload.
        needs: their needed libraries, as the loader resolves them.
        owners: index of the target's packages.
        distributions: file of the payload → the distribution it belongs to.
        others: claims that do not come from ELF files: from the interpreter, from the user.
        rules: the user's relations for single libraries. They replace those of the owners for every need that the
            payload does not meet itself. A rule that matches no such need causes a warning.

    Raises:
        UnownedSonameError: needed libraries are missing, or no package ships them; the error lists all of them.

    Source:
        dpkg-shlibdeps(1), deb-symbols(5), deb-shlibs(5); rpm's elfdeps generator.
    """
    by_object: dict[PurePosixPath, list[ResolvedNeed]] = {}
    for resolved_need in needs:
        by_object.setdefault(resolved_need.need.needed_by, []).append(resolved_need)
    claims = list(others)
    unowned: list[Need] = []
    places: dict[Need, PurePosixPath] = {}
    warnings: set[str] = set()
    rule_of = {rule.soname: rule for rule in rules}
    by_rule: dict[SonameRule, list[Evidence]] = {rule: [] for rule in rule_of.values()}
    for facts in elf.objects:
        libraries: dict[str, Library] = {}
        for resolved_need in by_object.get(facts.path, ()):
            if resolved_need.found in {Found.SELF, Found.PRELOAD}:
                continue
            soname = resolved_need.need.soname
            if soname in rule_of:
                by_rule[rule_of[soname]].append(_evidence_by_rule(resolved_need, distributions))
                continue
            library = owners.library(soname, resolved_need.paths)
            if library is None:
                unowned.append(resolved_need.need)
                places.update({resolved_need.need: resolved_need.paths[0]} if resolved_need.paths else {})
                continue
            libraries[soname] = library
            if library.warning:
                warnings.add(library.warning)
        claims += _claims_of_object(facts, libraries, owners, distributions.get(facts.path))
        warnings |= _private_symbol_warnings(facts, libraries)
    if unowned:
        raise UnownedSonameError(unowned, places)
    claims += (Claim(rule.relation, each) for rule, found in by_rule.items() if rule.relation for each in found)
    warnings |= {f"sonames: nothing in the payload needs {rule.soname}" for rule, found in by_rule.items() if not found}
    exclusions = (
        Exclusion(rule.soname, f"{rule.reason} (sonames in the configuration)", tuple(found))
        for rule, found in by_rule.items()
        if found and not rule.relation
    )
    return DependencySet(
        owners.dependencies(claims), tuple(sorted(warnings)), tuple(sorted(exclusions, key=lambda each: each.what))
    )


def _evidence_by_rule(resolved_need: ResolvedNeed, distributions: Mapping[PurePosixPath, str]) -> Evidence:
    return Evidence(
        source=Source.USER,
        soname=resolved_need.need.soname,
        needed_by=resolved_need.need.needed_by,
        distribution=distributions.get(resolved_need.need.needed_by),
        library=resolved_need.paths[0] if resolved_need.paths else None,
    )


def _claims_of_object(
    facts: ElfObject, libraries: Mapping[str, Library], owners: OwnerIndex, distribution: str | None
) -> list[Claim]:
    """Return one claim for each template that each library of one object requires, with the object's own floor."""
    # (soname, template) → floor, and the symbol that set it.
    floors: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for soname, clause, symbol in _required_clauses(facts, libraries):
        key = (soname, clause.template)
        now = floors.get(key)
        if now is None or (clause.floor is not None and (now[0] is None or owners.is_higher(clause.floor, now[0]))):
            floors[key] = (clause.floor, symbol)
    return [
        Claim(
            template,
            Evidence(
                source=libraries[soname].source,
                soname=soname,
                needed_by=facts.path,
                distribution=distribution,
                floor=floor,
                symbol=symbol,
                library=libraries[soname].path,
                owner=libraries[soname].owner,
            ),
        )
        for (soname, template), (floor, symbol) in floors.items()
    ]


def _required_clauses(facts: ElfObject, libraries: Mapping[str, Library]) -> Iterator[tuple[str, Clause, str | None]]:
    """Yield the clauses that libraries require of one object: soname, clause, symbol or version that causes it."""
    for soname, library in libraries.items():
        yield from ((soname, clause, None) for clause in library.base)
    for required in facts.symbol_versions:
        versions = libraries[required.soname].versions if required.soname in libraries else {}
        yield from ((required.soname, clause, required.version) for clause in versions.get(required.version, ()))
    with_symbols = [(soname, library.symbols) for soname, library in libraries.items() if library.symbols]
    for symbol in _versioned_symbols(facts) if with_symbols else ():
        # The first library that lists a symbol defines it.
        found = next(((soname, symbols[symbol]) for soname, symbols in with_symbols if symbol in symbols), None)
        if found is not None:
            yield from ((found[0], clause, symbol) for clause in found[1])


def _versioned_symbols(facts: ElfObject) -> Iterable[str]:
    """Yield each ``symbol@version`` once.

    A version is also an absolute symbol of the library that defines it, bound to itself. Linkers require some versions
    without using any of their symbols. ``GLIBC_ABI_DT_RELR`` is the only sign that the loader must understand packed
    relative relocations (Debian bug 1122107).
    """
    yield from dict.fromkeys(f"{each.name}@{each.version}" for each in facts.undefined)
    yield from dict.fromkeys(f"{each.version}@{each.version}" for each in facts.symbol_versions)


def _private_symbol_warnings(facts: ElfObject, libraries: Mapping[str, Library]) -> set[str]:
    return {
        f"{facts.path} uses {each.version} of {each.soname}: private symbols, which bind the package to one version"
        for each in facts.symbol_versions
        if each.version.endswith("_PRIVATE") and each.soname in libraries
    }


def require_known_floors(dependencies: DependencySet) -> None:
    """Refuse floors that are only the installed version, because the package declares no lower one.

    Raises:
        UnknownAbiError: there are such floors; the error lists all of them.
    """
    guessed = {
        (evidence.soname, evidence.owner or "")
        for each in dependencies.dependencies
        for evidence in each.evidence
        if evidence.source is Source.OWNER and evidence.soname is not None
    }
    if guessed:
        raise UnknownAbiError(guessed)


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
