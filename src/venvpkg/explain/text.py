"""Explain dependencies as text: relation ← library with symbol version ← file ← distribution. Pure."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from venvpkg.errors import NotAPackageError
from venvpkg.model.depends import DependencySet, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from venvpkg.model.depends import Dependency, Evidence, Exclusion


_FIRST_WORD = re.compile(r"[^\s|()]+")
# Separates alternatives of a .deb, and the operands of an .rpm's boolean dependencies.
_RELATION_SEPARATOR = re.compile(r"\||\s(?:and|else|if|or|unless|with|without)\s")
WHY = {
    Source.SYMBOLS: "lowest version by the package's symbols file",
    Source.SHLIBS: "by the package's shlibs file",
    Source.CAPABILITY: "by the capabilities that the package provides",
    Source.USER: "by hand: sonames in the configuration",
    Source.OWNER: "the installed version, because the package says nothing about its ABI",
}


def explain_as_text(dependencies: DependencySet, package: str | None = None) -> str:
    """Return an explanation of a package's dependencies, or of those on one package.

    Under each relation are the libraries that cause it, and under each library the files that need it. Each file is
    listed with its floor, the symbol that set the floor, and its distribution; files with the highest floor come first.

    Args:
        dependencies: from the evidence of a package.
        package: name of one package; it matches any alternative of a relation.

    Returns:
        Lines, with a newline at the end. Undecodable bytes of paths are escaped.

    Raises:
        NotAPackageError: no relation names ``package``.
    """
    chosen = select_dependencies(dependencies, package)
    blocks = ["\n".join(_dependency_lines(each)) for each in chosen.dependencies]
    blocks += ["\n".join(("Recommends:", *_dependency_lines(each))) for each in chosen.recommends]
    blocks += ["\n".join(_exclusion_lines(each)) for each in chosen.exclusions]
    blocks = blocks or ["It depends on nothing."]
    if chosen.warnings:
        blocks.append("\n".join(("Warnings", *(f"  {each}" for each in chosen.warnings))))
    text = "\n\n".join(blocks) + "\n"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def select_dependencies(dependencies: DependencySet, package: str | None) -> DependencySet:
    """Return the dependencies on one package, or with exactly that relation, without warnings; or all of them.

    Raises:
        NotAPackageError: no relation names ``package``.
    """
    if package is None:
        return dependencies
    chosen = tuple(
        each for each in dependencies.dependencies if package in _query_names(each.relation) + _owner_names(each)
    )
    recommends = tuple(each for each in dependencies.recommends if package in _query_names(each.relation))
    left_out = tuple(each for each in dependencies.exclusions if package in _query_names(each.what))
    if not chosen and not recommends and not left_out:
        names = sorted({name for each in dependencies.dependencies for name in _package_names(each.relation)})
        raise NotAPackageError(
            f"it does not depend on {package}.",
            details=f"  It depends on {', '.join(names)}." if names else "  It depends on nothing.",
        )
    return DependencySet(chosen, exclusions=left_out, recommends=recommends)


def _exclusion_lines(exclusion: Exclusion) -> Iterator[str]:
    yield f"left out: {exclusion.what}"
    yield f"  the user's reason: {exclusion.reason}"
    for each in exclusion.evidence:
        needed = f"{each.soname} for {each.needed_by}" if each.soname else without_library(each)
        yield f"  needed as {needed}" if each.soname else f"  {needed}"


def _package_names(relation: str) -> list[str]:
    return [match[0] for part in _RELATION_SEPARATOR.split(relation) if (match := _FIRST_WORD.search(part))]


def _query_names(relation: str) -> list[str]:
    """Return the names by which a user can ask for a relation.

    These are its packages, the relation as 'rpm -q --requires' prints it, and a capability without its version.
    """
    return [*_package_names(relation), relation, relation.partition(" ")[0]]


def _owner_names(dependency: Dependency) -> list[str]:
    """Return the packages that ship the needed libraries; a relation of an .rpm names the library instead."""
    return [each.owner.partition(":")[0] for each in dependency.evidence if each.owner]


def _dependency_lines(dependency: Dependency) -> Iterator[str]:
    yield dependency.relation
    from_libraries = [each for each in dependency.evidence if each.soname is not None]
    for each in dependency.evidence:
        if each.soname is None:
            yield f"  {without_library(each)}"
    # Sorted by library; within one, the evidence keeps its order, highest floor first.
    for (soname, source), grouped in groupby(
        sorted(from_libraries, key=lambda each: (each.soname or "", each.source)),
        key=lambda each: (each.soname, each.source),
    ):
        evidence = list(grouped)
        owners = sorted({place_of(each) for each in evidence})
        yield f"  {soname}, {'; '.join(owners)} ({WHY.get(source, source)})"
        yield from _table_lines(evidence)


def place_of(evidence: Evidence) -> str:
    """Return the path of the library and the package that ships it."""
    if evidence.source is Source.USER:  # its owner is unknown
        return str(evidence.library or "not on this target")
    if evidence.library is None:
        return f"not installed, of {evidence.owner or 'no package'}"
    return f"{evidence.library} of {evidence.owner or 'no package'}"


def without_library(evidence: Evidence) -> str:  # noqa: PLR0911 - one for each source
    """Return the reason for a relation that is not caused by a library."""
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


def _table_lines(evidence: Sequence[Evidence]) -> Iterator[str]:
    """Yield a line of floor, symbol, distribution and file for each evidence, aligned in columns."""
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
    """Return ``>= 2.34``, ``any version``, or ``-`` where the floor does not depend on the file."""
    if evidence.source in {Source.SHLIBS, Source.CAPABILITY}:  # the source has a complete relation
        return "-"
    return f">= {evidence.floor}" if evidence.floor not in {None, "", "0"} else "any version"
