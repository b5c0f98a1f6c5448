"""Find the undefined symbols of a payload, as ``ldd -r`` would report them on the target.

The loader searches the program, its libraries, and the object with its libraries. ``ldd -r`` only searches the latter.
So it reports every ``Py…`` symbol of an extension module, and every symbol that a library takes from whatever loads it.
Here, the interpreter and the loading objects are searched as well.
"""

from __future__ import annotations

import contextlib
import fnmatch
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from packaging.utils import canonicalize_name

from venvpkg.errors import ElfError, UndefinedSymbolError, shown
from venvpkg.host.layers import LayeredRoot
from venvpkg.linking.loader import Resolution, resolve_needs
from venvpkg.linking.read import read_abi, read_exports, read_object
from venvpkg.linking.search import expand_tokens, system_directories
from venvpkg.linking.symbols import UNVERSIONED
from venvpkg.model.elf import ElfKind, Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvpkg.model.elf import ElfObject, ElfReport, ResolvedNeed, Symbol
    from venvpkg.model.project import Settings
    from venvpkg.model.staged import StagedVenv
    from venvpkg.model.target import Target


# An extension module's file name with the tag of one interpreter (PEP 3149; PyPy's importlib).
_TAGGED: Final = re.compile(r"\.(?:cpython-\d+[a-z]*|pypy\d+-pp\d+)-[^/]*\.so$")


class UndefinedSymbol(NamedTuple):
    """A symbol that the loader will not find.

    Attributes:
        path: object that imports it.
        name: name as the linker spells it, with the version if it has one.
        elsewhere: file of the payload that defines it, but is not loaded together with the object; None if no file
            does.
        is_certain: whether importing the object fails for certain: it is an extension module for the target's
            interpreter, which binds all symbols at once, and no file of the payload defines this one.
    """

    path: PurePosixPath
    name: str
    elsewhere: PurePosixPath | None
    is_certain: bool


def find_undefined_symbols(
    elf: ElfReport, needs: Iterable[ResolvedNeed], destdir: Path, target: Target
) -> tuple[UndefinedSymbol, ...]:
    """Return the symbols that the loader will not find, in the order of the report.

    Left out are weak symbols, which may be undefined; extension modules for another interpreter, which are never
    loaded; and objects with a library that is missing or cannot be read, which could define anything.

    Source:
        ldd(1), option ``-r``; ld.so(8); glibc's ``elf/dl-lookup.c``. CPython's ``Python/dynload_shlib.c`` and
        ``sys.getdlopenflags``: modules are loaded with RTLD_NOW.
    """
    return tuple(_Payload(elf, needs, destdir, target).undefined())


class _Library(NamedTuple):
    """A library: its path on this machine and on the target, the names it needs, and its search path."""

    file: Path
    path: PurePosixPath
    needed: tuple[str, ...]
    search_path: tuple[str, ...]


class _UnknownError(Exception):
    """A library of the scope is missing or unreadable."""


class _Payload:
    def __init__(self, elf: ElfReport, needs: Iterable[ResolvedNeed], destdir: Path, target: Target) -> None:
        self._objects = {each.path: each for each in elf.objects}
        self._destdir = destdir
        self._target = _TargetLibraries(target)
        self._suffix = target.interpreter.ext_suffix
        self._exports: dict[PurePosixPath, frozenset[str]] = {}
        self._needs: dict[PurePosixPath, list[ResolvedNeed]] = {}
        for each in needs:
            self._needs.setdefault(each.need.needed_by, []).append(each)
        self._interpreter = str(target.interpreter.path)
        self._loads = {path: self._closure(path) for path in self._objects}
        self._loaded_by: dict[PurePosixPath, list[PurePosixPath]] = {}
        for path, loaded in self._loads.items():
            for library in loaded:
                self._loaded_by.setdefault(library, []).append(path)

    def undefined(self) -> Iterator[UndefinedSymbol]:
        """Yield the undefined symbols of all objects."""
        for path, facts in self._objects.items():
            if facts.kind not in {ElfKind.SHARED, ElfKind.EXECUTABLE} or self._is_for_another_interpreter(path):
                continue
            with contextlib.suppress(_UnknownError):
                yield from self._undefined_in(path, facts)

    def _undefined_in(self, path: PurePosixPath, facts: ElfObject) -> Iterator[UndefinedSymbol]:
        """Yield the undefined symbols of one object.

        Raises:
            _UnknownError: a library is not known.
        """
        imported = [_spelled(each) for each in facts.undefined if not each.weak]
        missing = set(imported)
        for exports in self._scope(path, facts) if missing else ():
            missing -= exports
            if not missing:
                return
        for exports in self._scope(path, facts) if any("@" in each for each in missing) else ():
            missing = _missing_in(missing, exports)
        is_module = self._is_module(path)
        for name in (each for each in imported if each in missing):
            elsewhere = next((each for each in self._objects if not _missing_in({name}, self._exported_by(each))), None)
            yield UndefinedSymbol(path, name, elsewhere, is_module and elsewhere is None)

    def _scope(self, path: PurePosixPath, facts: ElfObject) -> Iterator[frozenset[str]]:
        """Yield the exports of each object that the loader searches, the cheap and likely ones first.

        Raises:
            _UnknownError: a library is not known.
        """
        is_program = facts.interpreter is not None and facts.soname is None
        if not is_program:
            yield from map(self._target.exports, self._target.closure([self._interpreter]))
        searched: set[PurePosixPath] = set()
        for start in (path, *self._loaded_by.get(path, ())):
            yield from map(self._target.exports, self._target.closure(self._outside(start)))
            for each in (start, *self._loads[start]):
                if each not in searched:
                    searched.add(each)
                    yield self._exported_by(each)

    def _outside(self, path: PurePosixPath) -> list[str]:
        """Return the target's libraries that an object, or a payload library loaded with it, needs directly."""
        found: dict[str, None] = {}
        for each in (path, *self._loads[path]):
            for need in self._needs.get(each, ()):
                if need.found is Found.MISSING:
                    raise _UnknownError
                if need.found is Found.TARGET:
                    found[str(need.paths[0])] = None
        return list(found)

    def _closure(self, path: PurePosixPath) -> tuple[PurePosixPath, ...]:
        """Return the payload's libraries that are loaded with an object, without itself."""
        found: dict[PurePosixPath, None] = {path: None}
        pending = [path]
        while pending:
            for need in self._needs.get(pending.pop(), ()):
                if need.found in {Found.SELF, Found.PRELOAD}:
                    new = [each for each in need.paths if each not in found and each in self._objects]
                    found.update(dict.fromkeys(new))
                    pending += new
        del found[path]
        return tuple(found)

    def _exported_by(self, path: PurePosixPath) -> frozenset[str]:
        if path not in self._exports:
            self._exports[path] = _read_exports(self._destdir / path.relative_to("/"), path)
        return self._exports[path]

    def _is_module(self, path: PurePosixPath) -> bool:
        """Return whether an ``import`` of the target's interpreter can load the object (PEP 489: its export hook)."""
        stem = path.name.partition(".")[0]
        hook = f"PyInit_{stem}" if stem.isascii() else f"PyInitU_{stem.encode('punycode').decode().replace('-', '_')}"
        return hook in self._exported_by(path)

    def _is_for_another_interpreter(self, path: PurePosixPath) -> bool:
        return bool(_TAGGED.search(path.name)) and not path.name.endswith(self._suffix or "\n")


