"""The shape of declarative decoders: which column or path is which field, wide to long, constants, missing marks."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from stadthub_ingest.crs import Crs, CrsName, read_crs
from stadthub_ingest.decoded import Clock, Decoded, Row, Unreadable
from stadthub_ingest.expressions import expression, find
from stadthub_ingest.numerals import plain_number, read_number
from stadthub_ingest.times import Times
from stadthub_schemas.dataset import ColumnType, Kind
from stadthub_schemas.model import Strict

#: What reads a time: its text, and whose time it is.
ReadTime = Callable[[Any, Hashable], datetime | Unreadable]

COORDINATES = ("longitude", "latitude")
MISSING = ("", "-", "n/a", "NA", "null")


class Columns(Strict):
    """Where each field stands: the header of a column, or a path."""

    thing: str | None = None
    thing_name: str | None = None
    observed_property: str | None = None
    phenomenon_time: str | tuple[str, ...] | None = Field(
        default=None, description="several, such as date and clock, are joined by a blank"
    )
    result: str | None = None
    unit: str | None = None
    quality: str | None = None
    sensor: str | None = None
    longitude: str | None = None
    latitude: str | None = None
    id: str | None = Field(default=None, description="features: what tells one from the others")
    geometry: str | None = Field(default=None, description="features: WKT or a GeoJSON geometry, instead of longitude and latitude")


class Constants(Strict):
    """Fields that are the same for every row. `{name}` stands for a group of `file_name`."""

    thing: str | None = None
    thing_name: str | None = None
    observed_property: str | None = None
    phenomenon_time: Literal["received"] | None = Field(default=None, description="the payload has no time: take the one of its arrival")
    unit: str | None = None
    quality: str | None = None
    sensor: str | None = None
    longitude: float | None = None
    latitude: float | None = None


class Value(Strict):
    """What one value column (or path) observes: wide becomes long."""

    observed_property: str | None = None
    unit: str | None = None
    thing: str | None = None
    thing_name: str | None = None
    sensor: str | None = None
    quality: str | None = Field(default=None, description="the column or path of its quality flag")
    factor: float = Field(default=1.0, description="the result is multiplied by it")


class Mapped(Strict):
    """The options that csv_table and json_table share."""

    kind: Kind = Field(default=Kind.TIMESERIES, description="set from the feed's own kind")
    columns: Columns = Columns()
    constants: Constants = Constants()
    values: dict[str, Value] = Field(default_factory=dict, description="the value columns (or paths) of a wide table")
    parameters: dict[str, str] = Field(default_factory=dict, description="further facts of an observation: name = column or path")
    properties: dict[str, str] | None = Field(
        default=None, description="features and table: name = column or path; absent: all, under names made from their own"
    )
    time_columns: tuple[str, ...] = Field(default=(), description="features and table: the names that hold times, read as `times` says")
    decimal_columns: tuple[str, ...] = Field(
        default=(), description="features and table: the names that hold amounts: kept exact to the last digit, never as a float"
    )
    missing: tuple[str, ...] = Field(default=MISSING, description="texts that mean: there is no value")
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    crs: CrsName = Field(
        default=None,
        description="features: the CRS of their coordinates, such as EPSG:25832 or EPSG:31467 (rechtswert, hochwert); absent: CRS84",
    )
    file_name: str | None = Field(default=None, description="a regular expression for the file's name or URL; its named groups are fields")
    times: Times = Times()
    column_types: dict[str, ColumnType] = Field(default_factory=dict, description="set from the types that the feed's metadata give")
    keep: Literal["all", "named"] = Field(
        default="all", description="named: what these options don't name is removed before anything is stored, such as names of people"
    )

    @field_validator("file_name")
    @classmethod
    def _is_an_expression(cls, value: str | None) -> str | None:
        return value if value is None else expression(value)

    @model_validator(mode="after")
    def _notation(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("thousands: it must differ from decimal")
        if self.crs is not None and self.kind is not Kind.FEATURES:
            raise ValueError('crs: it is read for features: write kind = "features", or take a source with longitude and latitude')
        if self.keep == "named" and self.kind is not Kind.TIMESERIES and self.properties is None:
            raise ValueError('properties: missing: with keep = "named" nothing else is stored')
        return self

    @cached_property
    def system(self) -> Crs | None:
        """The CRS of the coordinates; `longitude` is its easting, whatever comes first elsewhere."""
        return None if self.crs is None else Crs(read_crs(self.crs).code)


def named_places(options: Mapped) -> set[str]:
    """Every header or path that the options name."""
    found = {one for _, place in options.columns if place for one in ((place,) if isinstance(place, str) else place)}
    found |= {*options.values, *options.parameters.values(), *(options.properties or {}).values()}
    return found | {value.quality for value in options.values.values() if value.quality is not None}


def needs(options: Mapped, offered: set[str]) -> None:
    """ValueError with every field that an observation needs and neither options nor `offered` give."""
    names = offered | {name for part in (options.columns, options.constants) for name, value in part if value is not None}
    if options.values:
        names.add("result")
        names |= {f for f in ("thing", "observed_property") if all(getattr(value, f) for value in options.values.values())}
    lacking = [name for name in ("thing", "observed_property", "phenomenon_time", "result") if name not in names]
    if lacking:
        raise ValueError("\n".join(f"columns.{name}: missing: name its column, or give it in constants or values" for name in lacking))


_SLOT = re.compile(r"\{(\w+)\}")


def fill(template: str, names: Mapping[str, str]) -> str:
    """The template with its `{name}` slots filled; an unknown name stays as it is."""
    return _SLOT.sub(lambda match: names.get(match[1], match[0]), template)


def names_in(file_name: str | None, name: str) -> dict[str, str]:
    """The named groups that the options' expression finds in the payload's name; none if it does not match."""
    match = find(file_name, name) if file_name else None
    return {} if match is None else {key: value for key, value in match.groupdict().items() if value is not None}


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a record: its place, the fields that it brings along, its flag's place, its factor."""

    place: Any
    fields: Row
    quality: Any = None
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The mapping, worked out for one payload: `fetch(record, place)` gives what stands at a place."""

    fetch: Callable[[Any, Any], Any]
    constants: Row
    fields: Sequence[tuple[str, Any]]
    times: Sequence[Any]
    cells: Sequence[Cell]
    parameters: Sequence[tuple[str, Any]]
    marks: frozenset[str]
    notation: tuple[str, str | None]


def clean(value: Any, marks: frozenset[str]) -> Any:
    """The value without blanks around it; None for a missing mark."""
    if isinstance(value, str):
        value = value.strip()
        return None if value in marks else value
    return value


def observations(plan: Plan, record: Any, read: ReadTime) -> list[Decoded]:
    """One row for each cell of the record, None for each missing value."""
    common: Row = dict(plan.constants)
    for name, place in plan.fields:
        value = clean(plan.fetch(record, place), plan.marks)
        if value is not None:
            common[name] = number(value, plan.notation, 1.0) if name in COORDINATES else value
    time = _time(plan, record, read, common)
    if time is not None:
        common["phenomenon_time"] = time
    if plan.parameters:
        common["parameters"] = {name: clean(plan.fetch(record, place), plan.marks) for name, place in plan.parameters}
    rows: list[Decoded] = []
    for cell in plan.cells:
        value = clean(plan.fetch(record, cell.place), plan.marks)
        if value is None:
            rows.append(None)
            continue
        row = {**common, **cell.fields, "result": number(value, plan.notation, cell.factor)}
        if cell.quality is not None:
            row["quality"] = clean(plan.fetch(record, cell.quality), plan.marks)
        rows.append(row)
    return rows


def _time(plan: Plan, record: Any, read: ReadTime, common: Row) -> Any:
    if not plan.times:
        return None
    if len(plan.times) == 1:
        time = clean(plan.fetch(record, plan.times[0]), plan.marks)
        return None if time is None else read(time, series_of(common))
    parts = [clean(plan.fetch(record, place), plan.marks) for place in plan.times]
    if any(part is None for part in parts):
        return None
    return read(" ".join(map(str, parts)), series_of(common))


def series_of(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Whose times these are, where the order of the doubled hour decides."""
    return str(fields.get("thing")), str(fields.get("observed_property"))


def number(value: Any, notation: tuple[str, str | None], factor: float) -> Any:
    """The value in the options' notation and multiplied by the factor; what is no number stays as it is."""
    if isinstance(value, str) and notation != (".", None):
        value = read_number(value, *notation)
    if factor != 1.0 and not isinstance(value, Unreadable):
        plain = plain_number(value)
        return value if plain is None else plain * factor
    return value


def constants_of(options: Mapped, groups: Mapping[str, str]) -> Row:
    """The constant fields of a payload: those of its file name, then those of the options."""
    given = {name: value for name, value in options.constants if value is not None}
    found: Row = {name: value for name, value in groups.items() if name in Constants.model_fields}
    found |= {name: fill(value, groups) if isinstance(value, str) else value for name, value in given.items()}
    if given.get("phenomenon_time") == "received":
        found["phenomenon_time"] = Clock.RECEIVED
    return found


def fields_of(value: Value, names: Mapping[str, str]) -> Row:
    """The fields that a value column brings: what its options say with slots filled, else the group of that name."""
    given = {name: getattr(value, name) for name in ("thing", "thing_name", "observed_property", "unit", "sensor")}
    return {
        name: fill(text, names) if text is not None else names[name] for name, text in given.items() if text is not None or name in names
    }
