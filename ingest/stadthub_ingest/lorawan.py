"""The shape of LoRaWAN uplinks, whichever server sends them: decoded members and raw bytes become observations."""

import base64
import binascii
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from stadthub_ingest import codec
from stadthub_ingest.codec import Codec, Decoding, Reading
from stadthub_ingest.decoded import Decoded, Unreadable
from stadthub_ingest.keys import property_key
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.paths import flatten
from stadthub_ingest.well_known import MEMBERS
from stadthub_schemas.errors import QueryError
from stadthub_schemas.model import Strict
from stadthub_schemas.units import conversion

#: What a member means: its observed property, its unit, its factor; None: it is dropped.
Meaning = tuple[str, str | None, float] | None


class Value(Strict):
    """What one member of the decoded object observes."""

    observed_property: str
    unit: str | None = None
    factor: float = Field(default=1.0, description="the result is multiplied by it")


class Uplinks(Strict):
    """How uplinks are read. Without options the well-known names are understood and all others kept as they are."""

    values: dict[str, Value] = Field(default_factory=dict, description="by path in the decoded object, or by a pair's key")
    others: Literal["keep", "drop"] = Field(default="keep", description="members that `values` does not name")
    ignore: tuple[str, ...] = Field(default=("payload", "err", "valid"), description="members that are no observations")
    pairs: str = Field(default="messages", description="the member that holds lists of objects with a key and a value")
    key_field: str = "measurementId"
    value_field: str = "measurementValue"
    locations: dict[str, tuple[float, float]] = Field(default_factory=dict, description="longitude, latitude by device")
    codec: str | Codec | None = Field(
        default=None, description="what the raw bytes mean: the name of a codec in the library, or a codec; for uplinks that come undecoded"
    )
    check: bool = Field(default=False, description="where raw and decoded values both come: those that differ are rejects")
    frame_counter: bool = Field(default=False, description="keep the frame counter as `f_cnt` among the parameters, to count lost frames")

    @field_validator("codec")
    @classmethod
    def _in_the_library(cls, value: str | Codec | None) -> str | Codec | None:
        if isinstance(value, str):
            codec.load(value)
        return value

    @model_validator(mode="after")
    def _checkable(self) -> Self:
        if self.check and self.codec is None:
            raise ValueError("check: it needs a codec to check by")
        return self

    @cached_property
    def known(self) -> dict[str, Meaning]:
        """What each path means. It grows with the paths that come, up to a bound."""
        return {path: (value.observed_property, value.unit, value.factor) for path, value in self.values.items()}

    @cached_property
    def places(self) -> dict[str, tuple[float, float]]:
        """The locations by device in lower case."""
        return {device.lower(): place for device, place in self.locations.items()}

    @cached_property
    def machine(self) -> Codec | None:
        """The codec itself."""
        return codec.load(self.codec) if isinstance(self.codec, str) else self.codec


@dataclass(frozen=True, slots=True)
class Uplink:
    """One uplink: what the server decoded, the raw bytes in base64, and what all values share."""

    decoded: dict[str, Any] | None
    raw: str | None
    port: int | None
    common: dict[str, Any]
    undecoded: str
    text: bytes


def observations(uplink: Uplink, options: Uplinks) -> Iterator[Decoded]:
    """One row for each value: of the decoded object where there is one, else of the raw bytes."""
    decoded = uplink.decoded is not None and (uplink.decoded != {} or options.machine is None)
    wanted = options.machine is not None and uplink.raw is not None and (not decoded or options.check)
    found = _read_raw(uplink, options) if wanted else None
    if decoded:
        yield from _of_members(uplink, found, options)
    elif found is not None:
        yield from _of_bytes(uplink, found, options)
    elif uplink.raw is None:
        yield None
    else:
        yield _broken(uplink, uplink.undecoded)


def _broken(uplink: Uplink, reason: str) -> Unreadable:
    return Unreadable(uplink.text[:1000].decode("utf-8", "replace"), reason)


def _read_raw(uplink: Uplink, options: Uplinks) -> Decoding:
    assert options.machine is not None
    try:
        payload = base64.b64decode(uplink.raw or "", validate=True)
    except (binascii.Error, ValueError):
        return Decoding(error="the raw payload is not base64")
    return codec.decode(options.machine, payload, uplink.port)


def _of_bytes(uplink: Uplink, found: Decoding, options: Uplinks) -> Iterator[Decoded]:
    """The rows out of raw bytes. What could not be read is one more row, a reject."""
    common = _placed(uplink.common, found)
    for reading in found.readings:
        own = common if reading.time is None else {**common, "phenomenon_time": reading.time}
        yield _row(reading.value, _meaning(reading, options), own)
    if found.error is not None:
        yield _broken(uplink, f"codec: {found.error}")
    elif not found.readings:
        yield None


