"""Derive the Depends of a payload on a target with dpkg: from its libraries, interpreter and declared relations."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from venvpkg.depends.derive import Claim, apply_overrides, derive, report_dependencies
from venvpkg.depends.stdlib import recommendation_note
from venvpkg.errors import ConfigurationError
from venvpkg.families.common.preflight import warning_of
from venvpkg.families.common.system import system_claims
from venvpkg.families.common.units import SYSUSERS, TMPFILES, table_claims
from venvpkg.families.deb.interpreter import SPELLING, full_package, interpreter_claims, is_owned, split_library_claims
from venvpkg.families.deb.libraries import DebLibraries
from venvpkg.families.deb.owners import read_owners
from venvpkg.families.deb.relations import fewest, parse_relation, spell_relation
from venvpkg.host.layers import LayeredRoot
from venvpkg.linking.scope import resolve_payload
from venvpkg.model.depends import Evidence, Source
from venvpkg.model.elf import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.families.base import TargetContext
    from venvpkg.families.deb.owners import Owners
    from venvpkg.model.depends import Dependency, DependencySet, NativePackage
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.project import Settings
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Target


# Packages that create accounts and directories. Source: dh_installsysusers(1), dh_installtmpfiles(1).
_READERS: Final = {
    SYSUSERS: "systemd | systemd-standalone-sysusers | systemd-sysusers",
    TMPFILES: "systemd | systemd-standalone-tmpfiles | systemd-tmpfiles",
}


def derive_dependencies(
    elf: ElfReport, staged: StagedVenv, settings: Settings, context: TargetContext
) -> DependencySet:
    """Return the relations that the package needs, each with its evidence.

    Computed relations that the user leaves out are kept as exclusions, with a warning.

    Args:
        elf: ELF files of the payload.
        staged: the payload.
        settings: the user's settings: relations to add or leave out (``depends``), and sonames.
        context: the target, whose package database has the libraries that the payload was compiled against.

    Raises:
        UndefinedSymbolError: extension modules import symbols that nothing defines.
        UnownedSonameError: no package ships some needed libraries.
        PackageDatabaseError: the target's database cannot be read, or no package owns its interpreter.
        ConfigurationError: a declared relation is not valid.
        MissingToolError: dpkg-query is not installed.
    """
    target, runner, reporter, declared = context.target, context.runner, context.reporter, settings.depends
    user = _declared_claims(settings.declared_depends)
    resolution = resolve_payload(elf, staged, settings, target)
    places = dict.fromkeys(chain.from_iterable(each.paths for each in resolution.needs if each.found is Found.TARGET))
    owners = read_owners(
        target,
        LayeredRoot(target.root),
        [*places, target.interpreter.path],
        [full_package(target.interpreter)],
        runner,
    )
    claims: tuple[Claim, ...] = ()
    recommends: tuple[Dependency, ...] = ()
    warnings = {*resolution.warnings}
    if target.interpreter.is_default or is_owned(target.interpreter, owners):
        modules, recommends = split_library_claims(staged, target, runner, reporter)
        needed_by = staged.prefix / "bin" / "python"
        claims = (*interpreter_claims(target.interpreter, owners, staged.python_floor, needed_by), *modules)
    else:
        warnings.add(warning_of(target.interpreter.path))
    claims = (
        *claims,
        *system_claims(staged.system, SPELLING),
        *table_claims(staged, _READERS),
    )
    computed = derive(
        elf, resolution.needs, DebLibraries(target, owners), staged.owners(), claims, rules=settings.sonames
    )
    computed = replace(computed, recommends=recommends)
    result = apply_overrides(computed, user, [each[1:] for each in declared if each.startswith("!")], fewest, _packages)
    result = replace(
        result,
        warnings=tuple(sorted({*result.warnings, *warnings, *map(recommendation_note, result.recommends)})),
        owners=tuple(
            sorted({**dict(_library_owners(result, owners, target)), **_system_owners(result, staged)}.items())
        ),
    )
    report_dependencies(result, len(elf.objects), reporter, ("package", "packages"))
    return result


def _packages(dependency: Dependency) -> list[str]:
    return [each.name.partition(":")[0] for each in parse_relation(dependency.relation) or ()]


def _library_owners(derived: DependencySet, owners: Owners, target: Target) -> Iterator[tuple[str, NativePackage]]:
    """Yield the owners in the evidence, with the installed packages."""
    reasons = [one.evidence for one in derived.dependencies] + [one.evidence for one in derived.exclusions]
    for owner in sorted({each.owner for evidence in reasons for each in evidence if each.owner}):
        if package := owners.package(owner, target):
            yield owner, package


def _system_owners(derived: DependencySet, staged: StagedVenv) -> dict[str, NativePackage]:
    """Return the packages of the system distributions that occur in the evidence."""
    reasons = [one.evidence for one in derived.dependencies] + [one.evidence for one in derived.exclusions]
    named = {each.owner for evidence in reasons for each in evidence}
    packages = (each.distribution.package for each in staged.system)
    return {each.name: each for each in packages if each.name in named}


def _declared_claims(declared: Iterable[str]) -> list[Claim]:
    parsed = [(text, parse_relation(text)) for text in declared]
    problems = [
        f"depends: {text!r} is not a valid relation; expected e.g. 'postgresql-client (>= 13)'"
        for text, it in parsed
        if not it
    ]
    if problems:
        raise ConfigurationError("[tool.venvpkg]", problems)
    return [Claim(spell_relation(relation), Evidence(source=Source.USER)) for _, relation in parsed if relation]
