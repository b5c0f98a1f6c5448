"""The evidence of a package's dependencies as JSON: written into the package, read back to explain it.

What is read back comes out of a file that anybody may have made.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from venvpkg.errors import NotAPackageError
from venvpkg.model.depends import Dependency, DependencySet, Evidence, Exclusion, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


SCHEMA = "venvpkg.dependencies/1"

# A scientific environment of 328 objects has a record of half a megabyte.
MOST_EVIDENCE_BYTES = 1 << 26

_TEXTS = ("soname", "distribution", "floor", "symbol", "owner", "module")
_PATHS = ("needed_by", "library")
_Item = TypeVar("_Item")
_KEYS = frozenset({"source", *_TEXTS, *_PATHS})


def dump_evidence(dependencies: DependencySet) -> bytes:
    """Return the record; the same dependencies give the same bytes. ASCII, one line for each evidence."""
    listed = _listed(dependencies.dependencies)
    # Left away where there is nothing to say: most packages leave nothing out.
    left_out = [_exclusion_fields(each) for each in dependencies.exclusions]
    exclusions = f'  "exclusions": {_json(left_out)},\n' if left_out else ""
    recommends = f'  "recommends": {_listed(dependencies.recommends)},\n' if dependencies.recommends else ""
    return (
        f'{{\n  "schema": {_json(SCHEMA)},\n  "dependencies": {listed},\n{recommends}{exclusions}'
        f'  "warnings": {_json(list(dependencies.warnings))}\n}}\n'
    ).encode("ascii")


def _listed(dependencies: Iterable[Dependency]) -> str:
    blocks = []
    for dependency in dependencies:
        lines = ",\n".join(f"      {_json(_fields(each))}" for each in dependency.evidence)
        blocks.append(f'    {{"relation": {_json(dependency.relation)}, "evidence": [\n{lines}\n    ]}}')
    return "[\n" + ",\n".join(blocks) + "\n  ]" if blocks else "[]"


def load_evidence(content: bytes, name: str) -> DependencySet:
    """Return what ``dump_evidence`` wrote.

    Args:
        content: the record.
        name: of the package or file; messages call it that.

    Raises:
        NotAPackageError: it is not a record of this schema.
    """
    try:
        return _parsed(_decoded(content))
    except (ValueError, RecursionError) as error:
        problem = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise NotAPackageError(
            f"{name}: the record of its dependencies cannot be used.",
            details=f"  {problem[:500]}",
            resolution=f"Only packages that venvpkg built have one; this version reads {SCHEMA}.",
        ) from error


def _decoded(content: bytes) -> object:
    if len(content) > MOST_EVIDENCE_BYTES:
        raise ValueError("it is absurdly large")
    decoded: object = json.loads(content.decode("ascii"))
    return decoded


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True)


def _fields(evidence: Evidence) -> dict[str, str]:
    fields = {key: getattr(evidence, key) for key in _KEYS}
    return {key: str(value) for key, value in fields.items() if value is not None}


def _exclusion_fields(exclusion: Exclusion) -> dict[str, object]:
    evidence = [_fields(each) for each in exclusion.evidence]
    return {"what": exclusion.what, "reason": exclusion.reason, "evidence": evidence}


def _parsed(value: object) -> DependencySet:
    if isinstance(value, dict):
        value = {"exclusions": [], "recommends": [], **value}
    record = _object(value, {"schema", "dependencies", "recommends", "exclusions", "warnings"}, "record")
    if record["schema"] != SCHEMA:
        raise ValueError(f"its schema is {str(record['schema'])[:80]!r}, not {SCHEMA!r}")
    return DependencySet(
        _each(record["dependencies"], "dependencies", _dependency),
        _each(record["warnings"], "warnings", lambda text: _text(text, "warnings")),
        _each(record["exclusions"], "exclusions", _exclusion),
        recommends=_each(record["recommends"], "recommends", _dependency),
    )


def _exclusion(value: object) -> Exclusion:
    fields = _object(value, {"what", "reason", "evidence"}, "exclusion")
    evidence = _each(fields["evidence"], "evidence", _evidence)
    return Exclusion(_text(fields["what"], "what"), _text(fields["reason"], "reason"), evidence)


def _dependency(value: object) -> Dependency:
    fields = _object(value, {"relation", "evidence"}, "dependency")
    evidence = _each(fields["evidence"], "evidence", _evidence)
    if not evidence:
        raise ValueError("a dependency has no evidence")
    return Dependency(_text(fields["relation"], "relation"), evidence)


def _evidence(value: object) -> Evidence:
    if not isinstance(value, dict) or not value.keys() <= _KEYS or "source" not in value:
        raise ValueError("an evidence has other keys than this schema")
    texts = {key: _text(value[key], key) for key in _TEXTS if key in value}
    paths = {key: _path(value[key], key) for key in _PATHS if key in value}
    return Evidence(source=Source(_text(value["source"], "source")), **texts, **paths)  # type: ignore[arg-type]


def _object(value: object, keys: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise ValueError(f"the {what} is no object with the keys {', '.join(sorted(keys))}")
    return value


def _each(value: object, what: str, parse: Callable[[object], _Item]) -> tuple[_Item, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{what} is no list")  # noqa: TRY004 (a finding in outside data)
    return tuple(parse(item) for item in value)


def _text(value: object, what: str) -> str:
    """Return a line of text. Control characters would reach an administrator's terminal."""
    if not isinstance(value, str) or any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in value):  # noqa: PLR2004
        raise ValueError(f"{what} is no line of text")
    return value


def _path(value: object, what: str) -> PurePosixPath:
    text = _text(value, what)
    if not text.startswith("/"):
        raise ValueError(f"{what} is no absolute path")
    return PurePosixPath(text)
