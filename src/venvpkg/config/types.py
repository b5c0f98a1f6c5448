"""Types of configuration values: parse TOML values and option text, and describe them as JSON Schema. Pure."""

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
    """A value is not of its key's type.

    Attributes:
        problems: every problem, as its position inside the value, such as ``[0].target``, and a description.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{where} {why}".strip() for where, why in problems))


class ValueType(Protocol):
    """The type of a configuration value."""

    @property
    def type_name(self) -> str:
        """Name of the type in the reference: ``string``."""

    @property
    def metavar(self) -> str:
        """What stands for a value in the help of an option."""

    def parse(self, value: object) -> object:
        """Return the model value of a TOML value.

        Raises:
            ValueTypeError: the TOML value is of another type.
        """

    def from_text(self, text: str) -> object:
        """Return the TOML value of an option's or variable's text.

        Raises:
            ValueTypeError: the text cannot be read as a value of this type.
        """

    def schema(self) -> Schema:
        """Return the JSON Schema of the TOML value."""


def toml_type_name(value: object) -> str:
    """Return TOML's name for the type of a value, with its article."""
    names = {str: "a string", bool: "a boolean", int: "an integer", float: "a float", list: "an array", dict: "a table"}
    return names.get(type(value), f"a {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Text:
    """A string that matches a pattern from beginning to end.

    Attributes:
        pattern: regular expression in the syntax that Python and ECMA 262 share.
        expected: noun phrase that completes ``'x' is not …``.
        convert: turns the string into the model value.
    """

    pattern: str
    expected: str
    convert: Callable[[str], object] = str

    @property
    def type_name(self) -> str:
        """``string``."""
        return "string"

    @property
    def metavar(self) -> str:
        """What stands for a value in the help of an option."""
        return "TEXT"

    def parse(self, value: object) -> object:
        """Return the converted string."""
        if not isinstance(value, str):
            raise ValueTypeError(("", f"must be a string, not {toml_type_name(value)}"))
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
    def type_name(self) -> str:
        """``integer``."""
        return "integer"

    @property
    def metavar(self) -> str:
        """What stands for a value in the help of an option."""
        return "NUMBER"

    def parse(self, value: object) -> object:
        """Return the integer."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueTypeError(("", f"must be an integer, not {toml_type_name(value)}"))
        if not 0 <= value <= _LARGEST_NATURAL:
            raise ValueTypeError(("", f"{value} is not between 0 and {_LARGEST_NATURAL}"))
        return value

    def from_text(self, text: str) -> object:
        """Return the number, which must be written in decimal digits."""
        if not re.fullmatch(r"[0-9]{1,10}", text):
            raise ValueTypeError(("", f"{text!r} is not a whole number"))
        return int(text)

    def schema(self) -> Schema:
        """Return an integer with its bounds."""
        return {"type": "integer", "minimum": 0, "maximum": _LARGEST_NATURAL}


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""

    @property
    def type_name(self) -> str:
        """``boolean``."""
        return "boolean"

    @property
    def metavar(self) -> str:
        """What stands for a value in the help of an option."""
        return "true|false"

    def parse(self, value: object) -> object:
        """Return the boolean."""
        if not isinstance(value, bool):
            raise ValueTypeError(("", f"must be a boolean, not {toml_type_name(value)}"))
        return value

    def from_text(self, text: str) -> object:
        """Return the boolean of ``true`` or ``false``."""
        return parse_toml_value(text)

    def schema(self) -> Schema:
        """Return a boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the values of an enumeration."""

    choices: type[StrEnum]

    @property
    def type_name(self) -> str:
        """The choices, each in backquotes."""
        return " or ".join(f"`{each}`" for each in self.choices)

    @property
    def metavar(self) -> str:
        """What stands for a value in the help of an option."""
        return "|".join(self.choices)

    def parse(self, value: object) -> object:
        """Return the member of the enumeration."""
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
        item: type of its items.
        distinct: whether duplicates are dropped; the first one stays.
        least: minimum number of items.
    """

    item: ValueType
    distinct: bool = True
    least: int = 0

    @property
    def type_name(self) -> str:
        """``array of strings``."""
        return f"array of {self.item.type_name}s"

    @property
    def metavar(self) -> str:
        """What stands for a value in the help of an option."""
        return self.item.metavar

    def parse(self, value: object) -> object:
        """Return a tuple."""
        if not isinstance(value, list):
            raise ValueTypeError(("", f"must be an {self.type_name}, not {toml_type_name(value)}"))
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
        """Return the items between commas or line breaks; an array of tables is written as in TOML."""
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
        make: builds the model value from keyword arguments named like the keys.
        required: mandatory keys and their types.
        optional: the other keys and their types.
    """

    make: Callable[..., object]
    required: Mapping[str, ValueType]
    optional: Mapping[str, ValueType]

    @property
    def type_name(self) -> str:
        """``table``."""
        return "table"

    @property
    def metavar(self) -> str:
        """What stands for a value in the help of an option."""
        return "TOML"

    def parse(self, value: object) -> object:
        """Return the result of ``make`` for the parsed keys."""
        if not isinstance(value, dict):
            raise ValueTypeError(("", f"must be a table, not {toml_type_name(value)}"))
        types = {**self.required, **self.optional}
        problems = [(f".{key}", "missing") for key in self.required if key not in value]
        parsed: dict[str, object] = {}
        for key, each in value.items():
            if key not in types:
                problems.append((f".{key}", f"unknown key; expected one of {', '.join(types)}"))
                continue
            try:
                parsed[key] = types[key].parse(each)
            except ValueTypeError as error:
                problems.extend((f".{key}{where}", why) for where, why in error.problems)
        if problems:
            raise ValueTypeError(*problems)
        return self.make(**parsed)

    def from_text(self, text: str) -> object:
        """Return the inline table that the text is."""
        return parse_toml_value(text)

    def schema(self) -> Schema:
        """Return an object without additional properties."""
        properties = {key: value_type.schema() for key, value_type in {**self.required, **self.optional}.items()}
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
        name: type of the keys.
        text: type of a string value, and the function that builds an entry from the key and the string.
        table: type of a table value, and the function that builds an entry from the key and the parsed table.
    """

    name: Text
    text: tuple[Text, Callable[[str, str], object]]
    table: tuple[Table, Callable[[str, object], object]]

    @property
    def type_name(self) -> str:
        """``table``."""
        return "table"

    @property
    def metavar(self) -> str:
        """What stands for a value in the help of an option."""
        return "TOML"

    def parse(self, value: object) -> object:
        """Return a tuple of the parsed entries, in order."""
        if not isinstance(value, dict):
            raise ValueTypeError(("", f"must be a table, not {toml_type_name(value)}"))
        parsed: list[object] = []
        problems: list[tuple[str, str]] = []
        for key, each in value.items():
            try:
                parsed.append(self._parse_entry(key, each))
            except ValueTypeError as error:
                problems.extend((f'."{key}"{where}', why) for where, why in error.problems)
        if problems:
            raise ValueTypeError(*problems)
        return tuple(parsed)

    def _parse_entry(self, key: str, value: object) -> object:
        self.name.parse(key)
        if isinstance(value, dict):
            table, make = self.table
            return make(key, table.parse(value))
        text, make_from_text = self.text
        return make_from_text(key, str(text.parse(value)))

    def from_text(self, text: str) -> object:
        """Return the inline table that the text is."""
        return parse_toml_value(text)

    def schema(self) -> Schema:
        """Return an object with patterns for its property names."""
        either = [self.text[0].schema(), self.table[0].schema()]
        return {
            "type": "object",
            "patternProperties": {f"^(?:{self.name.pattern})$": {"anyOf": either}},
            "additionalProperties": False,
        }


def parse_toml_value(text: str) -> object:
    """Return the value of a TOML expression.

    Raises:
        ValueTypeError: ``text`` is not valid TOML.
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        raise ValueTypeError(("", f"{text!r:.200} is not a valid TOML value")) from None
