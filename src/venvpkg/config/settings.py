"""Merge the user's configuration from all of its layers into Settings, and report every problem at once. Pure.

The layers are, from the strongest: options, variables, the table of a release, the table of its family, the
configuration's own table, the defaults. The strongest layer that has a key sets its whole value: arrays are not joined.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from venvpkg.config.keys import KEYS, RELEASE, TARGET, Key
from venvpkg.config.types import Named, ValueTypeError, toml_type_name
from venvpkg.families.registry import FAMILIES
from venvpkg.model.project import FileSetting, PrepareStep, ScriptSettings, Settings, SonameRule, WheelSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


# Key path → parsed value.
Layer = dict[str, object]

_BY_PATH: Final = {key.path: key for key in KEYS}
# Variables of options that are not keys (cli/options.py).
_OPTION_VARIABLES = frozenset({
    "VENVPKG_CACHE", "VENVPKG_COMPAT", "VENVPKG_JOBS", "VENVPKG_TARGET", "VENVPKG_TARGETS", "VENVPKG_WHEELHOUSE",
})  # fmt: skip
_BY_VARIABLE: Final = {key.variable: key for key in KEYS}
_TABLES: Final = {"wheels": WheelSettings, "scripts": ScriptSettings}
# A name this similar to a known variable is a typo; any other name with the prefix may belong to another program.
_TYPO_RATIO: Final = 0.8


@dataclass(frozen=True, slots=True)
class Configuration:
    """The user's configuration.

    Attributes:
        settings: for targets without a table of their own.
        targets: family and release (``debian-13``; empty for any other) → their settings; every pair, if there is a
            table for any release.
        problems: one sentence each, beginning with the path of the key; the values concerned are left out.
    """

    settings: Settings
    targets: tuple[tuple[tuple[str, str], Settings], ...]
    problems: tuple[str, ...]

    def each(self) -> tuple[Settings, ...]:
        """Return the settings of all targets, the general ones first."""
        return (self.settings, *(settings for _, settings in self.targets))


def read_configuration(
    table: Mapping[str, object],
    where: str,
    environ: Mapping[str, str],
    overrides: Mapping[str, str | Sequence[str]],
) -> Configuration:
    """Return the merged configuration.

    Args:
        table: the configuration's table, parsed from TOML.
        where: path of that table, for messages; empty if it is the whole file.
        environ: environment variables; those named ``VENVPKG_…`` are read.
        overrides: key path → text of its option, or several texts if the option was repeated.
    """
    problems: list[str] = []
    prefix = f"{where}." if where else ""
    general = dict(table)
    target_tables = general.pop(TARGET, {})
    base = _read_table(general, prefix, problems)
    targets = _read_targets(target_tables, f"{prefix}{TARGET}", problems)
    above = _read_variables(environ, problems) | _read_options(overrides, problems)
    for layers in ((base, above), *((base, layer, above) for layer in targets.values())):
        problems.extend(each for each in _contradictions(_merge(*layers), prefix) if each not in problems)
    return Configuration(
        _to_settings(_merge(base, above)),
        tuple(_settings_by_target(base, targets, above)),
        tuple(problems),
    )


def _settings_by_target(
    base: Layer, targets: Mapping[str, Layer], above: Layer
) -> Iterator[tuple[tuple[str, str], Settings]]:
    """Yield the settings of each family, and of each release under each family: its own family is not known here."""
    releases = ("", *(name for name in targets if name not in set(FAMILIES))) if targets else ()
    for family in FAMILIES:
        for name in releases:
            layer = _merge(base, targets.get(family, {}), targets.get(name, {}), above)
            yield (family, name), _to_settings(layer)


def _read_targets(tables: object, where: str, problems: list[str]) -> dict[str, Layer]:
    if not isinstance(tables, dict):
        problems.append(f"{where}: must be a table, not {toml_type_name(tables)}")
        return {}
    layers = {}
    for name, table in tables.items():
        try:
            RELEASE.parse(name)
        except ValueTypeError as error:
            problems.extend(f"{where}.{name}: {why}" for _, why in error.problems)
            continue
        if isinstance(table, dict):
            layers[name] = _read_table(table, f"{where}.{name}.", problems)
        else:
            problems.append(f"{where}.{name}: must be a table, not {toml_type_name(table)}")
    return layers


def _read_table(table: Mapping[str, object], prefix: str, problems: list[str], within: str = "") -> Layer:
    """Return the parsed values of a table whose path inside the configuration's table is ``within``."""
    known = {path.removeprefix(within).partition(".")[0] for path in _BY_PATH if path.startswith(within)}
    layer: Layer = {}
    for name, value in table.items():
        path = f"{within}{name}"
        key = _BY_PATH.get(path)
        if key is not None:
            layer |= _parse_value(key, value, f"{prefix}{path}", problems)
        elif not within and name in _TABLES:
            if isinstance(value, dict):
                layer |= _read_table(value, prefix, problems, f"{name}.")
            else:
                problems.append(f"{prefix}{path}: must be a table, not {toml_type_name(value)}")
        else:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(sorted(known))}"
            problems.append(f"{prefix}{path}: unknown key{hint}")
    return layer


