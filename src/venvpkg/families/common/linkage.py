"""Resolve what a payload takes from libraries: which it needs, and whether anything defines the symbols it imports."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from venvpkg.errors import UndefinedSymbolError, shown
from venvpkg.linking.loader import Resolution, resolve_needs
from venvpkg.linking.scope import find_undefined_symbols

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from venvpkg.linking.scope import UndefinedSymbol
    from venvpkg.model.elf import ElfReport
    from venvpkg.model.project import Settings
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Target


def resolve_payload(elf: ElfReport, staged: StagedVenv, settings: Settings, target: Target) -> Resolution:
    """Return the needs of the payload, with a warning for each object that might not find a symbol.

    Args:
        elf: ELF files of the payload.
        staged: the payload.
        settings: ``undefined_symbols`` has patterns of symbols that something else defines.
        target: where it will be installed.

    Raises:
        UndefinedSymbolError: extension modules cannot be imported; the error lists all of them.
    """
    resolution = resolve_needs(elf, staged.destdir, target)
    certain: dict[PurePosixPath, list[str]] = {}
    possible: dict[tuple[PurePosixPath, PurePosixPath | None], list[str]] = {}
    for each in find_undefined_symbols(elf, resolution.needs, staged.destdir, target):
        if _is_allowed(each, settings.undefined_symbols):
            continue
        if each.is_certain:
            certain.setdefault(each.path, []).append(each.name)
        else:
            possible.setdefault((each.path, each.elsewhere), []).append(each.name)
    if certain:
        owners = staged.owners()
        own = canonicalize_name(staged.application.name)  # it has no prebuilt wheel to take instead
        names = {owners[path] for path in certain if path in owners}
        raise UndefinedSymbolError(certain, names - {own})
    warnings = {_warning(path, elsewhere, names) for (path, elsewhere), names in possible.items()}
    return Resolution(resolution.needs, tuple(sorted({*resolution.warnings, *warnings})))


def _warning(path: PurePosixPath, elsewhere: PurePosixPath | None, names: list[str]) -> str:
    nothing = "nothing that it needs defines"
    where = f"only {elsewhere} defines: something must load it first" if elsewhere else nothing
    return f"{path} imports {shown(names)}, which {where}"


def _is_allowed(symbol: UndefinedSymbol, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(symbol.name.partition("@")[0], each) for each in patterns)
