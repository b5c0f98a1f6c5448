"""The evidence for a package's dependencies as JSON: written into the package, read back to explain it.

The document that is read back is hostile input.
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

# The evidence of a scientific application with 328 objects takes half a megabyte.
MOST_EVIDENCE_BYTES = 1 << 26

_TEXTS = ("soname", "distribution", "floor", "symbol", "owner", "module")
_PATHS = ("needed_by", "library")
_Item = TypeVar("_Item")
_KEYS = frozenset({"source", *_TEXTS, *_PATHS})


def dump_evidence(dependencies: DependencySet) -> bytes:
    """Return the evidence as ASCII JSON, one line each; the same dependencies give the same bytes."""
    listed = _dump_dependencies(dependencies.dependencies)
    # Both keys are omitted when empty, as in most packages.
    left_out = [_dump_exclusion(each) for each in dependencies.exclusions]
    exclusions = f'  "exclusions": {_to_json(left_out)},\n' if left_out else ""
    recommends = f'  "recommends": {_dump_dependencies(dependencies.recommends)},\n' if dependencies.recommends else ""
    return (
        f'{{\n  "schema": {_to_json(SCHEMA)},\n  "dependencies": {listed},\n{recommends}{exclusions}'
        f'  "warnings": {_to_json(list(dependencies.warnings))}\n}}\n'
    ).encode("ascii")


def _dump_dependencies(dependencies: Iterable[Dependency]) -> str:
    blocks = []
    for dependency in dependencies:
        lines = ",\n".join(f"      {_to_json(_dump_evidence_fields(each))}" for each in dependency.evidence)
        blocks.append(f'    {{"relation": {_to_json(dependency.relation)}, "evidence": [\n{lines}\n    ]}}')
    return "[\n" + ",\n".join(blocks) + "\n  ]" if blocks else "[]"


def load_evidence(content: bytes, name: str) -> DependencySet:
    """Return the dependencies in a document of ``dump_evidence``.

    Args:
        content: the document.
        name: of the package or file, for messages.

    Raises:
        NotAPackageError: it is not a document of this schema.
    """
    try:
        return _parse_dependency_set(_decode_json(content))
    except (ValueError, RecursionError) as error:
        problem = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise NotAPackageError(
            f"{name} has no valid dependency evidence.",
            details=f"  {problem[:500]}",
            resolution=f"Only packages built by venvpkg have evidence; this version reads {SCHEMA}.",
        ) from error


def _decode_json(content: bytes) -> object:
    if len(content) > MOST_EVIDENCE_BYTES:
        raise ValueError("it is absurdly large")
    decoded: object = json.loads(content.decode("ascii"))
    return decoded


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True)


def _dump_evidence_fields(evidence: Evidence) -> dict[str, str]:
    fields = {key: getattr(evidence, key) for key in _KEYS}
    return {key: str(value) for key, value in fields.items() if value is not None}


def _dump_exclusion(exclusion: Exclusion) -> dict[str, object]:
    evidence = [_dump_evidence_fields(each) for each in exclusion.evidence]
    return {"what": exclusion.what, "reason": exclusion.reason, "evidence": evidence}


def _parse_dependency_set(value: object) -> DependencySet:
    if isinstance(value, dict):
        value = {"exclusions": [], "recommends": [], **value}
    document = _require_object(value, {"schema", "dependencies", "recommends", "exclusions", "warnings"}, "document")
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is {str(document['schema'])[:80]!r}, not {SCHEMA!r}")
    return DependencySet(
        _parse_list(document["dependencies"], "dependencies", _parse_dependency),
        _parse_list(document["warnings"], "warnings", lambda text: _require_line(text, "warnings")),
        _parse_list(document["exclusions"], "exclusions", _parse_exclusion),
        recommends=_parse_list(document["recommends"], "recommends", _parse_dependency),
    )


def _parse_exclusion(value: object) -> Exclusion:
    fields = _require_object(value, {"what", "reason", "evidence"}, "exclusion")
    evidence = _parse_list(fields["evidence"], "evidence", _parse_evidence)
    return Exclusion(_require_line(fields["what"], "what"), _require_line(fields["reason"], "reason"), evidence)


def _parse_dependency(value: object) -> Dependency:
    fields = _require_object(value, {"relation", "evidence"}, "dependency")
    evidence = _parse_list(fields["evidence"], "evidence", _parse_evidence)
    if not evidence:
        raise ValueError("a dependency has no evidence")
    return Dependency(_require_line(fields["relation"], "relation"), evidence)


def _parse_evidence(value: object) -> Evidence:
    if not isinstance(value, dict) or not value.keys() <= _KEYS or "source" not in value:
        raise ValueError("an entry of the evidence has keys that are not in this schema")
    texts = {key: _require_line(value[key], key) for key in _TEXTS if key in value}
    paths = {key: _require_path(value[key], key) for key in _PATHS if key in value}
    return Evidence(source=Source(_require_line(value["source"], "source")), **texts, **paths)  # type: ignore[arg-type]


def _require_object(value: object, keys: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise ValueError(f"the {what} is not an object with the keys {', '.join(sorted(keys))}")
    return value


def _parse_list(value: object, what: str, parse: Callable[[object], _Item]) -> tuple[_Item, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{what} is not a list")  # noqa: TRY004 (a finding in outside data)
    return tuple(parse(item) for item in value)


def _require_line(value: object, what: str) -> str:
    """Return ``value`` if it is a line of text. Control characters would reach an administrator's terminal."""
    if not isinstance(value, str) or any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in value):  # noqa: PLR2004
        raise ValueError(f"{what} is not a line of text")
    return value


def _require_path(value: object, what: str) -> PurePosixPath:
    text = _require_line(value, what)
    if not text.startswith("/"):
        raise ValueError(f"{what} is not an absolute path")
    return PurePosixPath(text)
