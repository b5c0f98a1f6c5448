"""Resolve every need of a payload as the target's loader will, object by object.

By name alone it cannot be done: torch brings its own ``libgomp.so.1``, which its neighbour cannot see and which
therefore must not hide the system's. By the object alone neither: a library without any search path is found through
the DT_RPATH of whoever loads it (scipy's libquadmath).
"""

from __future__ import annotations

from collections import deque
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from venvpkg.host.layers import LayeredRoot
from venvpkg.linking.read import read_abi
from venvpkg.linking.search import expanded, is_tied_to_a_place, system_directories
from venvpkg.model.elf import Found, Need, ResolvedNeed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvpkg.model.elf import Abi, ElfObject, ElfReport
    from venvpkg.model.target import Target


_PAYLOAD = 0


class Resolution(NamedTuple):
    """What the loader makes of a payload.

    Attributes:
        edges: one for each need of each object, in the order of the report, DT_NEEDED order within an object.
        warnings: search paths that lead nowhere, and libraries that only a preload can provide.
    """

    edges: tuple[ResolvedNeed, ...]
    warnings: tuple[str, ...]


def resolve_needs(elf: ElfReport, destdir: Path, target: Target) -> Resolution:
    """Return where each needed library will be found after installation.

    A library of the payload is preferred wherever a search path leads to one: it is certainly there, so that no
    package of the target is needed for the object to load.

    Source:
        ld.so(8); System V gABI, Shared Object Dependencies; glibc's ``elf/dl-load.c`` for what inherits DT_RPATH.
    """
    loader = _Loader(elf, destdir, target)
    inherited = loader.inherited()
    edges = [loader.resolve(each, soname, inherited[str(each.path)]) for each in elf.objects for soname in each.needed]
    warnings = {
        f"{each.need.needed_by} needs {each.need.soname}, which is on no search path but is in the payload as"
        f" {each.paths[0]}: something must load it first"
        for each in edges
        if each.found is Found.PRELOAD
    }
    return Resolution(tuple(edges), tuple(sorted(warnings | loader.lost_directories())))


class _Inherited(NamedTuple):
    """Directories an object gets from those that load it: from some of them, and from each of them."""

    may: tuple[str, ...]
    must: frozenset[str]


