"""SenML (RFC 8428) as JSON: packs of records with base names, base times and base units.

A record's full name is its base name and its name. Which part of it is the thing, and which the observed property: the base name
is the thing where a record has both, else what stands before the last `/`, else the whole name is the thing and the unit tells
the property. `names` says it in another way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator

from stadthub_ingest.decoded import Clock, Decoded, DecodeError, SinceArrival, Unreadable
from stadthub_ingest.expressions import find, groups
from stadthub_ingest.foreign_units import from_senml
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.texts import read_json
from stadthub_schemas.model import Strict

#: The highest version that we understand: one above it must not be read.
VERSION = 10

#: Times below are counted from now (RFC 8428, 4.5.3).
RELATIVE = 2.0**28

#: What a record without a property of its own observes, by its unit.
BY_UNIT = {
    "Cel": "temperature",
    "%RH": "relative_humidity",
    "%EL": "battery_level",
    "lx": "illuminance",
    "V": "voltage",
    "A": "current",
    "W": "electric_power",
    "Pa": "pressure",
    "hPa": "pressure",
    "pH": "acidity",
    "dB": "level",
    "count": "count",
    "/": "ratio",
}

_COORDINATES = {"lon": "longitude", "lat": "latitude"}
_BASE = frozenset(("bn", "bt", "bu", "bv", "bs", "bver"))
_TEXTS = ("bn", "bu", "n", "u")
_NUMBERS = ("bt", "t", "bv", "bs", "s")
_ENDS = ":/_-. "


class Value(Strict):
    """What records of this name observe."""

    observed_property: str | None = None
    unit: str | None = Field(default=None, description="UCUM, where the pack names none or a wrong one")
    factor: float = 1.0


class Options(Strict):
    """How packs are read."""

    names: str | None = Field(
        default=None, description="a regular expression for the full name, with the groups thing and observed_property"
    )
    values: dict[str, Value] = Field(default_factory=dict, description="by the name of the property in the pack")
    others: Literal["keep", "drop"] = Field(default="keep", description="records that `values` does not name")
    locations: dict[str, tuple[float, float]] = Field(default_factory=dict, description="longitude, latitude by thing")

    @field_validator("names")
    @classmethod
    def _is_an_expression(cls, value: str | None) -> str | None:
        if value is not None and "thing" not in groups(value):
            raise ValueError(f"{value!r} has no group (?P<thing>…)")
        return value


@dataclass(frozen=True, slots=True)
class Record:
    """A resolved record: with its full name, unit and time; `base` is how much of the name came from the base name."""

    name: str
    base: int
    unit: str | None
    time: float
    value: Any
    total: float | None


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """One row for each value. Positions (units lon and lat) become the place of their thing's values, and are no rows."""
    del name
    records = list(resolve(read_json(payload)))
    places = _places(records, options)
    for record in records:
        if isinstance(record, Unreadable):
            yield record
            continue
        yield from _rows(record, options, places)


def resolve(pack: Any) -> Iterator[Record | Unreadable]:
    """The records of a pack, resolved; what is none is Unreadable. DecodeError for a pack that must not be read."""
    if isinstance(pack, dict):
        pack = [pack]
    if not isinstance(pack, list) or not pack:
        raise DecodeError("it is not a SenML pack: a list of records is wanted")
    base: dict[str, Any] = {}
    for number, record in enumerate(pack, 1):
        if not isinstance(record, dict):
            yield Unreadable(str(record)[:1000], f"record {number}: it is not an object")
            continue
        base |= {key: record[key] for key in _BASE & record.keys()}
        version = base.get("bver", VERSION)
        if not isinstance(version, int) or isinstance(version, bool) or version > VERSION:
            raise DecodeError(f"record {number}: bver {str(version)[:100]!r} is a version that is not known (up to {VERSION})")
        yield from _resolved(record, base, number)


