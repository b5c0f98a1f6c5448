"""Explain dependencies to people: relation ← library, and the symbol version ← file ← distribution. Pure."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from venvpkg.errors import NotAPackageError
from venvpkg.model.depends import DependencySet, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from venvpkg.model.depends import Dependency, Evidence, Exclusion


_PACKAGE = re.compile(r"[^\s|()]+")
# What parts alternatives in a .deb, and conditions in an .rpm.
_PARTED = re.compile(r"\||\s(?:and|else|if|or|unless|with|without)\s")
WHY = {
    Source.SYMBOLS: "lowest version by the package's symbols file",
    Source.SHLIBS: "by the package's shlibs file",
    Source.CAPABILITY: "by the capabilities that the package provides",
    Source.USER: "by hand: sonames in the configuration",
    Source.OWNER: "the installed version, because the package says nothing about its ABI",
}


def explanation(dependencies: DependencySet, package: str | None = None) -> str:
    """Return why the package depends on all it depends on, or on one package.

    Under each relation stand the libraries that cause it; under each library the files that need it, those first whose
    floor is highest, with the symbol that set it and the distribution the file belongs to.

    Args:
        dependencies: from a record.
        package: name of one; any alternative of a relation counts.

    Returns:
        Lines, with a newline at the end; any character of a path that cannot be printed is escaped.

    Raises:
        NotAPackageError: no relation names ``package``.
    """
    chosen = chosen_dependencies(dependencies, package)
    blocks = ["\n".join(_block(each)) for each in chosen.dependencies]
    blocks += ["\n".join(("Recommends:", *_block(each))) for each in chosen.recommends]
    blocks += ["\n".join(_left_out(each)) for each in chosen.exclusions]
    blocks = blocks or ["It depends on nothing."]
    if chosen.warnings:
        blocks.append("\n".join(("Warnings", *(f"  {each}" for each in chosen.warnings))))
    text = "\n\n".join(blocks) + "\n"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def chosen_dependencies(dependencies: DependencySet, package: str | None) -> DependencySet:
    """Return those on one package, or of one relation as it stands in the field, without the warnings; or all.

    Raises:
        NotAPackageError: no relation names ``package``.
    """
    if package is None:
        return dependencies
    chosen = tuple(each for each in dependencies.dependencies if package in _names(each.relation) + _owners(each))
    recommends = tuple(each for each in dependencies.recommends if package in _names(each.relation))
    left_out = tuple(each for each in dependencies.exclusions if package in _names(each.what))
    if not chosen and not recommends and not left_out:
        names = sorted({name for each in dependencies.dependencies for name in _packages(each.relation)})
        raise NotAPackageError(
            f"It does not depend on {package}.",
            details=f"  It depends on {', '.join(names)}." if names else "  It depends on nothing.",
        )
    return DependencySet(chosen, exclusions=left_out, recommends=recommends)


def _left_out(exclusion: Exclusion) -> Iterator[str]:
    yield f"left out: {exclusion.what}"
    yield f"  the user's reason: {exclusion.reason}"
    for each in exclusion.evidence:
        needed = f"{each.soname} for {each.needed_by}" if each.soname else without_library(each)
        yield f"  needed as {needed}" if each.soname else f"  {needed}"


def _packages(relation: str) -> list[str]:
    return [match[0] for part in _PARTED.split(relation) if (match := _PACKAGE.search(part))]


def _names(relation: str) -> list[str]:
    """Return what one may ask for a relation by.

    That is its packages; itself, as 'rpm -q --requires' prints it; and a capability without its version.
    """
    return [*_packages(relation), relation, relation.partition(" ")[0]]


def _owners(dependency: Dependency) -> list[str]:
    """Return the packages that ship what is needed: a relation may be on a library, whose name is not its package's."""
    return [each.owner.partition(":")[0] for each in dependency.evidence if each.owner]


def _block(dependency: Dependency) -> Iterator[str]:
    yield dependency.relation
    from_libraries = [each for each in dependency.evidence if each.soname is not None]
    for each in dependency.evidence:
        if each.soname is None:
            yield f"  {without_library(each)}"
    # Sorted by library for the reader; the order within one, highest floor first, is the record's.
    for (soname, source), grouped in groupby(
        sorted(from_libraries, key=lambda each: (each.soname or "", each.source)),
        key=lambda each: (each.soname, each.source),
    ):
        evidence = list(grouped)
        owners = sorted({place_of(each) for each in evidence})
        yield f"  {soname}, {'; '.join(owners)} ({WHY.get(source, source)})"
        yield from _table(evidence)


def place_of(evidence: Evidence) -> str:
    """Return where the library is, and whose it is."""
    if evidence.source is Source.USER:  # who owns it was not asked
        return str(evidence.library or "not on this target")
    if evidence.library is None:
        return f"not installed, of {evidence.owner or 'no package'}"
    return f"{evidence.library} of {evidence.owner or 'no package'}"


def without_library(evidence: Evidence) -> str:  # noqa: PLR0911 - one for each source
    """Return the reason for a relation that no library causes."""
    match evidence.source:
        case Source.INTERPRETER:
            lowest = f", {evidence.floor} or later" if evidence.floor else ""
            return f"{evidence.needed_by} is {evidence.library} of {evidence.owner}{lowest}"
        case Source.IMPORT:
            return f"{evidence.module}, imported by {evidence.needed_by} of {evidence.distribution}"
        case Source.SYSTEM:
            needs = f"{evidence.distribution} requires {evidence.symbol}" if evidence.distribution else evidence.symbol
            return f"{needs}: {evidence.library} of {evidence.owner}, by wheels.system, {floor_of(evidence)}"
        case Source.UNIT:
            return f"reads {evidence.needed_by} when the package is installed"
        case Source.USER:
            return "declared by hand: depends in [tool.venvpkg]"
        case Source.CAPABILITY:
            return f"{evidence.needed_by} needs it of the loader, which is in {evidence.owner}"
        case _:
            return f"{evidence.source}: {evidence.needed_by or 'the package'}"


def _table(evidence: Sequence[Evidence]) -> Iterator[str]:
    """Yield floor, symbol, distribution and file, aligned."""
    rows = [
        (
            floor_of(each),
            each.symbol or "the library itself",
            each.distribution or "-",
            str(each.needed_by),
        )
        for each in evidence
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "    " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])


def floor_of(evidence: Evidence) -> str:
    """Return ``>= 2.34``, ``any version``, or ``-`` where files are not told apart."""
    if evidence.source in {Source.SHLIBS, Source.CAPABILITY}:  # the relation stands there as it is used
        return "-"
    return f">= {evidence.floor}" if evidence.floor not in {None, "", "0"} else "any version"
