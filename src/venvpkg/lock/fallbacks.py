"""Keep in ``venvpkg.lock`` what cannot be compiled on a target, and why; so that a review sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.utils import is_normalized_name

from venvpkg.errors import LockError
from venvpkg.lock.lock_text import read_document
from venvpkg.model.lock import Cause, Fallback

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_PATTERNS: Final = {
    "version": re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*"),
    "source": re.compile(r"([0-9a-f]{64})?"),
    "target": re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*"),
    "cause": re.compile("|".join(map(re.escape, Cause))),
    "detail": re.compile(r"[^\x00-\x1f\x7f]{1,500}"),
}


def read_fallbacks(path: Path) -> tuple[Fallback, ...]:
    """Return the entries in ``path``, sorted; none when there is no such file.

    Raises:
        LockError: they are malformed; every problem is in the details.
    """
    if not path.exists():
        return ()
    entries = read_document(path).get("fallback", [])
    problems: list[str] = []
    found: dict[tuple[str, str, str, str], Fallback] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else [None]):
        fallback = _fallback(entry, f"fallback[{index}]", problems)
        if fallback is not None and found.setdefault(_key(fallback), fallback) is not fallback:
            problems.append(f"fallback[{index}]: a second entry for {fallback.name} on {fallback.target}")
    if problems:
        raise LockError(
            f"{path} is malformed: {len(problems)} problem{'s' * (len(problems) != 1)}.",
            details="\n".join(f"  {problem}" for problem in problems),
            resolution="Restore it from version control, or remove it: the next build writes it anew.",
        )
    return tuple(found[key] for key in sorted(found))


def fallback_tables(fallbacks: Iterable[Fallback]) -> list[dict[str, object]]:
    """Return the entries as TOML holds them, sorted."""
    return [
        {
            "name": each.name,
            "version": each.version,
            "target": each.target,
            **({"source": each.source} if each.source else {}),
            "cause": each.cause.value,
            "detail": each.detail,
        }
        for each in sorted(fallbacks, key=_key)
    ]


def _key(fallback: Fallback) -> tuple[str, str, str, str]:
    return fallback.name, fallback.target, fallback.source, fallback.version


def _fallback(entry: object, where: str, problems: list[str]) -> Fallback | None:
    if not isinstance(entry, dict):
        problems.append(f"{where}: must be a table")
        return None
    before = len(problems)
    name = entry.get("name")
    if not isinstance(name, str) or not is_normalized_name(name):
        problems.append(f"{where}.name: no normalised name")
    values = {key: _value(entry, key, where, problems) for key in _PATTERNS}
    if len(problems) > before:
        return None
    return Fallback(
        str(name), values["version"], values["source"], values["target"], Cause(values["cause"]), values["detail"]
    )


def _value(entry: Mapping[str, object], key: str, where: str, problems: list[str]) -> str:
    value = entry.get(key, "")
    if isinstance(value, str) and _PATTERNS[key].fullmatch(value):
        return value
    problems.append(f"{where}.{key}: {str(value)[:100]!r} is no {key}")
    return ""