def _resolved(record: dict[str, Any], base: dict[str, Any], number: int) -> Iterator[Record | Unreadable]:
    """The record with its base; nothing for one that only holds base values."""
    if not record.keys() - _BASE:
        return
    whole = {**base, **record}
    wrong = next((key for key in _TEXTS if not isinstance(whole.get(key, ""), str)), None)
    numbers = [_number(whole.get(key, 0.0)) for key in _NUMBERS]
    wrong = wrong or next((key for key, value in zip(_NUMBERS, numbers, strict=True) if value is None), None)
    must = next((key for key in record if key[-1:] == "_"), None)
    if must is not None:
        yield Unreadable(str(record)[:1000], f"record {number}: {must}: a field that must be understood, and is not")
    elif wrong is not None:
        yield Unreadable(str(record)[:1000], f"record {number}: {wrong}: {str(whole[wrong])[:100]!r} is not right")
    else:
        bt, t, bv, bs, s = (value or 0.0 for value in numbers)
        value = _value(record, base, bv)
        total = bs + s if "s" in record or "bs" in base else None
        if value is None and total is None and "vd" not in record:
            value = Unreadable(str(record)[:1000], "missing")
        stem = base.get("bn", "")
        yield Record(stem + record.get("n", ""), len(stem), whole.get("u", base.get("bu")), bt + t, value, total)


def _value(record: dict[str, Any], base: dict[str, Any], bv: float) -> Any:
    """The value of a record; None where it has none, or binary data."""
    value = next((record[key] for key in ("vs", "vb") if key in record), None)
    if value is not None or "vd" in record or not ("v" in record or "bv" in base):
        return value
    given = _number(record.get("v", 0.0))
    return Unreadable(str(record["v"])[:1000], f"{str(record['v'])[:100]!r} is not a number") if given is None else bv + given


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool | str) else plain_number(value)


def _places(records: list[Record | Unreadable], options: Options) -> dict[tuple[str, float | None], dict[str, Any]]:
    """Where each thing was, by its time; without a time: where it was last."""
    places: dict[tuple[str, float | None], dict[str, Any]] = {}
    for record in records:
        if isinstance(record, Record) and record.unit in _COORDINATES:
            thing, _ = _split(record, options)
            for time in (record.time, None):
                places.setdefault((thing, time), {})[_COORDINATES[record.unit]] = record.value
    return {key: place for key, place in places.items() if len(place) == len(_COORDINATES)}


def _split(record: Record, options: Options) -> tuple[str, str | None]:
    """Thing and property of a name."""
    if options.names is not None:
        found = find(options.names, record.name)
        groups = found.groupdict() if found else {}
        return groups.get("thing") or record.name, groups.get("observed_property")
    if 0 < record.base < len(record.name):
        return record.name[: record.base].rstrip(_ENDS), record.name[record.base :].strip(_ENDS)
    thing, slash, last = record.name.rpartition("/")
    if record.base == 0 and slash and thing and last:
        return thing, last
    return record.name.rstrip(_ENDS), None


def _rows(record: Record, options: Options, places: dict[tuple[str, float | None], dict[str, Any]]) -> Iterator[Decoded]:
    thing, given = _split(record, options)
    observed = given or BY_UNIT.get(record.unit or "", "value")
    meaning = options.values.get(observed)
    dropped = meaning is None and options.others == "drop"
    if record.unit in _COORDINATES or dropped or (record.value is None and record.total is None):
        yield None  # a position, a name that nobody wants, binary data
        return
    common: dict[str, Any] = {"thing": thing, "phenomenon_time": _time(record.time)}
    if thing in options.locations:
        common["longitude"], common["latitude"] = options.locations[thing]
    else:
        common |= places.get((thing, record.time)) or places.get((thing, None)) or {}
    unit = from_senml(record.unit)
    if meaning is not None:
        observed, unit = meaning.observed_property or observed, meaning.unit or unit
    if record.value is not None:
        number = plain_number(record.value)
        scaled = record.value if number is None or meaning is None or meaning.factor == 1.0 else number * meaning.factor
        text = isinstance(scaled, str | bool)
        yield {**common, "observed_property": observed, "unit": None if text else unit, "result": scaled}
    if record.total is not None:
        yield {**common, "observed_property": f"{observed}.sum", "unit": None, "result": record.total}


def _time(time: float) -> Any:
    """Absolute, or counted from the arrival."""
    if time == 0:
        return Clock.RECEIVED
    return SinceArrival(time) if time < RELATIVE else time
