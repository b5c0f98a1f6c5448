"""The table ``[tool.venvpkg]`` to Settings; every problem of the table at once. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from venvpkg.model.project import Settings, WheelPolicy, WheelSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Debian Policy 5.6.1; rpm allows more.
PACKAGE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+")
# Debian Policy 5.6.12: the revision holds alphanumerics and + . ~
_REVISION: Final = re.compile(r"[A-Za-z0-9+.~]+")
_MAINTAINER: Final = re.compile(r"[^<>\x00-\x1f\x7f]+ <[^<>\s\x00-\x1f\x7f]+@[^<>\s\x00-\x1f\x7f]+>")
# Written into activate scripts and shebangs as it is, so it may hold nothing that a shell would quote.
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._+-]+){2,}")
_COMMAND: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_DISTRIBUTION: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_SECTION: Final = re.compile(r"[a-z0-9][a-z0-9+./-]*")

Value = object
Parse = Callable[[Value], object]


class _ProblemError(ValueError):
    """One value is not what its key wants."""


def read_settings(table: Mapping[str, Value], where: str = "tool.venvpkg") -> tuple[Settings, tuple[str, ...]]:
    """Return the settings of a table, and its problems; the settings are defaults where a value has a problem.

    Args:
        table: as TOML gave it.
        where: path of the table, for the problems.

    Returns:
        The settings, and one sentence a problem, each beginning with the path to the key.
    """
    problems: list[str] = []
    values = dict(_read_table(table, where, KEYS, problems))
    wheels = values.pop("wheels", {})
    if not isinstance(wheels, Mapping):
        problems.append(f"{where}.wheels: must be a table, not {_kind(wheels)}")
        wheels = {}
    wheel_values = dict(_read_table(wheels, f"{where}.wheels", WHEEL_KEYS, problems))
    problems.extend(_contradictions(wheel_values, f"{where}.wheels"))
    # The parsers below give each key the type of its field; a mapping of keys cannot say so to the type checker.
    return Settings(**values, wheels=WheelSettings(**wheel_values)), tuple(problems)  # type: ignore[arg-type]


def _read_table(
    table: Mapping[str, Value], where: str, keys: Mapping[str, Parse], problems: list[str]
) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        parse = keys.get(key)
        if parse is None:
            near = difflib.get_close_matches(key, keys, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(keys))}"
            problems.append(f"{where}.{key}: unknown key{hint}")
            continue
        try:
            yield key.replace("-", "_"), parse(value)
        except _ProblemError as problem:
            problems.append(f"{where}.{key}: {problem}")


def _contradictions(wheels: Mapping[str, object], where: str) -> Iterator[str]:
    seen: dict[str, str] = {}
    for policy in ("compile", "prefer_compile", "binary"):
        names = wheels.get(policy, ())
        for name in names if isinstance(names, tuple) else ():
            first = seen.setdefault(name, policy)
            if first != policy:
                yield f"{where}.{policy.replace('_', '-')}: {name} is also in {first.replace('_', '-')}"


def _kind(value: Value) -> str:
    """Return TOML's word for the type of a value."""
    words = {str: "a string", bool: "a boolean", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return words.get(type(value), f"a {type(value).__name__}")


def _string(pattern: re.Pattern[str], expected: str) -> Parse:
    def parse(value: Value) -> str:
        if not isinstance(value, str):
            raise _ProblemError(f"must be a string, not {_kind(value)}")
        if not pattern.fullmatch(value):
            raise _ProblemError(f"{value!r} is not {expected}")
        return value

    return parse


def _strings(parse_one: Parse) -> Parse:
    def parse(value: Value) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise _ProblemError(f"must be an array of strings, not {_kind(value)}")
        return tuple(dict.fromkeys(parse_one(each) for each in value))

    return parse


def _distribution(value: Value) -> str:
    return canonicalize_name(str(_string(_DISTRIBUTION, "the name of a distribution")(value)))


def _natural(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _ProblemError(f"must be an integer, not {_kind(value)}")
    if not 0 <= value < 2**31:
        raise _ProblemError(f"{value} is not between 0 and 2147483647")
    return value


def _prefix(value: Value) -> PurePosixPath:
    text = str(_string(_PREFIX, "an absolute path of two or more parts out of letters, digits and . _ + -")(value))
    path = PurePosixPath(text)
    if ".." in path.parts or "." in text.split("/"):
        raise _ProblemError(f"{text!r} must not contain '.' or '..'")
    return path


def _policy(value: Value) -> WheelPolicy:
    try:
        return WheelPolicy(str(value))
    except ValueError:
        raise _ProblemError(f"{value!r} is not one of {', '.join(WheelPolicy)}") from None


_relation = _string(re.compile(r"[^\x00-\x1f\x7f,]+"), "one relation, such as 'postgresql-client (>= 13)'")
_package = _string(PACKAGE_NAME, "a package name: lower-case letters, digits and + - . , two or more characters")

KEYS: Final[Mapping[str, Parse]] = {
    "build-depends": _strings(_package),
    "commands": _strings(_string(_COMMAND, "the name of a command")),
    "depends": _strings(_relation),
    "epoch": _natural,
    "extras": _strings(_distribution),
    "maintainer": _string(_MAINTAINER, "of the form 'Name <address@example.org>'"),
    "name": _package,
    "prefix": _prefix,
    "revision": _string(_REVISION, "a revision: letters, digits and + . ~"),
    "section": _string(_SECTION, "an archive section"),
    "wheels": lambda value: value,
}
WHEEL_KEYS: Final[Mapping[str, Parse]] = {
    "binary": _strings(_distribution),
    "compile": _strings(_distribution),
    "default": _policy,
    "prefer-compile": _strings(_distribution),
}
