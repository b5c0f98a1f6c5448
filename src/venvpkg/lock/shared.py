"""Merge the locks of several targets into one file, in which markers distinguish the targets. Pure.

Each target is resolved separately and gets exactly what it would get in a lock of its own. uv's universal resolution is
not used, because it also covers platforms that nobody builds for. Its lock of the example application is eight times as
large and lists files for Windows and macOS. It also fails if a private index lacks distributions that only other
platforms need.
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
# Keys of an entry that may differ between targets with the same release of a distribution.
_TARGET_KEYS = ("marker", "wheels")
# Markers that ``_marker`` writes.
_WORD = r"(python_version|platform_machine) == '[^' ]*'"
_CLAUSE = f"{_WORD}( and {_WORD})?"
_OURS = re.compile(f"{_CLAUSE}( or {_CLAUSE})*")


@dataclass(frozen=True, slots=True, order=True)
class LockedTarget:
    """A target of a lock, with the values that the lock's markers refer to.

    Attributes:
        name: ``debian-12-amd64``.
        python: minor version of the interpreter, ``3.11``; or ``3.13t``, ``pypy3.9``, which cannot share a lock.
        machine: the kernel's name for the architecture, ``x86_64``.
    """

    name: str
    python: str
    machine: str

    @property
    def can_share(self) -> bool:
        """Whether the markers determine what it needs; not for interpreters other than ordinary CPython."""
        return re.fullmatch(r"[0-9]+\.[0-9]+", self.python) is not None

    @property
    def marker_values(self) -> tuple[str, str]:
        """The values that markers refer to; targets with equal values must have equal needs."""
        return self.python, self.machine


def locked_targets(table: Mapping[str, object]) -> tuple[LockedTarget, ...]:
    """Return the targets in a lock's table ``[tool.venvpkg]``; malformed entries are skipped."""
    several = table.get("targets")
    entries = several if isinstance(several, list) else [{**table, "name": table.get("target", "")}]
    targets = []
    for entry in entries:
        words = [entry.get(key, "") for key in ("name", "python", "machine")] if isinstance(entry, dict) else []
        name, python, machine = words or ("", "", "")
        if name and isinstance(name, str) and isinstance(python, str) and isinstance(machine, str):
            targets.append(LockedTarget(name, python, machine))
    return tuple(targets)


def share_of(document: Mapping[str, object], target: LockedTarget) -> tuple[Entry, ...] | None:
    """Return the entries of a lock for one of its targets; None if the lock has markers that venvpkg does not write.

    In a lock without ``environments``, all entries are for every target: locks of earlier versions still contain uv's
    own markers, all of which were true for the target.
    """
    entries = list(_package_tables(document))
    if "environments" in document:
        applies = [_evaluate(entry["marker"], target) if "marker" in entry else True for entry in entries]
        if None in applies:
            return None
        entries = [entry for entry, holds in zip(entries, applies, strict=True) if holds]
    share = strip_markers(entries)
    return tuple(share) if len({each.get("name") for each in share}) == len(share) else None


def strip_markers(entries: Iterable[Mapping[str, object]]) -> list[Entry]:
    """Return the entries of uv's lock for one target without their markers.

    uv keeps the marker of the requirement on a distribution. All of these are true for the target, and may refer to
    values that venvpkg's markers do not use, such as ``python_full_version``.
    """
    return [{key: value for key, value in entry.items() if key != "marker"} for entry in entries]


def document_for(document: Mapping[str, object], target: LockedTarget) -> Mapping[str, object] | None:
    """Return a shared lock reduced to one of its targets; None as in ``share_of``."""
    share = share_of(document, target)
    kept = {key: value for key, value in document.items() if key not in {"environments", "packages", "tool"}}
    return None if share is None else kept | {"packages": list(share)}