def _placed(common: dict[str, Any], found: Decoding) -> dict[str, Any]:
    """What the values share, with the device's own place where nobody gave one."""
    if "longitude" in common or found.longitude is None or found.latitude is None:
        return common
    return {**common, "longitude": found.longitude, "latitude": found.latitude}


def _meaning(reading: Reading, options: Uplinks) -> Meaning:
    """What a reading means: by the options, else by its codec, else by its name; a codec's unit holds unless the options give one."""
    given = options.values.get(reading.name)
    if given is not None:
        return given.observed_property, given.unit or reading.unit, given.factor
    if options.others == "drop" or reading.name in options.ignore:
        return None
    if reading.observed_property is not None:
        return reading.observed_property, reading.unit, 1.0
    return reading.name, reading.unit, 1.0


def _of_members(uplink: Uplink, found: Decoding | None, options: Uplinks) -> Iterator[Decoded]:
    """The rows out of the decoded object, checked against the raw bytes where that is wanted."""
    assert uplink.decoded is not None
    common = uplink.common if found is None else _placed(uplink.common, found)
    expected = {} if found is None else _expected(found, options)
    members = list(_members(uplink.decoded, options))
    if not members and (found is None or found.error is None):
        yield None
    for path, value in members:
        row = _row(value, options.known[path] if path in options.known else _learn(path, options), common)
        if expected and row is not None:
            row["result"] = _checked(row, expected)
        yield row
    if found is not None and found.error is not None:
        yield _broken(uplink, f"codec: {found.error}")


def _row(value: Any, meaning: Meaning, common: dict[str, Any]) -> dict[str, Any] | None:
    if meaning is None or value is None:
        return None
    observed_property, unit, factor = meaning
    if factor != 1.0:
        number = plain_number(value)
        value = value if number is None else number * factor
    return {**common, "observed_property": observed_property, "unit": unit, "result": value}


def _expected(found: Decoding, options: Uplinks) -> dict[str, tuple[float, str | None]]:
    """The numbers that the raw bytes hold, by observed property; those with a time of their own are others."""
    expected: dict[str, tuple[float, str | None]] = {}
    for reading in found.readings:
        meaning = _meaning(reading, options)
        number = plain_number(reading.value)
        if meaning is not None and number is not None and reading.time is None:
            expected[property_key(meaning[0])] = (number * meaning[2], meaning[1])
    return expected


def _checked(row: dict[str, Any], expected: dict[str, tuple[float, str | None]]) -> Any:
    """The result, or why it is none: the raw bytes say something else."""
    result = row["result"]
    number = plain_number(result)
    raw = expected.get(property_key(row["observed_property"]))
    if raw is None or number is None:
        return result
    wanted, unit = raw
    if unit is not None and row["unit"] is not None and unit != row["unit"]:
        try:
            factor, offset = conversion(unit, row["unit"])
        except QueryError:
            return result
        wanted = wanted * factor + offset
    if _alike(result, number, wanted):
        return result
    return Unreadable(str(result), f"{result} was decoded, but the raw bytes say {wanted:.10g}: mend the device's codec")


def _alike(result: Any, number: float, wanted: float) -> bool:
    """Whether it is the same number, rounded or cut: off by at most one of its last digit, a whole number by less."""
    text = f"{result:.12g}" if isinstance(result, float) else str(result)
    digits = len(text.partition(".")[2]) if "e" not in text else 0
    if digits:
        return abs(number - wanted) <= 1.000_001 * 10.0**-digits
    return abs(number - wanted) <= 0.500_001 or (math.isfinite(wanted) and number == math.trunc(wanted))


def _learn(path: str, options: Uplinks) -> Meaning:
    """What a path means that the options do not name."""
    meaning: Meaning = None
    if options.others == "keep" and path not in options.ignore:
        observed_property, unit = MEMBERS.get(path.lower(), (path, None))
        meaning = (observed_property, unit, 1.0)
    if len(options.known) < 10_000:
        options.known[path] = meaning
    return meaning


def degrees(tag: Any) -> Any:
    """The number in a tag, or the tag as it is for the judge to refuse."""
    number = plain_number(tag)
    return tag if number is None or isinstance(tag, bool) else number


def _members(decoded: dict[str, Any], options: Uplinks) -> Iterator[tuple[str, Any]]:
    """Every value of the decoded object with its path; those of pairs with their key."""
    for key, value in decoded.items():
        if key == options.pairs and isinstance(value, list):
            yield from _pairs(value, options)
        elif isinstance(value, dict | list):
            yield from flatten(value, key) if isinstance(value, dict) else flatten({key: value})
        else:
            yield key, value


def _pairs(found: list[Any], options: Uplinks) -> Iterator[tuple[str, Any]]:
    for item in found:
        if isinstance(item, list):
            yield from _pairs(item, options)
        elif isinstance(item, dict) and options.key_field in item:
            key = item[options.key_field]
            yield (str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)), item.get(options.value_field)
        else:
            yield from flatten(item, options.pairs)
