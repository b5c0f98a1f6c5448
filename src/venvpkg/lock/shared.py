"""One lock for several targets: what each needs, resolved for it alone, in one file whose markers tell them apart.

Pure. Not uv's universal resolution: that also answers for systems that nobody builds for, so that its lock of the
example application has eight times the size, names files for Windows and macOS, and fails when a private index lacks
what only those need. Resolved for one target after the other, each gets exactly what it would get alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


Entry = dict[str, object]
# Of an entry: what may differ between targets that have the same release of a distribution.
_OF_A_TARGET = ("marker", "wheels")
# What ``_marker`` writes.
_WORD = r"(python_version|platform_machine) == '[^' ]*'"
_CLAUSE = f"{_WORD}( and {_WORD})?"
_OURS = re.compile(f"{_CLAUSE}( or {_CLAUSE})*")


@dataclass(frozen=True, slots=True, order=True)
class LockedTarget:
    """A target that a lock holds for, and what of it the lock's markers can see.

    Attributes:
        name: ``debian-12-amd64``.
        python: minor version of the interpreter, ``3.11``; ``3.13t`` and ``pypy3.9`` for others, which share no lock.
        machine: the kernel's word for the architecture, ``x86_64``.
    """

    name: str
    python: str
    machine: str

    @property
    def can_share(self) -> bool:
        """Whether what markers see of it is all that decides what it needs: not which implementation it has."""
        return re.fullmatch(r"[0-9]+\.[0-9]+", self.python) is not None

    @property
    def seen(self) -> tuple[str, str]:
        """Return what markers see; targets that share it must need the same."""
        return self.python, self.machine


def locked_targets(table: Mapping[str, object]) -> tuple[LockedTarget, ...]:
    """Return the targets that a lock's table ``[tool.venvpkg]`` names; what is malformed names none."""
    listed = table.get("targets")
    entries = listed if isinstance(listed, list) else [{**table, "name": table.get("target", "")}]
    found = []
    for entry in entries:
        words = [entry.get(key, "") for key in ("name", "python", "machine")] if isinstance(entry, dict) else []
        name, python, machine = words or ("", "", "")
        if name and isinstance(name, str) and isinstance(python, str) and isinstance(machine, str):
            found.append(LockedTarget(name, python, machine))
    return tuple(found)


def share_of(document: Mapping[str, object], target: LockedTarget) -> tuple[Entry, ...] | None:
    """Return the packages of a lock that one of its targets needs; None where its markers are not ours.

    Where no environments are told apart, every package is for each of its targets: uv's own markers, which locks of
    earlier versions have kept, were true for the one that it resolved.
    """
    entries = list(_entries(document))
    if "environments" in document:
        applies = [_applies(entry["marker"], target) if "marker" in entry else True for entry in entries]
        if None in applies:
            return None
        entries = [entry for entry, holds in zip(entries, applies, strict=True) if holds]
    share = strip_markers(entries)
    return tuple(share) if len({each.get("name") for each in share}) == len(share) else None


def strip_markers(entries: Iterable[Mapping[str, object]]) -> list[Entry]:
    """Return what uv resolved for one target as what that target needs: all of it.

    uv keeps the marker of whoever wanted a distribution. It speaks of more than our markers do, such as
    ``python_full_version``, and of what holds for that target anyway.
    """
    return [{key: value for key, value in entry.items() if key != "marker"} for entry in entries]


def document_for(document: Mapping[str, object], target: LockedTarget) -> Mapping[str, object] | None:
    """Return a shared lock as it would be for one of its targets alone; None as ``share_of``."""
    share = share_of(document, target)
    kept = {key: value for key, value in document.items() if key not in {"environments", "packages", "tool"}}
    return None if share is None else kept | {"packages": list(share)}


def shared(
    document: Mapping[str, object], shares: Mapping[LockedTarget, Sequence[Mapping[str, object]]]
) -> Mapping[str, object] | None:
    """Return one lock for several targets.

    Args:
        document: the lock of one of them; what is beside its packages is taken from there.
        shares: what each needs: no name twice, no markers.

    Returns:
        Sorted by name and version, so that nothing depends on the order in which targets were resolved; None when
        two targets that no marker of ours tells apart need different things.

    Source:
        PyPA specification "pylock.toml", ``environments`` and ``packages.marker``.
    """
    targets = sorted(shares)
    variants: list[tuple[Mapping[str, object], list[LockedTarget]]] = []
    for target in targets:
        for entry in shares[target]:
            same = next((each for each in variants if _core(each[0]) == _core(entry)), None)
            if same is None:
                variants.append((entry, [target]))
            else:
                same[1].append(target)
    packages = []
    for entry, wanting in sorted(variants, key=lambda each: _order(each[0])):
        seen = {each.seen for each in wanting}
        if any(each.seen in seen for each in targets if each not in wanting):
            return None
        packages.append(_merged(entry, wanting, shares) | _marker(wanting, targets))
    python = min((each.python for each in targets), key=Version)
    rest = {key: value for key, value in document.items() if key not in {"packages", "requires-python"}}
    environments = [text for text in sorted({_clause(each, targets) for each in targets}) if text]
    head = {"lock-version": rest.pop("lock-version", "1.0"), "requires-python": f">={python}"}
    return head | ({"environments": environments} if environments else {}) | rest | {"packages": packages}


def _entries(document: Mapping[str, object]) -> Iterator[Entry]:
    packages = document.get("packages")
    for entry in packages if isinstance(packages, list) else ():
        if isinstance(entry, dict):
            yield entry


def _applies(text: object, target: LockedTarget) -> bool | None:
    # Of anything else packaging would tell what holds for the interpreter that runs it.
    if not _OURS.fullmatch(str(text)):
        return None
    marker_environment = {"python_version": target.python, "platform_machine": target.machine}
    try:
        return Marker(str(text)).evaluate(marker_environment)
    except (InvalidMarker, InvalidVersion, UndefinedComparison, UndefinedEnvironmentName, RecursionError):
        return None


def _core(entry: Mapping[str, object]) -> Mapping[str, object]:
    return {key: value for key, value in entry.items() if key not in _OF_A_TARGET}


def _order(entry: Mapping[str, object]) -> tuple[str, str]:
    return str(entry.get("name", "")), str(entry.get("version", ""))


def _merged(
    entry: Mapping[str, object],
    targets: Iterable[LockedTarget],
    shares: Mapping[LockedTarget, Sequence[Mapping[str, object]]],
) -> Entry:
    """Return an entry with the wheels that any of the targets can take."""
    wheels: dict[str, object] = {}
    for target in targets:
        same = next(each for each in shares[target] if _core(each) == _core(entry))
        listed = same.get("wheels")
        wheels |= {str(wheel): wheel for wheel in listed} if isinstance(listed, list) else {}
    merged = dict(_core(entry))
    return merged | ({"wheels": [wheels[key] for key in sorted(wheels)]} if wheels else {})


def _marker(wanting: Sequence[LockedTarget], targets: Sequence[LockedTarget]) -> Entry:
    if {each.seen for each in wanting} == {each.seen for each in targets}:
        return {}
    return {"marker": " or ".join(sorted({_clause(each, targets) for each in wanting}))}


def _clause(target: LockedTarget, targets: Iterable[LockedTarget]) -> str:
    """Return what tells a target apart from the others; empty when nothing need be told."""
    words = (
        ("python_version", target.python, {each.python for each in targets}),
        ("platform_machine", target.machine, {each.machine for each in targets}),
    )
    return " and ".join(f"{key} == '{value}'" for key, value, values in words if len(values) > 1)
