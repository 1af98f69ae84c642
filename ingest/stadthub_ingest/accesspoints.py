"""Access points: the one shape that WLAN connectors keep. It is an allow-list: what has no place in it never reaches the disk.

A kept payload is a JSON object that this file wrote: numbers, times cut to buckets, pseudonyms, and names of our own properties.
No text of the source passes, but for the label of an access point where the operator is the city and says so.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal

import orjson
from pydantic import Field, field_validator

from stadthub_ingest.decoded import Arrival, Decoded, DecodeError, Unreadable
from stadthub_ingest.times import TimeReader, Times, cut
from stadthub_schemas.model import Strict
from stadthub_schemas.properties import OBSERVED_PROPERTIES

#: How a kept payload begins; a payload without it was never reduced.
SHAPE = "access_points"

#: The properties that are counts or states are whole numbers; others keep a tenth.
_TENTHS = "channel_utilisation"
_MOST = 1e18
_DIGITS = re.compile(r"[+-]?\d{1,7}(\.\d{1,17})?\Z")
_LABEL = re.compile(r"[\w(][\w .,/()&+-]{0,79}\Z")
#: What a label must not hold: twelve hexadecimal signs with or without separators, and four groups of digits with dots.
_ADDRESS = re.compile(r"(?:[0-9A-Fa-f][-.:_ ]?){12}|\d{1,3}(?:\.\d{1,3}){3}")
_BARE = re.compile(r"[:.\-\s]")
_WORDS = {"true": True, "online": True, "up": True, "false": False, "offline": False, "down": False}

SENSORS = {"fixed": "WLAN access point", "vehicle": "WLAN access point in a vehicle"}


class Kept(Strict):
    """What every WLAN connector can be told about what it keeps."""

    operator_is_city: bool = Field(
        default=False, description="the access points are the city's own: their labels may be shown; without it they are pseudonyms"
    )
    place: Literal["fixed", "vehicle"] = Field(default="fixed", description="of an access point in a vehicle no position is kept")
    decimals: int = Field(default=4, ge=0, le=6, description="of longitude and latitude; 4 is about 10 m")
    locations: dict[str, tuple[float, float]] = Field(default_factory=dict, description="longitude, latitude by the key of the thing")
    time_zone: str = Field(default="UTC", description="the zone of times without an offset")
    bucket: timedelta = Field(
        default=timedelta(minutes=15), ge=timedelta(minutes=15), le=timedelta(days=1), description="times are cut to it"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        Times(time_zone=value)
        return value

    @cached_property
    def reader(self) -> TimeReader:
        """What reads the times of a payload."""
        return TimeReader(Times(formats=("iso", "epoch"), time_zone=self.time_zone, ambiguous="first", missing="shift"))


@dataclass(slots=True)
class Point:
    """What a connector found of one access point, unjudged: nothing of it is kept before `kept` has looked at it."""

    identity: Any
    label: Any = None
    time: Any = None
    online: Any = None
    longitude: Any = None
    latitude: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)
    quality: str | None = None
    on_way: Mapping[str, str | float] = field(
        default_factory=dict
    )  # line and stop of a vehicle: words of the feed's file, not of the source


def pseudonym(identity: Any, key: bytes) -> str | None:
    """What the hub calls an access point: the same for the same address however it is written; None if there is none."""
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        return None
    bare = _BARE.sub("", str(identity)).lower()
    if not bare or len(bare) > 500:
        return None
    return f"ap-{hashlib.blake2b(bare.encode('utf-8', 'surrogatepass'), digest_size=8, key=key, person=b'access-point').hexdigest()}"


def kept(points: Iterable[Point | None], options: Kept, key: bytes | None) -> bytes:
    """The bytes that may be stored of these access points. None stands for an item that is no access point at all; without a key
    the identities are pseudonyms already."""
    found = [{"wrong": ["it is not an object"]} if point is None else _kept(point, options, key) for point in points]
    return orjson.dumps({"shape": SHAPE, "points": [one for one in found if one]})


def _kept(point: Point, options: Kept, key: bytes | None) -> dict[str, Any]:
    thing = point.identity if key is None else pseudonym(point.identity, key)
    if thing is None:
        return {"wrong": ["thing: missing, the access point has no id"]}
    wrong: list[str] = []
    online = _truth(point.online)
    if online is None and point.online is not None:
        wrong.append("online: it is neither true nor false")
    values: dict[str, float] = {} if online is None else {"online": int(online)}
    dropped = 0
    for name, value in point.values.items():
        number = _number(name, value)
        if value is None or online is False:  # of an access point that is off the last count says nothing of now
            dropped += value is not None
        elif number is None:
            wrong.append(f"{name}: it is not a number that can be true")
        else:
            values[name] = number
    time = _time(point.time, options)
    if isinstance(time, str):
        return {"wrong": [time]}
    label = _label(point.label) if options.operator_is_city else None
    whole = {
        "thing": label or thing,
        "time": time,
        "at": None if options.place == "vehicle" else _position(point, options, wrong),
        "values": values,
        "quality": point.quality,
        "on_way": dict(point.on_way) if options.place == "vehicle" else None,
        "dropped": dropped,
        "wrong": wrong,
    }
    return {name: value for name, value in whole.items() if value or value == 0}


def rows(payload: bytes, options: Kept) -> Iterator[Decoded]:
    """The observations of a kept payload; what could not be read stands as a reject without a word of the source."""
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise DecodeError("it was never reduced, nothing of it is read") from error
    if not isinstance(document, dict) or document.get("shape") != SHAPE:
        raise DecodeError("it was never reduced, nothing of it is read")
    for point in document["points"]:
        yield from _observations(point, options)


def _observations(point: Mapping[str, Any], options: Kept) -> Iterator[Decoded]:
    time = point.get("time")
    common: dict[str, Any] = {
        "thing": point.get("thing"),
        "phenomenon_time": Arrival(options.bucket) if time is None else datetime.fromtimestamp(time, UTC),
        "sensor": SENSORS[options.place],
        "quality": point.get("quality"),
    }
    if point.get("on_way"):
        common["parameters"] = point["on_way"]
    place = options.locations.get(str(point.get("thing")), point.get("at"))
    if place is not None and options.place == "fixed":
        common["longitude"], common["latitude"] = map(float, place)
    for name, value in point.get("values", {}).items():
        yield {**common, "observed_property": name, "unit": OBSERVED_PROPERTIES[name].unit, "result": value}
    for reason in point.get("wrong", ()):
        yield Unreadable("", reason)
    for _ in range(point.get("dropped", 0)):
        yield None


def _plain(value: Any) -> float | None:
    """The finite number, also out of a short text of digits; a text of any other kind can hide anything."""
    if isinstance(value, str):
        value = float(value) if _DIGITS.match(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_MOST <= value <= _MOST:
        return None
    return float(value)


def _number(name: str, value: Any) -> float | int | None:
    """The value of a property within the bounds of what can be true."""
    number = _plain(value)
    bounds = OBSERVED_PROPERTIES[name]
    if number is None or not bounds.lowest <= number <= bounds.highest:
        return None
    return round(number, 1) if name.startswith(_TENTHS) else round(number)


def _truth(value: Any) -> bool | None:
    if isinstance(value, str):
        value = _WORDS.get(value.strip().lower())
    return bool(value) if value in (True, False) and not isinstance(value, float) else None


def _time(value: Any, options: Kept) -> int | str | None:
    """The beginning of the bucket in epoch seconds; None: the time of arrival counts; text: what is wrong."""
    if value is None or value == "":
        return None
    found = options.reader.read(value)
    if isinstance(found, Unreadable):
        return "phenomenon_time: it is not a time"
    return int(cut(found, options.bucket).timestamp())


def _position(point: Point, options: Kept, wrong: list[str]) -> list[float] | None:
    """Longitude and latitude, rounded; none at all where there is none or at 0, 0, where nobody is."""
    longitude, latitude = _plain(point.longitude), _plain(point.latitude)
    if point.longitude is None and point.latitude is None:
        return None
    if longitude is None or latitude is None or abs(longitude) > 180 or abs(latitude) > 90:
        wrong.append("longitude, latitude: they are no place on Earth")
        return None
    if not longitude and not latitude:
        return None
    return [round(longitude, options.decimals), round(latitude, options.decimals)]


def _label(value: Any) -> str | None:
    """The label of the city's own access point, if it is one and hides no address."""
    if not isinstance(value, str) or not _LABEL.match(value.strip()) or _ADDRESS.search(value):
        return None
    return value.strip()
