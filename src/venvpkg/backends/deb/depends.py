"""The Depends of a payload on a target with dpkg: loader, owners, derivation, interpreter, declared relations."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from venvpkg.backends.deb.interpreter import full_package, interpreter_claim
from venvpkg.backends.deb.libraries import DebLibraries
from venvpkg.backends.deb.owners import read_owners
from venvpkg.backends.deb.relations import parse_relation, spelled
from venvpkg.depends.derive import Claim, derive
from venvpkg.depends.loader import load
from venvpkg.errors import ConfigurationError
from venvpkg.host.layers import LayeredRoot
from venvpkg.model.depends import DependencySet, Evidence, Source
from venvpkg.model.elf import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvpkg.console import Report
    from venvpkg.host.runner import Runner
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Target


def derive_dependencies(  # noqa: PLR0913 (a stage: payload, place, effects)
    report: ElfReport,
    staged: StagedVenv,
    target: Target,
    runner: Runner,
    console_report: Report,
    *,
    declared: Sequence[str] = (),
) -> DependencySet:
    """Return every relation the package needs, with its evidence.

    Args:
        report: ELF files of the payload.
        staged: the payload.
        target: where it will be installed; its package database knows the libraries it was compiled against.
        runner: runs dpkg-query on this machine.
        console_report: hears the warnings, which are in the result as well.
        declared: relations of the user (``depends`` in the configuration).

    Raises:
        UnownedSonameError: needed libraries that no package ships.
        PackageDatabaseError: the target's database cannot be read, or no package owns its interpreter.
        ConfigurationError: what was declared is no relation.
        MissingToolError: no dpkg-query.
    """
    user = _declared_claims(declared)
    loaded = load(report, staged.destdir, target)
    places = dict.fromkeys(chain.from_iterable(each.places for each in loaded.edges if each.found is Found.SYSTEM))
    owners = read_owners(
        target,
        LayeredRoot(target.root),
        [*places, target.interpreter.path],
        [full_package(target.interpreter)],
        runner,
    )
    interpreter = interpreter_claim(target.interpreter, owners, staged.python_floor, staged.prefix / "bin" / "python")
    derived = derive(report, loaded.edges, DebLibraries(target, owners), staged.owners(), (interpreter, *user))
    result = replace(derived, warnings=tuple(sorted({*derived.warnings, *loaded.warnings})))
    for warning in result.warnings:
        console_report.warn(warning)
    objects, packages = len(report.objects), len(result.dependencies)
    console_report.step(
        f"{objects} ELF file{'s need' if objects != 1 else ' needs'} {packages} package{'s' * (packages != 1)}"
    )
    return result


def _declared_claims(declared: Iterable[str]) -> list[Claim]:
    parsed = [(text, parse_relation(text)) for text in declared]
    problems = [
        f"depends: {text!r} is no relation, such as 'postgresql-client (>= 13)'" for text, it in parsed if not it
    ]
    if problems:
        raise ConfigurationError("[tool.venvpkg]", problems)
    return [Claim(spelled(relation), Evidence(source=Source.USER)) for _, relation in parsed if relation]
