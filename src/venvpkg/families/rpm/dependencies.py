"""Derive the Requires of a payload: capabilities and their providers, loader, interpreter, the user's relations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from venvpkg.depends.derive import Claim, apply_overrides, derive, report_dependencies
from venvpkg.depends.stdlib import recommendation_note
from venvpkg.errors import ConfigurationError, UnprovidedCapabilityError
from venvpkg.families.common.preflight import warning_of
from venvpkg.families.common.system import system_claims
from venvpkg.families.common.units import SYSUSERS, TMPFILES, table_claims
from venvpkg.families.rpm.host import ISA
from venvpkg.families.rpm.interpreter import SPELLING, interpreter_claims, split_library_claims
from venvpkg.families.rpm.libraries import GNU_HASH, RpmLibraries, required_of_system
from venvpkg.families.rpm.owners import owners_of, read_owners
from venvpkg.families.rpm.relations import fewest, names_of, spell_relation
from venvpkg.families.rpm.repositories import providers_in_repositories
from venvpkg.linking.scope import resolve_payload
from venvpkg.model.depends import DependencySet, Evidence, NativePackage, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from venvpkg.families.base import TargetContext
    from venvpkg.families.rpm.owners import Owners
    from venvpkg.host.command import Runner
    from venvpkg.model.depends import Dependency
    from venvpkg.model.elf import ElfObject, ElfReport, ResolvedNeed
    from venvpkg.model.project import Settings, SonameRule
    from venvpkg.model.staged import StagedVenv


# The programs that create accounts and directories: part of systemd, or in a package of their own where it is absent.
_TABLE_READERS: Final = {SYSUSERS: "/usr/bin/systemd-sysusers", TMPFILES: "/usr/bin/systemd-tmpfiles"}


def derive_dependencies(
    elf: ElfReport, staged: StagedVenv, settings: Settings, context: TargetContext
) -> DependencySet:
    """Return every relation the package needs, with its evidence.

    These are the relations of rpm's own generator, without those that the payload meets itself, plus those on the
    interpreter.

    Args:
        elf: ELF files of the payload.
        staged: the payload.
        settings: what the user declares: relations to add or leave out (``depends``), and sonames.
        context: where it will be installed; its package database knows the libraries that it was compiled against.

    Raises:
        UndefinedSymbolError: extension modules import symbols that nothing defines.
        UnprovidedCapabilityError: no installed package and no repository provides some capabilities; it lists all.
        PackageDatabaseError: the target's package database cannot be read, or no package owns its interpreter.
        ConfigurationError: a declared relation is not valid.
        MissingToolError: rpm is not installed.
    """
    target, runner, reporter, declared = context.target, context.runner, context.reporter, settings.depends
    user = _declared_claims(settings.declared_depends)
    resolution = resolve_payload(elf, staged, settings, target)
    owners = read_owners(runner)
    ruled = {rule.soname for rule in settings.sonames}
    needs = [resolved_need for resolved_need in resolution.needs if resolved_need.need.soname not in ruled]
    required = required_of_system(elf.objects, needs)
    provided = _find_providers(required, needs, owners, runner)
    shipped_by = owners_of(target.interpreter.path, runner)
    interpreter: tuple[Claim, ...] = ()
    recommends: tuple[Dependency, ...] = ()
    warnings = {*resolution.warnings}
    if target.interpreter.is_default or shipped_by:
        package = shipped_by[0].name if shipped_by else f"python{target.interpreter.minor}"
        modules, recommends = split_library_claims(staged, target.interpreter, package, runner, reporter)
        needed_by = staged.prefix / "bin" / "python"
        own = interpreter_claims(target.interpreter, shipped_by, owners, staged.python_floor, needed_by)
        interpreter = (*own, *modules)
    else:
        warnings.add(warning_of(target.interpreter.path))
    others = (
        *interpreter,
        *_loader_claims(required, provided, staged),
        *system_claims(staged.system, SPELLING),
        *table_claims(staged, _TABLE_READERS),
    )
    abi = elf.objects[0].abi if elf.objects else None
    index = RpmLibraries(abi, provided, owners, target.mark(ISA) if settings.rpm_min_versions else None)
    computed = derive(elf, resolution.needs, index, staged.owners(), others, rules=_spell_rules(settings.sonames))
    computed = replace(computed, recommends=recommends)
    left_out = [each[1:] for each in declared if each.startswith("!")]
    result = apply_overrides(computed, user, left_out, fewest, names_of)
    result = replace(
        result,
        warnings=tuple(sorted({*result.warnings, *warnings, *map(recommendation_note, result.recommends)})),
        owners=tuple(_named_owners(result, (*provided.values(), *owners.packages()))),
    )
    report_dependencies(result, len(elf.objects), reporter, ("capability", "capabilities"))
    return result


def _find_providers(
    required: Mapping[str, Sequence[ElfObject]], needs: Iterable[ResolvedNeed], owners: Owners, runner: Runner
) -> dict[str, NativePackage]:
    """Return the provider of each capability: an installed package, else one in a repository.

    Raises:
        UnprovidedCapabilityError: some capabilities have no provider; the error lists all of them.
    """
    provided = {name: package for name in required if (package := owners.of(name)) is not None}
    missing = [name for name in required if name not in provided]
    in_repositories, problem = providers_in_repositories(missing, runner)
    provided |= in_repositories
    unprovided = {name: [each.path for each in required[name]] for name in missing if name not in in_repositories}
    if unprovided:
        places = {resolved_need.need.soname: resolved_need.paths[0] for resolved_need in needs if resolved_need.paths}
        found = {name: places[soname] for name in unprovided if (soname := name.partition("(")[0]) in places}
        raise UnprovidedCapabilityError(unprovided, found, problem)
    return provided


def _loader_claims(
    required: Mapping[str, Sequence[ElfObject]], provided: Mapping[str, NativePackage], staged: StagedVenv
) -> list[Claim]:
    """Return a claim for each object that needs a loader with GNU hashes; no library provides that capability."""
    distributions = staged.owners()
    return [
        Claim(
            GNU_HASH,
            Evidence(
                Source.CAPABILITY,
                needed_by=each.path,
                distribution=distributions.get(each.path),
                owner=provided[GNU_HASH].name,
            ),
        )
        for each in required.get(GNU_HASH, ())
    ]


def _spell_rules(rules: Iterable[SonameRule]) -> list[SonameRule]:
    return [replace(rule, relation=spell_relation(rule.relation) or "") for rule in rules]


def _named_owners(derived: DependencySet, packages: Iterable[NativePackage]) -> Iterator[tuple[str, NativePackage]]:
    """Yield the owners in the evidence, with their installed version, or that in a repository."""
    reasons = [one.evidence for one in derived.dependencies] + [one.evidence for one in derived.exclusions]
    named = {each.owner for evidence in reasons for each in evidence if each.owner}
    for name, package in sorted({each.name: each for each in sorted(packages)}.items()):
        if name in named:
            yield name, package


def _declared_claims(declared: Iterable[str]) -> list[Claim]:
    parsed = [(text, spell_relation(text)) for text in declared]
    problems = [
        f"depends: {text!r} is not a valid relation; expected e.g. 'postgresql >= 13'" for text, it in parsed if not it
    ]
    if problems:
        raise ConfigurationError("[tool.venvpkg]", problems)
    return [Claim(relation, Evidence(source=Source.USER)) for _, relation in parsed if relation]
