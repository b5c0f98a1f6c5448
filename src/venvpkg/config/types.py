"""Shapes of values: what a key accepts, what it becomes, how text becomes it, and how JSON Schema says it. Pure."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum


Schema = dict[str, object]

_LARGEST_NATURAL: Final = 2**31 - 1
_SEPARATORS: Final = re.compile(r"[,\n]")


class ValueTypeError(ValueError):
    """A value is not what its key wants: where inside the value, such as ``[0].target``, and why; all of it."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{where} {why}".strip() for where, why in problems))


class ValueType(Protocol):
    """What the value of a key looks like."""

    @property
    def words(self) -> str:
        """What it is, for people: ``string``."""

    def parse(self, value: object) -> object:
        """Return what a TOML value becomes.

        Raises:
            ShapeError: it has another shape.
        """

    def from_text(self, text: str) -> object:
        """Return the TOML value that an option or a variable stands for.

        Raises:
            ShapeError: it stands for none.
        """

    def schema(self) -> Schema:
        """Return the JSON Schema of the TOML value."""


def kind(value: object) -> str:
    """Return TOML's word for the type of a value."""
    words = {str: "a string", bool: "a boolean", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return words.get(type(value), f"a {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Text:
    """A string that a pattern matches as a whole.

    Attributes:
        pattern: in the words that Python and ECMA 262 share.
        expected: what it is then, to complete ``'x' is not …``.
        convert: makes a value of it.
    """

    pattern: str
    expected: str
    convert: Callable[[str], object] = str

    @property
    def words(self) -> str:
        """``string``."""
        return "string"

    def parse(self, value: object) -> object:
        """Return the converted string."""
        if not isinstance(value, str):
            raise ValueTypeError(("", f"must be a string, not {kind(value)}"))
        if not re.fullmatch(self.pattern, value):
            raise ValueTypeError(("", f"{value!r} is not {self.expected}"))
        return self.convert(value)

    def from_text(self, text: str) -> object:
        """Return the text."""
        return text

    def schema(self) -> Schema:
        """Return a string with the pattern."""
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True, slots=True)
class Natural:
    """An integer that is not negative."""

    @property
    def words(self) -> str:
        """``integer``."""
        return "integer"

    def parse(self, value: object) -> object:
        """Return the integer."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueTypeError(("", f"must be an integer, not {kind(value)}"))
        if not 0 <= value <= _LARGEST_NATURAL:
            raise ValueTypeError(("", f"{value} is not between 0 and {_LARGEST_NATURAL}"))
        return value

    def from_text(self, text: str) -> object:
        """Return the number that the digits are."""
        if not re.fullmatch(r"[0-9]{1,10}", text):
            raise ValueTypeError(("", f"{text!r} is not a number of digits"))
        return int(text)

    def schema(self) -> Schema:
        """Return an integer in its bounds."""
        return {"type": "integer", "minimum": 0, "maximum": _LARGEST_NATURAL}


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""

    @property
    def words(self) -> str:
        """``boolean``."""
        return "boolean"

    def parse(self, value: object) -> object:
        """Return the boolean."""
        if not isinstance(value, bool):
            raise ValueTypeError(("", f"must be a boolean, not {kind(value)}"))
        return value

    def from_text(self, text: str) -> object:
        """Return what ``true`` or ``false`` is."""
        return parse_toml_value(text)

    def schema(self) -> Schema:
        """Return a boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the values of an enumeration."""

    choices: type[StrEnum]

    @property
    def words(self) -> str:
        """The choices."""
        return " or ".join(f"`{each}`" for each in self.choices)

    def parse(self, value: object) -> object:
        """Return the enumeration's member."""
        if isinstance(value, str) and value in set(self.choices):
            return self.choices(value)
        raise ValueTypeError(("", f"{value!r} is not one of {', '.join(self.choices)}"))

    def from_text(self, text: str) -> object:
        """Return the text."""
        return text

    def schema(self) -> Schema:
        """Return the enumeration."""
        return {"enum": [str(each) for each in self.choices]}


@dataclass(frozen=True, slots=True)
class Array:
    """An array.

    Attributes:
        item: what its items look like.
        distinct: whether of what is given twice, only the first stays.
        least: how many there must be.
    """

    item: ValueType
    distinct: bool = True
    least: int = 0

    @property
    def words(self) -> str:
        """``array of strings``."""
        return f"array of {self.item.words}s"

    def parse(self, value: object) -> object:
        """Return a tuple."""
        if not isinstance(value, list):
            raise ValueTypeError(("", f"must be an {self.words}, not {kind(value)}"))
        if len(value) < self.least:
            raise ValueTypeError(("", "must not be empty"))
        parsed: list[object] = []
        problems: list[tuple[str, str]] = []
        for index, each in enumerate(value):
            try:
                parsed.append(self.item.parse(each))
            except ValueTypeError as error:
                problems.extend((f"[{index}]{where}", why) for where, why in error.problems)
        if problems:
            raise ValueTypeError(*problems)
        return tuple(dict.fromkeys(parsed) if self.distinct else parsed)

    def from_text(self, text: str) -> object:
        """Return what stands between commas or line breaks; tables are written as in TOML."""
        if isinstance(self.item, Text | OneOf):
            return [each.strip() for each in _SEPARATORS.split(text) if each.strip()]
        return parse_toml_value(text)

    def schema(self) -> Schema:
        """Return an array of the item's schema."""
        least = {"minItems": self.least} if self.least else {}
        return {"type": "array", "items": self.item.schema(), **least}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of known keys.

    Attributes:
        make: the value, from keyword arguments named as the keys.
        required: keys that must be there.
        optional: keys that may.
    """

    make: Callable[..., object]
    required: Mapping[str, ValueType]
    optional: Mapping[str, ValueType]

    @property
    def words(self) -> str:
        """``table``."""
        return "table"

    def parse(self, value: object) -> object:
        """Return what ``make`` makes of the keys."""
        if not isinstance(value, dict):
            raise ValueTypeError(("", f"must be a table, not {kind(value)}"))
        shapes = {**self.required, **self.optional}
        problems = [(f".{key}", "missing") for key in self.required if key not in value]
        parsed: dict[str, object] = {}
        for key, each in value.items():
            if key not in shapes:
                problems.append((f".{key}", f"unknown key; known are {', '.join(shapes)}"))
                continue
            try:
                parsed[key] = shapes[key].parse(each)
            except ValueTypeError as error:
                problems.extend((f".{key}{where}", why) for where, why in error.problems)
        if problems:
            raise ValueTypeError(*problems)
        return self.make(**parsed)

    def from_text(self, text: str) -> object:
        """Return the inline table that the text is."""
        return parse_toml_value(text)

    def schema(self) -> Schema:
        """Return a closed object."""
        properties = {key: shape.schema() for key, shape in {**self.required, **self.optional}.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(self.required),
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Named:
    """A table whose keys the user chooses.

    Attributes:
        name: what the keys look like.
        text: what a string becomes, given the key and the string.
        record: what a table becomes, given the key and the table's value.
    """

    name: Text
    text: tuple[Text, Callable[[str, str], object]]
    record: tuple[Table, Callable[[str, object], object]]

    @property
    def words(self) -> str:
        """``table``."""
        return "table"

    def parse(self, value: object) -> object:
        """Return a tuple of what the entries become, in their order."""
        if not isinstance(value, dict):
            raise ValueTypeError(("", f"must be a table, not {kind(value)}"))
        parsed: list[object] = []
        problems: list[tuple[str, str]] = []
        for key, each in value.items():
            try:
                parsed.append(self._entry(key, each))
            except ValueTypeError as error:
                problems.extend((f'."{key}"{where}', why) for where, why in error.problems)
        if problems:
            raise ValueTypeError(*problems)
        return tuple(parsed)

    def _entry(self, key: str, value: object) -> object:
        self.name.parse(key)
        if isinstance(value, dict):
            shape, make = self.record
            return make(key, shape.parse(value))
        text, of_text = self.text
        return of_text(key, str(text.parse(value)))

    def from_text(self, text: str) -> object:
        """Return the inline table that the text is."""
        return parse_toml_value(text)

    def schema(self) -> Schema:
        """Return an object with patterned names."""
        either = [self.text[0].schema(), self.record[0].schema()]
        return {
            "type": "object",
            "patternProperties": {f"^(?:{self.name.pattern})$": {"anyOf": either}},
            "additionalProperties": False,
        }


def parse_toml_value(text: str) -> object:
    """Return the TOML value that ``text`` is.

    Raises:
        ShapeError: it is none.
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        raise ValueTypeError(("", f"{text!r:.200} is not written as a TOML value")) from None
