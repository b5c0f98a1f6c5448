"""What the keys alone give: the JSON Schema of the configuration, and the reference's table of keys. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from venvpkg.config.keys import KEYS, RELEASE, TARGET, Key

if TYPE_CHECKING:
    from venvpkg.config.types import Schema


def schema_text() -> str:
    """Return the schema of the table ``[tool.venvpkg]``, which is also that of a whole ``venvpkg.toml``, as JSON.

    Source:
        JSON Schema draft 7, the newest that editors of TOML understand.
    """
    keys = _table()
    releases: Schema = {
        "type": "object",
        "description": "Keys for families and single releases; a release wins over its family, both over all others.",
        "patternProperties": {f"^(?:{RELEASE.pattern})$": {"$ref": "#/definitions/keys"}},
        "additionalProperties": False,
    }
    document: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of venvpkg: [tool.venvpkg] in pyproject.toml, or venvpkg.toml",
        "definitions": {"keys": keys},
        "type": "object",
        "properties": {**_properties(keys), TARGET: releases},
        "additionalProperties": False,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _table() -> Schema:
    """Return the schema of a table of keys; those with a dot in their path are in tables of their own."""
    table: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
    for key in KEYS:
        *above, name = key.path.split(".")
        properties = _properties(table)
        for each in above:
            fresh = {"type": "object", "properties": {}, "additionalProperties": False}
            properties = _properties(properties.setdefault(each, fresh))
        properties[name] = {"description": key.help, **key.shape.schema()}
    return table


def _properties(schema: object) -> Schema:
    found = schema.get("properties") if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def keys_table() -> str:
    """Return a Markdown table with one row a key, in their order, without a newline at its end."""
    rows = [f"| `{key.path}` | {key.shape.words} | {key.help} | {_default(key)} |" for key in KEYS]
    return "\n".join(("| key | type | meaning | default |", "| --- | --- | --- | --- |", *rows))


def _default(key: Key) -> str:
    value = key.default_value()
    if key.default:
        return key.default
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"
