"""Generate the JSON Schema of the configuration and the reference's table of keys from their declaration. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from venvpkg.config.keys import KEYS, RELEASE, TARGET, Key

if TYPE_CHECKING:
    from venvpkg.config.types import Schema


def schema_text() -> str:
    """Return the JSON Schema of the table ``[tool.venvpkg]``, and so of a whole ``venvpkg.toml``.

    Source:
        JSON Schema draft 7, the newest that TOML editors support.
    """
    keys = _keys_schema()
    releases: Schema = {
        "type": "object",
        "description": "Keys for a family or a release; a release overrides its family, and both override the rest.",
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


def _keys_schema() -> Schema:
    """Return the schema of a table of keys; keys with a dot in their path are in nested tables."""
    table: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
    for key in KEYS:
        *parents, name = key.path.split(".")
        properties = _properties(table)
        for parent in parents:
            nested = {"type": "object", "properties": {}, "additionalProperties": False}
            properties = _properties(properties.setdefault(parent, nested))
        properties[name] = {"description": key.help, **key.value_type.schema()}
    return table


def _properties(schema: object) -> Schema:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else {}


def keys_table() -> str:
    """Return a Markdown table with one row per key, in order and without a final newline."""
    rows = [f"| `{key.path}` | {key.value_type.type_name} | {key.help} | {_format_default(key)} |" for key in KEYS]
    return "\n".join(("| key | type | meaning | default |", "| --- | --- | --- | --- |", *rows))


def _format_default(key: Key) -> str:
    value = key.default_value()
    if key.default:
        return key.default
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"