class _TargetLibraries:
    """The libraries of the target, with those that they need, each read once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._root = LayeredRoot(target.root)
        self._directories = system_directories(self._root, target)
        self._libraries: dict[str, _Library] = {}
        self._exports: dict[PurePosixPath, frozenset[str]] = {}

    def closure(self, paths: Iterable[str]) -> tuple[_Library, ...]:
        """Return the libraries at ``paths`` and, recursively, those that they need.

        Raises:
            _UnknownError: one of them is missing or unreadable.
        """
        found: dict[PurePosixPath, _Library] = {}
        pending = list(paths)
        while pending:
            library = self._read(pending.pop(0))
            if library.path in found:
                continue
            found[library.path] = library
            pending += [self._find(soname, library) for soname in library.needed]
        return tuple(found.values())

    def exports(self, library: _Library) -> frozenset[str]:
        """Return the symbols that a library exports."""
        if library.path not in self._exports:
            self._exports[library.path] = _read_exports(library.file, library.path)
        return self._exports[library.path]

    def _find(self, soname: str, library: _Library) -> str:
        places = [soname] if "/" in soname else [f"{each}/{soname}" for each in library.search_path + self._directories]
        abi = read_abi(library.file)
        for path in places:
            place = self._root.find(path)
            if place is not None and place.is_file and read_abi(Path(self._root.on_host(place))) == abi:
                return path
        raise _UnknownError

    def _read(self, path: str) -> _Library:
        if path not in self._libraries:
            place = self._root.find(path)
            if place is None or not place.is_file:
                raise _UnknownError
            file, there = Path(self._root.on_host(place)), PurePosixPath(place.path)
            try:
                facts = read_object(file, there)
            except ElfError as error:
                raise _UnknownError from error
            own = expand_tokens(facts.runpath or facts.rpath, str(there.parent), self._target)
            self._libraries[path] = _Library(file, there, facts.needed, tuple(own))
        return self._libraries[path]


def _read_exports(file: Path, path: PurePosixPath) -> frozenset[str]:
    try:
        return read_exports(file, path)
    except ElfError as error:
        raise _UnknownError from error


def _spelled(symbol: Symbol) -> str:
    return symbol.name if symbol.version == UNVERSIONED else f"{symbol.name}@{symbol.version}"


def _missing_in(names: set[str], exports: frozenset[str]) -> set[str]:
    """Return the names missing from ``exports``; a name with a version may also be exported without one."""
    return {each for each in names - exports if "@" not in each or each.partition("@")[0] + "@" not in exports}


def resolve_payload(elf: ElfReport, staged: StagedVenv, settings: Settings, target: Target) -> Resolution:
    """Return the needs of the payload, with a warning for each object that may lack a symbol.

    Args:
        elf: ELF files of the payload.
        staged: the payload.
        settings: ``undefined_symbols`` are patterns of symbols that something else defines.
        target: release on which it will be installed.

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
    undefined = "neither the interpreter nor a needed library defines"
    where = f"only {elsewhere} defines: something must load it first" if elsewhere else undefined
    return f"{path} imports {shown(names)}, which {where}"


def _is_allowed(symbol: UndefinedSymbol, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(symbol.name.partition("@")[0], each) for each in patterns)
