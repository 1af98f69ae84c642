"""Table Schema (Frictionless): what a column holds, what stands for no value, and what a value must fulfil."""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from stadthub_ingest.decoded import Unreadable
from stadthub_ingest.expressions import expression, fits

Type = Literal[
    "string", "number", "integer", "boolean", "date", "time", "datetime", "year", "yearmonth", "duration", "object", "array", "geopoint",
    "geojson", "any",
]  # fmt: skip


class Open(BaseModel):
    """A part of a schema: what the standard knows is read, what others add is left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Constraints(Open):
    """What a value must fulfil."""

    required: bool = False
    unique: bool = False
    min_length: int | None = Field(default=None, alias="minLength")
    max_length: int | None = Field(default=None, alias="maxLength")
    minimum: Any = None
    maximum: Any = None
    exclusive_minimum: Any = Field(default=None, alias="exclusiveMinimum")
    exclusive_maximum: Any = Field(default=None, alias="exclusiveMaximum")
    pattern: str | None = None
    enum: tuple[Any, ...] | None = None


class SchemaField(Open):
    """One column."""

    name: str
    type: Type = "string"
    format: str = "default"
    missing_values: tuple[str, ...] | None = Field(default=None, alias="missingValues")
    decimal_char: str = Field(default=".", alias="decimalChar")
    group_char: str | None = Field(default=None, alias="groupChar")
    bare_number: bool = Field(default=True, alias="bareNumber")
    true_values: tuple[str, ...] = Field(default=("true", "True", "TRUE", "1"), alias="trueValues")
    false_values: tuple[str, ...] = Field(default=("false", "False", "FALSE", "0"), alias="falseValues")
    constraints: Constraints = Constraints()

    @model_validator(mode="after")
    def _right(self) -> Self:
        if self.constraints.pattern is not None:
            expression(self.constraints.pattern)
        for name in ("minimum", "maximum", "exclusive_minimum", "exclusive_maximum"):
            bound = getattr(self.constraints, name)
            if isinstance(bound, str) and isinstance(read(bound, self, None), Unreadable):
                raise ValueError(f"constraints.{name}: {bound!r} is not of type {self.type}")
        return self


class Schema(Open):
    """All columns of a table."""

    fields: tuple[SchemaField, ...] = Field(min_length=1)
    missing_values: tuple[str, ...] = Field(default=("",), alias="missingValues")
    primary_key: str | tuple[str, ...] = Field(default=(), alias="primaryKey")

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell a row from the others."""
        return (self.primary_key,) if isinstance(self.primary_key, str) else self.primary_key

    def marks(self, one: SchemaField) -> frozenset[str]:
        """What stands for no value in this column."""
        return frozenset(self.missing_values if one.missing_values is None else one.missing_values)


def _number(text: str, one: SchemaField, _zone: Any) -> Any:
    found = text if one.bare_number else re.sub(r"^[^\d+\-.]+|[^\d]+$", "", text)
    if one.group_char:
        found = found.replace(one.group_char, "")
    if one.decimal_char != ".":
        if "." in found:
            return None
        found = found.replace(one.decimal_char, ".")
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", found, re.ASCII):
        return None
    return Decimal(found) if one.format == "decimal" else float(found)


def _integer(text: str, one: SchemaField, _zone: Any) -> Any:
    found = text if one.bare_number else re.sub(r"^[^\d+\-]+|[^\d]+$", "", text)
    found = found.replace(one.group_char, "") if one.group_char else found
    return int(found) if re.fullmatch(r"[+-]?\d{1,18}", found, re.ASCII) else None


def _boolean(text: str, one: SchemaField, _zone: Any) -> Any:
    return True if text in one.true_values else False if text in one.false_values else None


def _date(text: str, one: SchemaField, _zone: Any) -> Any:
    if one.format in ("default", "any"):
        return date.fromisoformat(text)
    return datetime.strptime(text, one.format).date()  # noqa: DTZ007 - a day has no zone


def _time(text: str, one: SchemaField, _zone: Any) -> Any:
    if one.format in ("default", "any"):
        return time.fromisoformat(text).isoformat()
    return datetime.strptime(text, one.format).time().isoformat()  # noqa: DTZ007 - neither has a time of day


def _datetime(text: str, one: SchemaField, zone: Any) -> Any:
    found = datetime.fromisoformat(text) if one.format in ("default", "any") else datetime.strptime(text, one.format)  # noqa: DTZ007 - see below
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(zone) if zone else UTC)  # the standard: a time without a zone is UTC
    return found.astimezone(UTC)


def _matching(pattern: str, make: Callable[[str], Any]) -> Callable[[str, SchemaField, Any], Any]:
    expression = re.compile(pattern, re.ASCII)
    return lambda text, _one, _zone: make(text) if expression.fullmatch(text) else None


def _json(wanted: type) -> Callable[[str, SchemaField, Any], Any]:
    def of(text: str, _one: SchemaField, _zone: Any) -> Any:
        found = orjson.loads(text)
        return found if isinstance(found, wanted) else None

    return of


READERS: Mapping[str, Callable[[str, SchemaField, Any], Any]] = {
    "string": lambda text, _one, _zone: text,
    "any": lambda text, _one, _zone: text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "year": _matching(r"[+-]?\d{4}", int),
    "yearmonth": _matching(r"\d{4}-(0[1-9]|1[0-2])", str),
    "duration": _matching(r"-?P(?=\d|T)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", str),
    "object": _json(dict),
    "array": _json(list),
    "geojson": _json(dict),
    "geopoint": _matching(r"-?\d+(\.\d+)?,\s*-?\d+(\.\d+)?", str),
}


def read(text: str, one: SchemaField, zone: str | None) -> Any:
    """The value of a cell, or why it is none of the column's type."""
    try:
        found = READERS[one.type](text, one, zone)
    except (ValueError, OverflowError, InvalidOperation):
        found = None
    if found is None:
        wanted = one.type if one.format == "default" else f"{one.type} ({one.format})"
        return Unreadable(text, f"{text[:100]!r} is not of type {wanted}")
    return found


#: The constraints that compare, what must be true, and what is said where it is not.
BOUNDS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (operator.ge, "below"),
    "maximum": (operator.le, "above"),
    "exclusive_minimum": (operator.gt, "not above"),
    "exclusive_maximum": (operator.lt, "not below"),
}


def broken(value: Any, text: str, one: SchemaField, zone: str | None) -> str | None:
    """Which constraint the value breaks, in words; None if none."""
    rules = one.constraints
    if rules.enum is not None and value not in rules.enum and text not in map(str, rules.enum):
        return f"{text[:100]!r} is none of {', '.join(map(str, rules.enum))[:200]}"
    if rules.pattern is not None and not fits(rules.pattern, text):
        return f"{text[:100]!r} does not match {rules.pattern!r}"
    size = len(value) if isinstance(value, list | dict) else len(text)
    if rules.min_length is not None and size < rules.min_length:
        return f"{text[:100]!r} is shorter than {rules.min_length}"
    if rules.max_length is not None and size > rules.max_length:
        return f"{text[:100]!r} is longer than {rules.max_length}"
    for name, (holds, words) in BOUNDS.items():
        bound = getattr(rules, name)
        if bound is None:
            continue
        limit = read(bound, one, zone) if isinstance(bound, str) else Decimal(str(bound)) if isinstance(value, Decimal) else bound
        if not holds(value, limit):
            return f"{text[:100]} is {words} {bound}"
    return None
