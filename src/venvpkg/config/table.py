"""Settings as the table that gives them when it is read: the way back from ``config.settings``. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvpkg.config.keys import KEYS
from venvpkg.config.shapes import Named
from venvpkg.model.project import FileSetting, PrepareStep, SonameRule

if TYPE_CHECKING:
    from venvpkg.model.project import Settings


def settings_table(settings: Settings) -> dict[str, object]:
    """Return a table with every key that has a value, defaults too, in the types of TOML and JSON."""
    table: dict[str, object] = {}
    for key in KEYS:
        value: object = settings
        for attribute in key.field:
            value = getattr(value, attribute)
        if value is None:
            continue
        plain = dict(map(_entry, value)) if isinstance(key.shape, Named) and isinstance(value, tuple) else _plain(value)
        head, _, rest = key.path.partition(".")
        inner = table.setdefault(head, {}) if rest else table
        if isinstance(inner, dict):
            inner[rest or head] = plain
    return table


def _entry(rule: SonameRule) -> tuple[str, object]:
    return rule.soname, rule.relation or {"ignore": rule.reason}


def _plain(value: object) -> object:
    match value:
        case tuple():
            return [_plain(each) for each in value]
        case FileSetting(source, target, mode):
            return {"source": source, "target": target} | ({} if mode is None else {"mode": f"{mode:04o}"})
        case PrepareStep(run, outputs, network):
            return {"run": list(run), "outputs": list(outputs), "network": network}
        case int():
            return value
        case _:
            return str(value)