def merge_shares(
    document: Mapping[str, object], shares: Mapping[LockedTarget, Sequence[Mapping[str, object]]]
) -> Mapping[str, object] | None:
    """Return one lock for several targets.

    Args:
        document: the lock of one of them, from which everything but the packages is taken.
        shares: the entries for each target, with unique names and without markers.

    Returns:
        The packages are sorted by name and version, independent of the order of resolution. None if two targets have
        different needs but equal marker values.

    Source:
        PyPA specification "pylock.toml", ``environments`` and ``packages.marker``.
    """
    targets = sorted(shares)
    variants: list[tuple[Mapping[str, object], list[LockedTarget]]] = []
    for target in targets:
        for entry in shares[target]:
            same = next((each for each in variants if _common_part(each[0]) == _common_part(entry)), None)
            if same is None:
                variants.append((entry, [target]))
            else:
                same[1].append(target)
    packages = []
    for entry, needing in sorted(variants, key=lambda each: _sort_key(each[0])):
        values = {each.marker_values for each in needing}
        if any(each.marker_values in values for each in targets if each not in needing):
            return None
        packages.append(_merge_wheels(entry, needing, shares) | _marker(needing, targets))
    python = min((each.python for each in targets), key=Version)
    rest = {key: value for key, value in document.items() if key not in {"packages", "requires-python"}}
    environments = [text for text in sorted({_clause(each, targets) for each in targets}) if text]
    head = {"lock-version": rest.pop("lock-version", "1.0"), "requires-python": f">={python}"}
    return head | ({"environments": environments} if environments else {}) | rest | {"packages": packages}


def _package_tables(document: Mapping[str, object]) -> Iterator[Entry]:
    packages = document.get("packages")
    for entry in packages if isinstance(packages, list) else ():
        if isinstance(entry, dict):
            yield entry


def _evaluate(text: object, target: LockedTarget) -> bool | None:
    # packaging would evaluate any other marker for the interpreter that runs venvpkg.
    if not _OURS.fullmatch(str(text)):
        return None
    marker_environment = {"python_version": target.python, "platform_machine": target.machine}
    try:
        return Marker(str(text)).evaluate(marker_environment)
    except (InvalidMarker, InvalidVersion, UndefinedComparison, UndefinedEnvironmentName, RecursionError):
        return None


def _common_part(entry: Mapping[str, object]) -> Mapping[str, object]:
    return {key: value for key, value in entry.items() if key not in _TARGET_KEYS}


def _sort_key(entry: Mapping[str, object]) -> tuple[str, str]:
    return str(entry.get("name", "")), str(entry.get("version", ""))


def _merge_wheels(
    entry: Mapping[str, object],
    targets: Iterable[LockedTarget],
    shares: Mapping[LockedTarget, Sequence[Mapping[str, object]]],
) -> Entry:
    """Return an entry with the wheels of all targets."""
    wheels: dict[str, object] = {}
    for target in targets:
        same = next(each for each in shares[target] if _common_part(each) == _common_part(entry))
        own_wheels = same.get("wheels")
        wheels |= {str(wheel): wheel for wheel in own_wheels} if isinstance(own_wheels, list) else {}
    merged = dict(_common_part(entry))
    return merged | ({"wheels": [wheels[key] for key in sorted(wheels)]} if wheels else {})


def _marker(needing: Sequence[LockedTarget], targets: Sequence[LockedTarget]) -> Entry:
    if {each.marker_values for each in needing} == {each.marker_values for each in targets}:
        return {}
    return {"marker": " or ".join(sorted({_clause(each, targets) for each in needing}))}


def _clause(target: LockedTarget, targets: Iterable[LockedTarget]) -> str:
    """Return the marker that distinguishes a target from the others; empty if none is needed."""
    words = (
        ("python_version", target.python, {each.python for each in targets}),
        ("platform_machine", target.machine, {each.machine for each in targets}),
    )
    return " and ".join(f"{key} == '{value}'" for key, value, values in words if len(values) > 1)
