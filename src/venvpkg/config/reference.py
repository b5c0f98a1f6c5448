"""README's table of keys, from the keys alone. Pure."""

from __future__ import annotations

from venvpkg.config.keys import KEYS, Key


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