def _read_variables(environ: Mapping[str, str], problems: list[str]) -> Layer:
    """Return the values from environment variables; an empty variable counts as unset."""
    layer: Layer = {}
    for variable in sorted(name for name in environ if name.startswith("VENVPKG_")):
        key = _BY_VARIABLE.get(variable)
        close = difflib.get_close_matches(variable, _BY_VARIABLE, n=1, cutoff=_TYPO_RATIO)
        if key is not None and environ[variable].strip():
            layer |= _parse_texts(key, [environ[variable]], variable, problems)
        elif key is None and close and variable not in _OPTION_VARIABLES:
            problems.append(f"{variable}: unknown variable; did you mean {close[0]}?")
    return layer


def _read_options(overrides: Mapping[str, str | Sequence[str]], problems: list[str]) -> Layer:
    layer: Layer = {}
    for path, texts in overrides.items():
        key = _BY_PATH.get(path)
        if key is None:
            problems.append(f"{path}: unknown key")
            continue
        if not all(isinstance(each, str) for each in (texts if isinstance(texts, (list, tuple)) else (texts,))):
            problems.append(f"{path}: {texts!r} is not text, as its option takes it")
            continue
        layer |= _parse_texts(key, [texts] if isinstance(texts, str) else texts, key.option, problems)
    return layer


def _parse_texts(key: Key, texts: Sequence[str], where: str, problems: list[str]) -> Layer:
    try:
        values = [key.value_type.from_text(text) for text in texts]
    except ValueTypeError as error:
        problems.extend(f"{where}: {why}" for _, why in error.problems)
        return {}
    if not key.repeatable:
        return _parse_value(key, values[-1], where, problems)
    return _parse_value(key, [each for value in values for each in _as_list(value)], where, problems)


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _parse_value(key: Key, value: object, where: str, problems: list[str]) -> Layer:
    try:
        return {key.path: key.value_type.parse(value)}
    except ValueTypeError as error:
        problems.extend(f"{where}{inside}: {why}" for inside, why in error.problems)
        return {}


def _merge(*layers: Layer) -> Layer:
    """Return one layer; for each key, the last layer that has it wins."""
    return {path: value for layer in layers for path, value in layer.items()}


def _to_settings(layer: Layer) -> Settings:
    fields: dict[str, object] = {}
    tables: dict[str, dict[str, object]] = {name: {} for name in _TABLES}
    for path, value in layer.items():
        head, *rest = _BY_PATH[path].field
        (tables[head] if rest else fields)[rest[0] if rest else head] = value
    constructors: Mapping[str, Callable[..., object]] = _TABLES
    nested = {name: construct(**tables[name]) for name, construct in constructors.items()}
    # Each key's ValueType yields the type of its field, but a mapping of keys cannot tell the type checker.
    return Settings(**fields, **nested)  # type: ignore[arg-type]


def _contradictions(layer: Layer, prefix: str) -> Iterator[str]:
    seen: dict[object, str] = {}
    for policy in ("compile", "prefer-compile", "binary", "system"):
        names = layer.get(f"wheels.{policy}", ())
        for name in names if isinstance(names, tuple) else ():
            first = seen.setdefault(name, policy)
            if first != policy:
                yield f"{prefix}wheels.{policy}: {name} is also in {first}"
    depends = layer.get("depends", ())
    added = [each for each in depends if isinstance(each, str)] if isinstance(depends, tuple) else []
    for each in added:
        if each.startswith("!") and each[1:] in added:
            yield f"{prefix}depends: {each[1:]} is both added and left out"


def settings_table(settings: Settings) -> dict[str, object]:
    """Return a table of all keys that have a value, including defaults, in the types of TOML and JSON."""
    table: dict[str, object] = {}
    for key in KEYS:
        value: object = settings
        for attribute in key.field:
            value = getattr(value, attribute)
        if value is None:
            continue
        if isinstance(key.value_type, Named) and isinstance(value, tuple):
            plain: object = dict(map(_soname_entry, value))
        else:
            plain = _to_plain(value)
        head, _, rest = key.path.partition(".")
        inner = table.setdefault(head, {}) if rest else table
        if isinstance(inner, dict):
            inner[rest or head] = plain
    return table


def _soname_entry(rule: SonameRule) -> tuple[str, object]:
    return rule.soname, rule.relation or {"ignore": rule.reason}


def _to_plain(value: object) -> object:
    match value:
        case tuple():
            return [_to_plain(each) for each in value]
        case FileSetting(source, target, mode):
            return {"source": source, "target": target} | ({} if mode is None else {"mode": f"{mode:04o}"})
        case PrepareStep(run, outputs, network):
            return {"run": list(run), "outputs": list(outputs), "network": network}
        case int():
            return value
        case _:
            return str(value)
