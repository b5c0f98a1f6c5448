"""Resolve every needed library of a payload as the target's loader will, object by object.

A search by name alone is wrong: torch bundles a ``libgomp.so.1`` that other distributions cannot see, so it must not
hide the target's. A search from the object alone is wrong, too: the dependencies of a library without a search path are
found through the DT_RPATH of the objects that load it (scipy's libquadmath).
"""

from __future__ import annotations

from collections import deque
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from venvpkg.host.layers import LayeredRoot
from venvpkg.linking.read import read_abi
from venvpkg.linking.search import expand_tokens, is_relocatable, system_directories
from venvpkg.model.elf import Found, Need, ResolvedNeed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.elf import Abi, ElfObject, ElfReport
    from venvpkg.model.target import Target


_PAYLOAD = 0


class Resolution(NamedTuple):
    """The needs of a payload, resolved.

    Attributes:
        needs: one for each need of each object, in the order of the report; DT_NEEDED order within an object.
        warnings: about search paths that lead nowhere, and libraries that something else must load first.
    """

    needs: tuple[ResolvedNeed, ...]
    warnings: tuple[str, ...]


def resolve_needs(elf: ElfReport, destdir: Path, target: Target) -> Resolution:
    """Return each need with the place where the loader will find the library after installation.

    A library of the payload is preferred wherever a search path leads to one: it will certainly be installed, so that
    the object loads without any package of the target.

    Source:
        ld.so(8); System V gABI, Shared Object Dependencies; glibc's ``elf/dl-load.c`` for what inherits DT_RPATH.
    """
    loader = _Loader(elf, destdir, target)
    inherited = loader.inherited_directories()
    needs = [loader.resolve(each, soname, inherited[str(each.path)]) for each in elf.objects for soname in each.needed]
    warnings = {
        f"{each.need.needed_by} needs {each.need.soname}, which is on no search path but is in the payload as"
        f" {each.paths[0]}: something must load it first"
        for each in needs
        if each.found is Found.PRELOAD
    }
    return Resolution(tuple(needs), tuple(sorted(warnings | loader.lost_directories())))


class _Inherited(NamedTuple):
    """Directories that an object inherits: from any object that loads it, and from all of them."""

    from_any: tuple[str, ...]
    from_all: frozenset[str]


