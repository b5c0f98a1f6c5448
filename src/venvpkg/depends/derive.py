"""Derive native package dependencies from ELF evidence. Pure: opens no file, starts no process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from venvpkg.errors import UnknownAbiError, UnownedSonameError
from venvpkg.model.depends import DependencySet, Evidence, Exclusion, Source
from venvpkg.model.elf import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from venvpkg.model.depends import Dependency
    from venvpkg.model.elf import ElfObject, ElfReport, Need, ResolvedNeed
    from venvpkg.model.project import SonameRule


class Clause(NamedTuple):
    """A relation that a library asks for.

    Attributes:
        template: the relation, with a place for the floor; what it looks like is the family's affair.
        floor: lowest version; None when every version serves.
    """

    template: str
    floor: str | None


@dataclass(frozen=True, slots=True)
class Library:
    """What the package that owns a library says about it.

    Attributes:
        path: where the library is, on the target; None when it is in a repository of the target only.
        owner: the installed package; None when a local rule speaks for a file that no package ships.
        source: how the owner says it.
        base: what everything linked with the library needs; empty when the owner wants it so.
        symbols: ``symbol@version`` → what its users need in addition; empty when the owner does not tell symbols apart.
        warning: a sentence for the user; empty for none.
        versions: symbol version of this library → what objects that require it need in addition; empty when the owner
            tells single symbols apart, or nothing.
    """

    path: PurePosixPath | None
    owner: str | None
    source: Source
    base: tuple[Clause, ...]
    symbols: Mapping[str, tuple[Clause, ...]]
    warning: str = ""
    versions: Mapping[str, tuple[Clause, ...]] = field(default_factory=dict)


class Claim(NamedTuple):
    """A clause's template, and the evidence for it, which has the floor."""

    template: str
    evidence: Evidence


class OwnerIndex(Protocol):
    """Knows the packages of one target, and how their family spells relations."""

    def library(self, soname: str, places: Sequence[PurePosixPath]) -> Library | None:
        """Return what is known of a library that was found at ``places``; None when nothing owns any of them."""

    def is_higher(self, version: str, than: str) -> bool:
        """Compare two versions in the family's order."""

    def dependencies(self, claims: Iterable[Claim]) -> tuple[Dependency, ...]:
        """Return the fewest relations that satisfy all claims, sorted; the evidence of those left out is kept."""


def derive(  # noqa: PLR0913 - facts, and who interprets them
    elf: ElfReport,
    edges: Iterable[ResolvedNeed],
    owners: OwnerIndex,
    distributions: Mapping[PurePosixPath, str],
    others: Iterable[Claim] = (),
    *,
    rules: Iterable[SonameRule] = (),
) -> DependencySet:
    """Return the relations that cover every need which the payload does not meet itself.

    Symbols that no needed library's owner lists cause nothing: they come from the payload, from a library whose owner
    does not tell symbols apart, or, as all ``Py*``, from the interpreter, which is a dependency of its own.

    Args:
        elf: the payload's objects.
        edges: where the loader finds what they need.
        owners: the target's packages.
        distributions: file of the payload → the distribution it belongs to.
        others: claims that do not come from ELF files: the interpreter, the user.
        rules: what the user says of single libraries; it counts instead of what their owners say, for every need that
            the payload does not meet itself. A rule without any such need is worth a warning.

    Raises:
        UnownedSonameError: needed libraries are not there or no package ships them; the error lists all of them.

    Source:
        dpkg-shlibdeps(1), deb-symbols(5), deb-shlibs(5); rpm's elfdeps generator.
    """
    by_object: dict[PurePosixPath, list[ResolvedNeed]] = {}
    for resolved_need in edges:
        by_object.setdefault(resolved_need.need.needed_by, []).append(resolved_need)
    claims = list(others)
    unowned: list[Need] = []
    places: dict[Need, PurePosixPath] = {}
    warnings: set[str] = set()
    ruled = {rule.soname: rule for rule in rules}
    by_rule: dict[SonameRule, list[Evidence]] = {rule: [] for rule in ruled.values()}
    for facts in elf.objects:
        libraries: dict[str, Library] = {}
        for resolved_need in by_object.get(facts.path, ()):
            if resolved_need.found in {Found.SELF, Found.PRELOAD}:
                continue
            soname = resolved_need.need.soname
            if soname in ruled:
                by_rule[ruled[soname]].append(_evidence_by_rule(resolved_need, distributions))
                continue
            library = owners.library(soname, resolved_need.paths)
            if library is None:
                unowned.append(resolved_need.need)
                places.update({resolved_need.need: resolved_need.paths[0]} if resolved_need.paths else {})
                continue
            libraries[soname] = library
            if library.warning:
                warnings.add(library.warning)
        claims += _claims_of(facts, libraries, owners, distributions.get(facts.path))
        warnings |= _private_symbols(facts, libraries)
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


def _claims_of(
    facts: ElfObject, libraries: Mapping[str, Library], owners: OwnerIndex, distribution: str | None
) -> list[Claim]:
    """Return one claim for each template that each library of one object asks for, with this object's own floor."""
    # (soname, template) → floor, and the symbol that set it.
    floors: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for soname, clause, symbol in _asked(facts, libraries):
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


def _asked(facts: ElfObject, libraries: Mapping[str, Library]) -> Iterator[tuple[str, Clause, str | None]]:
    """Yield what each library asks of one object: soname, clause, and the symbol or version that is the reason."""
    for soname, library in libraries.items():
        yield from ((soname, clause, None) for clause in library.base)
    for required in facts.symbol_versions:
        versions = libraries[required.soname].versions if required.soname in libraries else {}
        yield from ((required.soname, clause, required.version) for clause in versions.get(required.version, ()))
    with_symbols = [(soname, library.symbols) for soname, library in libraries.items() if library.symbols]
    for symbol in _symbols_of(facts) if with_symbols else ():
        # The first library that lists a symbol defines it.
        found = next(((soname, symbols[symbol]) for soname, symbols in with_symbols if symbol in symbols), None)
        if found is not None:
            yield from ((found[0], clause, symbol) for clause in found[1])


def _symbols_of(facts: ElfObject) -> Iterable[str]:
    """Yield each ``symbol@version`` once.

    A version itself is also an (absolute) symbol of the library that defines it, bound to itself. Linkers require some
    without using any symbol of theirs: ``GLIBC_ABI_DT_RELR`` says that the loader must understand packed relative
    relocations, and nothing but the version says it (Debian bug 1122107).
    """
    yield from dict.fromkeys(f"{each.name}@{each.version}" for each in facts.undefined)
    yield from dict.fromkeys(f"{each.version}@{each.version}" for each in facts.symbol_versions)


def _private_symbols(facts: ElfObject, libraries: Mapping[str, Library]) -> set[str]:
    return {
        f"{facts.path} uses {each.version} of {each.soname}: private symbols, which bind the package to one version"
        for each in facts.symbol_versions
        if each.version.endswith("_PRIVATE") and each.soname in libraries
    }


def require_known_floors(dependencies: DependencySet) -> None:
    """Refuse a relation whose lowest version is the installed one, because its package tells none.

    Raises:
        UnknownAbiError: there are such; with all of them.
    """
    guessed = {
        (evidence.soname, evidence.owner or "")
        for each in dependencies.dependencies
        for evidence in each.evidence
        if evidence.source is Source.OWNER and evidence.soname is not None
    }
    if guessed:
        raise UnknownAbiError(guessed)
