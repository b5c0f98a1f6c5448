"""From what the user wrote, in every place where a key may stand, to Settings; every problem at once. Pure.

A key stands in an option, in a variable, in the table of one release, in that of its family, in the configuration's
own table, or nowhere, and the first of these that has it wins as a whole: arrays are not joined.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from venvpkg.config.keys import KEYS, RELEASE, TARGET, Key
from venvpkg.config.types import Named, ValueTypeError, kind
from venvpkg.model.project import FileSetting, PrepareStep, ScriptSettings, Settings, SonameRule, WheelSettings
from venvpkg.model.target import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


# Parsed values by path of their key.
Layer = dict[str, object]

_BY_PATH: Final = {key.path: key for key in KEYS}
# They stand for options that are no keys (cli/options.py).
_OF_OPTIONS = frozenset({
    "VENVPKG_CACHE", "VENVPKG_COMPAT", "VENVPKG_JOBS", "VENVPKG_TARGET", "VENVPKG_TARGETS", "VENVPKG_WHEELHOUSE",
})  # fmt: skip
_BY_VARIABLE: Final = {key.variable: key for key in KEYS}
_TABLES: Final = {"wheels": WheelSettings, "scripts": ScriptSettings}
# A name this near to a variable's is a slip; others with the prefix may be anybody's.
_NEAR: Final = 0.8


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the user wants.

    Attributes:
        settings: for a target without a table of its own.
        targets: family, and release (``debian-13``, or empty for any other) → the settings there; every pair, once
            there is a table at all.
        problems: one sentence each, beginning with the path to the key; the values concerned are left out.
    """

    settings: Settings
    targets: tuple[tuple[tuple[Family, str], Settings], ...]
    problems: tuple[str, ...]

    def each(self) -> tuple[Settings, ...]:
        """Return all settings, those for any target first."""
        return (self.settings, *(settings for _, settings in self.targets))


def read_configuration(
    table: Mapping[str, object],
    where: str,
    environ: Mapping[str, str],
    overrides: Mapping[str, str | Sequence[str]],
) -> Configuration:
    """Return what all places together say.

    Args:
        table: the configuration's table, as TOML gave it.
        where: path of that table, for the problems; empty where it is the whole file.
        environ: of the process; its ``VENVPKG_`` variables count.
        overrides: path of a key → text of its option, or texts where it was given several times.
    """
    problems: list[str] = []
    prefix = f"{where}." if where else ""
    general = dict(table)
    of_targets = general.pop(TARGET, {})
    base = _read_table(general, prefix, problems)
    targets = _read_targets(of_targets, f"{prefix}{TARGET}", problems)
    above = _read_variables(environ, problems) | _read_options(overrides, problems)
    for layers in ((base, above), *((base, layer, above) for layer in targets.values())):
        problems.extend(each for each in _contradictions(_merged(*layers), prefix) if each not in problems)
    return Configuration(
        _settings(_merged(base, above)),
        tuple(_by_target(base, targets, above)),
        tuple(problems),
    )


def _by_target(
    base: Layer, targets: Mapping[str, Layer], above: Layer
) -> Iterator[tuple[tuple[Family, str], Settings]]:
    """Yield the settings of each family, and of each release in each family: which one it is of is not known here."""
    releases = ("", *(name for name in targets if name not in set(Family))) if targets else ()
    for family in Family:
        for name in releases:
            merged = _merged(base, targets.get(family, {}), targets.get(name, {}), above)
            yield (family, name), _settings(merged)


def _read_targets(tables: object, where: str, problems: list[str]) -> dict[str, Layer]:
    if not isinstance(tables, dict):
        problems.append(f"{where}: must be a table, not {kind(tables)}")
        return {}
    found = {}
    for name, table in tables.items():
        try:
            RELEASE.parse(name)
        except ValueTypeError as error:
            problems.extend(f"{where}.{name}: {why}" for _, why in error.problems)
            continue
        if isinstance(table, dict):
            found[name] = _read_table(table, f"{where}.{name}.", problems)
        else:
            problems.append(f"{where}.{name}: must be a table, not {kind(table)}")
    return found


def _read_table(table: Mapping[str, object], prefix: str, problems: list[str], within: str = "") -> Layer:
    """Return the parsed values of a table; ``within`` is the path of the table inside the configuration's."""
    known = {path.removeprefix(within).partition(".")[0] for path in _BY_PATH if path.startswith(within)}
    layer: Layer = {}
    for name, value in table.items():
        path = f"{within}{name}"
        key = _BY_PATH.get(path)
        if key is not None:
            layer |= _parsed(key, value, f"{prefix}{path}", problems)
        elif not within and name in _TABLES:
            if isinstance(value, dict):
                layer |= _read_table(value, prefix, problems, f"{name}.")
            else:
                problems.append(f"{prefix}{path}: must be a table, not {kind(value)}")
        else:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
            problems.append(f"{prefix}{path}: unknown key{hint}")
    return layer


def _read_variables(environ: Mapping[str, str], problems: list[str]) -> Layer:
    """Return the values of the variables; an empty one counts as none."""
    layer: Layer = {}
    for variable in sorted(name for name in environ if name.startswith("VENVPKG_")):
        key = _BY_VARIABLE.get(variable)
        near = difflib.get_close_matches(variable, _BY_VARIABLE, n=1, cutoff=_NEAR)
        if key is not None and environ[variable].strip():
            layer |= _from_texts(key, [environ[variable]], variable, problems)
        elif key is None and near and variable not in _OF_OPTIONS:
            problems.append(f"{variable}: unknown variable; did you mean {near[0]}?")
    return layer


def _read_options(overrides: Mapping[str, str | Sequence[str]], problems: list[str]) -> Layer:
    layer: Layer = {}
    for path, given in overrides.items():
        key = _BY_PATH[path]
        layer |= _from_texts(key, [given] if isinstance(given, str) else given, key.option, problems)
    return layer


def _from_texts(key: Key, texts: Sequence[str], where: str, problems: list[str]) -> Layer:
    try:
        values = [key.shape.from_text(text) for text in texts]
    except ValueTypeError as error:
        problems.extend(f"{where}: {why}" for _, why in error.problems)
        return {}
    if not key.repeatable:
        return _parsed(key, values[-1], where, problems)
    return _parsed(key, [each for value in values for each in _items(value)], where, problems)


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _parsed(key: Key, value: object, where: str, problems: list[str]) -> Layer:
    try:
        return {key.path: key.shape.parse(value)}
    except ValueTypeError as error:
        problems.extend(f"{where}{inside}: {why}" for inside, why in error.problems)
        return {}


def _merged(*layers: Layer) -> Layer:
    """Return the layers as one; the last one that has a key wins."""
    return {path: value for layer in layers for path, value in layer.items()}


def _settings(layer: Layer) -> Settings:
    fields: dict[str, object] = {}
    tables: dict[str, dict[str, object]] = {name: {} for name in _TABLES}
    for path, value in layer.items():
        head, *rest = _BY_PATH[path].field
        (tables[head] if rest else fields)[rest[0] if rest else head] = value
    makers: Mapping[str, Callable[..., object]] = _TABLES
    nested = {name: make(**tables[name]) for name, make in makers.items()}
    # The shapes give each key the type of its field; a mapping of keys cannot say so to the type checker.
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
            yield f"{prefix}depends: {each[1:]} is to be added and to be left out"


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