class _Loader:
    def __init__(self, elf: ElfReport, destdir: Path, target: Target) -> None:
        self._elf = elf
        self._target = target
        self._view = LayeredRoot(destdir, target.root)
        self._objects = {str(each.path): each for each in elf.objects}
        self._own = {path: self._directories(each) for path, each in self._objects.items()}
        self._system = self._existing(system_directories(LayeredRoot(target.root), target))
        self._abis: dict[str, Abi | None] = {}
        self._system_copies: dict[tuple[str, Abi], tuple[str, ...]] = {}
        self._by_name: dict[str, list[ElfObject]] = {}
        for each in elf.objects:
            for name in dict.fromkeys((each.path.name, each.soname)):
                if name:
                    self._by_name.setdefault(name, []).append(each)

    def resolve(self, facts: ElfObject, soname: str, inherited: _Inherited) -> ResolvedNeed:
        """Return how one need of one object is met.

        Where only some of those that load the object have the directory that leads into the payload, the system's
        library counts too if there is one: the others will load that.
        """
        need = Need(soname, facts.path)
        certain = self._in_payload(facts, soname, [d for d in inherited.may if d in inherited.must])
        inside = certain or self._in_payload(facts, soname, inherited.may)
        outside = () if certain else self._in_system(facts, soname, inherited.may)
        if outside:
            return ResolvedNeed(need, Found.TARGET, tuple(map(PurePosixPath, outside)))
        if inside:
            return ResolvedNeed(need, Found.SELF, (PurePosixPath(inside),))
        preloaded = [each.path for each in self._by_name.get(soname, ()) if each.abi == facts.abi and each is not facts]
        if preloaded:
            return ResolvedNeed(need, Found.PRELOAD, tuple(preloaded))
        return ResolvedNeed(need, Found.MISSING)

    def inherited(self) -> dict[str, _Inherited]:
        """Return for every object the directories it inherits.

        Chains of loaders are many (all permutations of a knot of libraries), directories are few: so not chains are
        followed but two sets of directories grown and shrunk until nothing changes. ``may`` starts empty and takes
        from every loader; ``must`` starts with what the first loader gives and keeps what all others give too.
        Objects that nothing loads, and programs, start a chain: they inherit nothing.
        """
        may: dict[str, dict[str, None]] = {path: {} for path in self._objects}
        loaders: dict[str, set[str]] = {path: set() for path in self._objects}
        pending = deque(self._objects)
        waiting = set(pending)
        while pending:
            path = pending.popleft()
            waiting.discard(path)
            facts = self._objects[path]
            passed_on = dict.fromkeys((*self._passed_on(facts), *may[path]))
            for soname in facts.needed:
                inside = self._in_payload(facts, soname, may[path])
                if inside is None or inside == path:
                    continue
                loaders[inside].add(path)
                if not passed_on.keys() <= may[inside].keys():
                    may[inside].update(passed_on)
                    if inside not in waiting:
                        waiting.add(inside)
                        pending.append(inside)
        must = self._must(loaders)
        return {path: _Inherited(tuple(may[path]), must[path]) for path in self._objects}

    def lost_directories(self) -> set[str]:
        """Return a warning for each absolute directory of a search path that is neither in the payload nor there."""
        lost: dict[str, list[PurePosixPath]] = {}
        for facts in self._elf.objects:
            for directory in (*facts.runpath, *facts.rpath):
                if is_tied_to_a_place(directory) and (not directory.startswith("/") or not self._is_there(directory)):
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

    def _must(self, loaders: dict[str, set[str]]) -> dict[str, frozenset[str]]:
        nothing: frozenset[str] = frozenset()
        must: dict[str, frozenset[str]] = {
            path: nothing for path, facts in self._objects.items() if not loaders[path] or facts.interpreter is not None
        }
        loads: dict[str, set[str]] = {path: set() for path in self._objects}
        for path, by in loaders.items():
            for each in by:
                loads[each].add(path)
        # A knot that nothing outside loads (libraries that need each other) has to be entered somewhere.
        for start in [*must, *self._objects]:
            must.setdefault(start, nothing)
            pending = deque([start])
            while pending:
                path = pending.popleft()
                passed_on = must[path] | frozenset(self._passed_on(self._objects[path]))
                for inside in loads[path]:
                    kept = must[inside] & passed_on if inside in must else passed_on
                    if kept != must.get(inside):
                        must[inside] = kept
                        pending.append(inside)
        return must

    def _passed_on(self, facts: ElfObject) -> tuple[str, ...]:
        """Return what an object adds for those it loads: DT_RPATH is inherited, DT_RUNPATH never is."""
        return () if facts.runpath else self._own[str(facts.path)]

    def _in_payload(self, facts: ElfObject, soname: str, inherited: Iterable[str]) -> str | None:
        if "/" in soname:
            places = self._direct(facts, soname)
        else:
            places = [f"{directory}/{soname}" for directory in (*self._searched(facts, inherited), *self._system)]
        for path in places:
            place = self._view.find(path)
            if place is not None and place.layer == _PAYLOAD:
                found = self._objects.get(place.path)
                if found is not None and found.abi == facts.abi:
                    return place.path
        return None

    def _in_system(self, facts: ElfObject, soname: str, inherited: Iterable[str]) -> tuple[str, ...]:
        """Return the system's copies in search order, under the path they are found by, not the one links lead to."""
        if "/" in soname:
            return self._copies(self._direct(facts, soname), facts.abi)
        key = (soname, facts.abi)
        if key not in self._system_copies:
            self._system_copies[key] = self._copies([f"{each}/{soname}" for each in self._system], facts.abi)
        first = self._copies([f"{each}/{soname}" for each in self._searched(facts, inherited)], facts.abi)
        return tuple(dict.fromkeys((*first, *self._system_copies[key])))

    def _copies(self, paths: Iterable[str], abi: Abi) -> tuple[str, ...]:
        return tuple(path for path in paths if self._system_abi(path) == abi)

    def _system_abi(self, path: str) -> Abi | None:
        if path not in self._abis:
            place = self._view.find(path)
            there = place is not None and place.layer != _PAYLOAD and place.is_file
            self._abis[path] = read_abi(Path(self._view.on_host(place))) if place is not None and there else None
        return self._abis[path]

    def _searched(self, facts: ElfObject, inherited: Iterable[str]) -> tuple[str, ...]:
        """Return what is searched before the system's directories: the own DT_RUNPATH alone, or all DT_RPATHs."""
        own = self._own[str(facts.path)]
        return own if facts.runpath else tuple(dict.fromkeys((*own, *inherited)))

    def _direct(self, facts: ElfObject, soname: str) -> list[str]:
        """Return where a DT_NEEDED with a slash leads: it is a path, and nothing is searched."""
        return list(expanded([soname], str(facts.path.parent), self._target))

    def _directories(self, facts: ElfObject) -> tuple[str, ...]:
        written = facts.runpath or facts.rpath
        return self._existing(expanded(written, str(facts.path.parent), self._target)) if written else ()

    def _existing(self, directories: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.rstrip("/") for each in directories if self._is_there(each)))

    def _is_there(self, directory: str) -> bool:
        place = self._view.find(directory)
        return place is not None and not place.is_file
