"""Payload codecs as facts: what the bytes of a device mean, read from tables in codecs/*.toml. Nothing of a codec is ever executed."""

import struct
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from stadthub_schemas.model import Strict
from stadthub_schemas.units import UNITS

LIBRARY = Path(__file__).parent / "codecs"

#: How many bytes a type has: unsigned and signed whole numbers, and floating ones.
SIZES = {f"{sign}{bits}": bits // 8 for bits in (8, 16, 24, 32, 48, 64) for sign in "ui"} | {"f32": 4, "f64": 8}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Type = Literal["u8", "i8", "u16", "i16", "u24", "i24", "u32", "i32", "u48", "i48", "u64", "i64", "f32", "f64"]
Endian = Literal["big", "little"]


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


Numbers = Annotated[tuple[int, ...], BeforeValidator(_several)]


class CodecError(ValueError):
    """The bytes are not what the codec says: one sentence with the place. The blocks before it stay."""


class Bits(Strict):
    """Where some bits stand: a number at a byte, of which `mask` leaves the bits that count."""

    at: int | None = Field(
        default=None, description="byte from the start of its block; absent: behind the field before; negative: from the end"
    )
    type: Type = "u8"
    endian: Endian | None = Field(default=None, description="absent: the codec's")
    mask: int | None = Field(
        default=None, gt=0, description="the bits that belong to it; they are shifted down, a signed type by their own sign"
    )


class Condition(Bits):
    """When a field is there: the bits are one of these numbers."""

    equals: Numbers


class CodecField(Bits):
    """One value: `((raw - bias) * scale / divisor) + offset`, or a polynomial of it, or a word."""

    name: str = Field(description="as the member of a decoded object; {channel} stands for the channel of an item")
    role: Literal["value", "time", "latitude", "longitude", "expected"] = Field(
        default="value", description="time: epoch seconds of the values in this block; expected: it must be `equals`, and is no value"
    )
    observed_property: str | None = Field(default=None, description="absent: its name, by the well-known ones")
    unit: str | None = None
    bias: float = 0.0
    scale: float = 1.0
    divisor: float = 1.0
    offset: float = 0.0
    polynomial: tuple[float, ...] = Field(default=(), description="coefficients by ascending power")
    words: dict[int, str] = Field(default_factory=dict, description="what the raw numbers mean")
    invalid: tuple[int, ...] = Field(default=(), description="raw numbers that mean: there is no value")
    equals: Numbers | None = None
    when: Condition | None = None

    @model_validator(mode="after")
    def _right(self) -> Self:
        if self.unit is not None and self.unit not in UNITS:
            raise ValueError(f"unit: {self.unit!r} is not a UCUM code that the hub knows")
        if self.words and self.type[0] == "f":
            raise ValueError("words: they stand for whole numbers")
        if self.divisor == 0:
            raise ValueError("divisor: it must not be 0")
        if (self.role == "expected") != (self.equals is not None):
            raise ValueError('equals: it belongs to role = "expected", and only there')
        return self


class Group(Strict):
    """A block that is there when its bit in `flags` is set: the first group has the lowest bit."""

    length: int = Field(gt=0, description="bytes")
    fields: tuple[CodecField, ...] = ()


class Item(Strict):
    """A block behind its channel and its type. Without fields it is known and skipped."""

    channel: Numbers | None = Field(default=None, description="absent: any")
    type: Numbers
    length: int = Field(ge=0, description="bytes behind channel and type")
    fields: tuple[CodecField, ...] = ()


class Vector(Strict):
    """An example that the tests run: what becomes of these bytes."""

    hex: str
    port: int | None = None
    values: dict[str, float | str] = Field(default_factory=dict)
    place: tuple[float, float] | None = None
    times: tuple[int, ...] = Field(default=(), description="epoch seconds of the values that bring their own time")
    error: str | None = Field(default=None, description="a part of the sentence")


class Codec(Strict):
    """What the bytes of a kind of device mean."""

    title: str
    source: str = Field(default="", description="where the maker describes it")
    endian: Endian = "big"
    ports: tuple[int, ...] = Field(default=(), description="the ports with values; none: all")
    silent_ports: tuple[int, ...] = Field(default=(), description="ports with device information: dropped")
    lengths: tuple[int, ...] = Field(default=(), description="the lengths that such a payload may have; none: any")
    fields: tuple[CodecField, ...] = Field(default=(), description="values at fixed places, also before groups or items")
    flags: Bits | None = None
    groups: tuple[Group, ...] = ()
    start: int = Field(default=0, ge=0, description="the byte where groups or items begin")
    items: tuple[Item, ...] = ()
    vectors: tuple[Vector, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.groups and self.items:
            raise ValueError("items: a codec has groups or items, not both")
        if bool(self.groups) != (self.flags is not None):
            raise ValueError("flags: groups need flags, and flags need groups")
        if not (self.fields or self.groups or self.items):
            raise ValueError("fields: a codec needs fields, groups or items")
        return self


@dataclass(frozen=True, slots=True)
class Reading:
    """One value out of the bytes; `time` where the payload says when it was, as for stored values that are sent later."""

    name: str
    observed_property: str | None
    unit: str | None
    value: float | str
    time: datetime | None = None


@dataclass(slots=True)
class Decoding:
    """What the bytes said: the readings, the device's own place, and why it broke off."""

    readings: list[Reading] = field(default_factory=list)
    longitude: float | None = None
    latitude: float | None = None
    error: str | None = None


@cache
def load(name: str) -> Codec:
    """The codec of the library with this name; ValueError names those there are."""
    if name not in names():
        raise ValueError(f"there is no codec {name!r}: there are {', '.join(names())}")
    return Codec.model_validate(tomllib.loads((LIBRARY / f"{name}.toml").read_text("utf-8")))


@cache
def names() -> tuple[str, ...]:
    """The names of the codecs in the library."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.toml")))


def decode(codec: Codec, payload: bytes, port: int | None) -> Decoding:
    """What the bytes say. It never raises: `error` tells why it broke off."""
    found = Decoding()
    if port in codec.silent_ports:
        return found
    try:
        if codec.ports and port is not None and port not in codec.ports:
            raise CodecError(f"port {port} is not one of {_list(codec.ports)}")
        if codec.lengths and len(payload) not in codec.lengths:
            raise CodecError(f"{len(payload)} bytes, not {_list(codec.lengths)}")
        _block(codec, codec.fields, payload, "", found)
        for fields, block, channel in _blocks(codec, payload):
            _block(codec, fields, block, channel, found)
    except CodecError as error:
        found.error = str(error)
    return found


def _blocks(codec: Codec, payload: bytes) -> Iterator[tuple[tuple[CodecField, ...], bytes, str]]:
    """The blocks that are there, each with its fields and its channel."""
    at = codec.start
    if codec.flags is not None:
        flags = int(_raw(codec.flags, payload, codec.flags.at or 0, codec.endian))
        if flags >> len(codec.groups):
            raise CodecError(f"flags {flags:#x}: the codec knows {len(codec.groups)} groups")
        for number, group in enumerate(codec.groups):
            if flags >> number & 1:
                yield group.fields, _cut(payload, at, group.length), ""
                at += group.length
        if at != len(payload):
            raise CodecError(f"byte {at}: {len(payload) - at} bytes too many")
    while codec.items and at < len(payload):
        channel, kind = _cut(payload, at, 2)
        item = _item(codec, channel, kind)
        if item is None:
            raise CodecError(f"byte {at}: channel {channel:#04x} with type {kind:#04x} is unknown")
        yield item.fields, _cut(payload, at + 2, item.length), str(channel)
        at += 2 + item.length


def _item(codec: Codec, channel: int, kind: int) -> Item | None:
    """The item with this channel and type; one for this very channel goes before one for any."""
    for item in codec.items:
        if kind in item.type and item.channel is not None and channel in item.channel:
            return item
    return next((item for item in codec.items if kind in item.type and item.channel is None), None)


def _cut(payload: bytes, at: int, length: int) -> bytes:
    if at + length > len(payload):
        raise CodecError(f"byte {at}: {length} bytes are wanted, {max(len(payload) - at, 0)} are there")
    return payload[at : at + length]


def _block(codec: Codec, fields: tuple[CodecField, ...], block: bytes, channel: str, found: Decoding) -> None:
    """Read the fields of a block. Its time belongs to all its values."""
    behind = 0
    time: datetime | None = None
    readings: list[Reading] = []
    for one in fields:
        at = behind if one.at is None else one.at + (len(block) if one.at < 0 else 0)
        if one.when is not None and _raw(one.when, block, one.when.at or 0, codec.endian) not in one.when.equals:
            continue
        raw = _raw(one, block, at, codec.endian)
        behind = at + SIZES[one.type]
        if one.role == "expected":
            if one.equals is not None and raw not in one.equals:
                raise CodecError(f"{one.name}: {raw}, not {_list(one.equals)}")
        elif one.role == "time":
            time = EPOCH + timedelta(seconds=raw) if 0 < raw < 1 << 33 else None
        elif raw not in one.invalid:
            value = _value(one, raw)
            if one.role == "value":
                readings.append(_reading(one, value, channel))
            else:
                setattr(found, one.role, value)
    found.readings += readings if time is None else [Reading(r.name, r.observed_property, r.unit, r.value, time) for r in readings]


def _reading(one: CodecField, value: float | str, channel: str) -> Reading:
    if not channel or "{" not in one.name:
        return Reading(one.name, one.observed_property, one.unit, value)
    observed = one.observed_property.replace("{channel}", channel) if one.observed_property else None
    return Reading(one.name.replace("{channel}", channel), observed, one.unit, value)


def _raw(bits: Bits, block: bytes, at: int, endian: Endian) -> float:
    """The number that stands there, of the bits that the mask leaves."""
    size = SIZES[bits.type]
    if at < 0 or at + size > len(block):
        raise CodecError(f"byte {at}: {size} bytes are wanted, {max(len(block) - max(at, 0), 0)} are there")
    order = bits.endian or endian
    if bits.type[0] == "f":
        return float(struct.unpack((">" if order == "big" else "<") + ("f" if size == 4 else "d"), block[at : at + size])[0])
    signed = bits.type[0] == "i"
    if bits.mask is None:
        return int.from_bytes(block[at : at + size], order, signed=signed)
    shift = (bits.mask & -bits.mask).bit_length() - 1
    number = (int.from_bytes(block[at : at + size], order) & bits.mask) >> shift
    width = (bits.mask >> shift).bit_length()
    return number - (1 << width) if signed and number >> (width - 1) else number


def _value(one: CodecField, raw: float) -> float | str:
    """What the number means."""
    if one.words:
        return one.words.get(int(raw), f"unknown ({raw:g})")
    number = raw if one.bias == 0.0 else raw - one.bias
    if one.scale != 1.0:
        number *= one.scale
    if one.divisor != 1.0:
        number /= one.divisor
    if one.polynomial:
        argument, number = number, 0.0
        for factor in reversed(one.polynomial):
            number = number * argument + factor
    return number + one.offset if one.offset else number


def _list(numbers: tuple[int, ...]) -> str:
    return " or ".join(str(number) for number in numbers)