class _Loader:
    def __init__(self, elf: ElfReport, destdir: Path, target: Target) -> None:
        self._elf = elf
        self._target = target
        self._view = LayeredRoot(destdir, target.root)
        self._objects = {str(each.path): each for each in elf.objects}
        self._own_directories = {path: self._read_search_path(each) for path, each in self._objects.items()}
        self._system_directories = self._existing_directories(system_directories(LayeredRoot(target.root), target))
        self._abi_by_path: dict[str, Abi | None] = {}
        self._system_copies: dict[tuple[str, Abi], tuple[str, ...]] = {}
        self._objects_by_name: dict[str, list[ElfObject]] = {}
        for each in elf.objects:
            for name in dict.fromkeys((each.path.name, each.soname)):
                if name:
                    self._objects_by_name.setdefault(name, []).append(each)

    def resolve(self, facts: ElfObject, soname: str, inherited: _Inherited) -> ResolvedNeed:
        """Resolve one need of one object.

        The directory that leads into the payload may be inherited from some of the loading objects only. Then the
        target's library counts as well, if there is one: for the other loading objects, the loader will find that.
        """
        need = Need(soname, facts.path)
        certain = self._find_in_payload(
            facts, soname, [each for each in inherited.from_any if each in inherited.from_all]
        )
        provider = certain or self._find_in_payload(facts, soname, inherited.from_any)
        outside = () if certain else self._find_on_target(facts, soname, inherited.from_any)
        if outside:
            return ResolvedNeed(need, Found.TARGET, tuple(map(PurePosixPath, outside)))
        if provider:
            return ResolvedNeed(need, Found.SELF, (PurePosixPath(provider),))
        preloaded = [
            each.path for each in self._objects_by_name.get(soname, ()) if each.abi == facts.abi and each is not facts
        ]
        if preloaded:
            return ResolvedNeed(need, Found.PRELOAD, tuple(preloaded))
        return ResolvedNeed(need, Found.MISSING)

    def inherited_directories(self) -> dict[str, _Inherited]:
        """Return the inherited directories of every object.

        Chains of loading objects are many (all permutations of a cycle of libraries), directories are few. So instead
        of following chains, two sets of directories per object are changed until they are stable. ``from_any`` starts
        empty and adds the directories of every loading object. ``from_all`` starts with those of the first one, and
        keeps only those that all others add, too. Programs, and objects that nothing loads, inherit nothing.
        """
        from_any: dict[str, dict[str, None]] = {path: {} for path in self._objects}
        loaders: dict[str, set[str]] = {path: set() for path in self._objects}
        pending = deque(self._objects)
        waiting = set(pending)
        while pending:
            path = pending.popleft()
            waiting.discard(path)
            facts = self._objects[path]
            passed_on = dict.fromkeys((*self._inheritable_directories(facts), *from_any[path]))
            for soname in facts.needed:
                provider = self._find_in_payload(facts, soname, from_any[path])
                if provider is None or provider == path:
                    continue
                loaders[provider].add(path)
                if not passed_on.keys() <= from_any[provider].keys():
                    from_any[provider].update(passed_on)
                    if provider not in waiting:
                        waiting.add(provider)
                        pending.append(provider)
        from_all = self._always_inherited(loaders)
        return {path: _Inherited(tuple(from_any[path]), from_all[path]) for path in self._objects}

    def lost_directories(self) -> set[str]:
        """Return a warning for each search path entry that is relative, or absent from payload and target."""
        lost: dict[str, list[PurePosixPath]] = {}
        for facts in self._elf.objects:
            for directory in (*facts.runpath, *facts.rpath):
                if not is_relocatable(directory) and (
                    not directory.startswith("/") or not self._is_directory(directory)
                ):
                    lost.setdefault(directory, []).append(facts.path)
        return {
            f"the search path of {paths[0]}"
            + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
            + (
                f" names {directory}, which is neither in the payload nor on the target"
                if directory.startswith("/")
                else f" has the relative entry {directory!r}, which depends on where the process runs"
            )
            for directory, paths in lost.items()
        }

    def _always_inherited(self, loaders: dict[str, set[str]]) -> dict[str, frozenset[str]]:
        nothing: frozenset[str] = frozenset()
        from_all: dict[str, frozenset[str]] = {
            path: nothing for path, facts in self._objects.items() if not loaders[path] or facts.interpreter is not None
        }
        loads: dict[str, set[str]] = {path: set() for path in self._objects}
        for path, by in loaders.items():
            for each in by:
                loads[each].add(path)
        # A cycle of libraries that need each other, and that nothing else loads, has to be entered somewhere.
        for start in [*from_all, *self._objects]:
            from_all.setdefault(start, nothing)
            pending = deque([start])
            while pending:
                path = pending.popleft()
                passed_on = from_all[path] | frozenset(self._inheritable_directories(self._objects[path]))
                for provider in loads[path]:
                    kept = from_all[provider] & passed_on if provider in from_all else passed_on
                    if kept != from_all.get(provider):
                        from_all[provider] = kept
                        pending.append(provider)
        return from_all

    def _inheritable_directories(self, facts: ElfObject) -> tuple[str, ...]:
        """Return the directories that an object passes on to those it loads: its DT_RPATH, never its DT_RUNPATH."""
        return () if facts.runpath else self._own_directories[str(facts.path)]

    def _find_in_payload(self, facts: ElfObject, soname: str, inherited: Iterable[str]) -> str | None:
        if "/" in soname:
            places = self._expand_needed_path(facts, soname)
        else:
            places = [
                f"{directory}/{soname}"
                for directory in (*self._search_path(facts, inherited), *self._system_directories)
            ]
        for path in places:
            place = self._view.find(path)
            if place is not None and place.layer == _PAYLOAD:
                found = self._objects.get(place.path)
                if found is not None and found.abi == facts.abi:
                    return place.path
        return None

    def _find_on_target(self, facts: ElfObject, soname: str, inherited: Iterable[str]) -> tuple[str, ...]:
        """Return the target's copies of a library in search order, by the path searched, with links not resolved."""
        if "/" in soname:
            return self._with_abi(self._expand_needed_path(facts, soname), facts.abi)
        key = (soname, facts.abi)
        if key not in self._system_copies:
            self._system_copies[key] = self._with_abi(
                [f"{each}/{soname}" for each in self._system_directories], facts.abi
            )
        first = self._with_abi([f"{each}/{soname}" for each in self._search_path(facts, inherited)], facts.abi)
        return tuple(dict.fromkeys((*first, *self._system_copies[key])))

    def _with_abi(self, paths: Iterable[str], abi: Abi) -> tuple[str, ...]:
        return tuple(path for path in paths if self._system_abi(path) == abi)

    def _system_abi(self, path: str) -> Abi | None:
        if path not in self._abi_by_path:
            place = self._view.find(path)
            there = place is not None and place.layer != _PAYLOAD and place.is_file
            self._abi_by_path[path] = read_abi(Path(self._view.on_host(place))) if place is not None and there else None
        return self._abi_by_path[path]

    def _search_path(self, facts: ElfObject, inherited: Iterable[str]) -> tuple[str, ...]:
        """Return the directories searched before the target's: the object's DT_RUNPATH, or its and all DT_RPATHs."""
        own = self._own_directories[str(facts.path)]
        return own if facts.runpath else tuple(dict.fromkeys((*own, *inherited)))

    def _expand_needed_path(self, facts: ElfObject, soname: str) -> list[str]:
        """Return the places of a DT_NEEDED with a slash, which is a path that the loader does not search for."""
        return list(expand_tokens([soname], str(facts.path.parent), self._target))

    def _read_search_path(self, facts: ElfObject) -> tuple[str, ...]:
        written = facts.runpath or facts.rpath
        return (
            self._existing_directories(expand_tokens(written, str(facts.path.parent), self._target)) if written else ()
        )

    def _existing_directories(self, directories: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.rstrip("/") for each in directories if self._is_directory(each)))

    def _is_directory(self, directory: str) -> bool:
        place = self._view.find(directory)
        return place is not None and not place.is_file
