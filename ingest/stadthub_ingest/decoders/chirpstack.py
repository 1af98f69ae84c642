"""ChirpStack v4: LoRaWAN uplinks as JSON (event/up), from MQTT or the HTTP integration.

The place of a thing comes from the tags of its device (latitude, longitude) or from the options, never from the gateway.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

import msgspec
from pydantic import Field

from stadthub_ingest.decoded import Decoded, DecodeError, Unreadable
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.paths import flatten
from stadthub_schemas.model import Strict

#: What device profiles of many makers call a value: the observed property and the unit in which it comes.
WELL_KNOWN: dict[str, tuple[str, str | None]] = {
    "temperature": ("air_temperature", "Cel"),
    "air_temperature": ("air_temperature", "Cel"),
    "humidity": ("relative_humidity", "%"),
    "relative_humidity": ("relative_humidity", "%"),
    "pressure": ("air_pressure", "hPa"),
    "barometric_pressure": ("air_pressure", "hPa"),
    "co2": ("carbon_dioxide", "[ppm]"),
    "pm1": ("pm1", "ug/m3"),
    "pm1_0": ("pm1", "ug/m3"),
    "pm25": ("pm2_5", "ug/m3"),
    "pm2_5": ("pm2_5", "ug/m3"),
    "pm4": ("pm4", "ug/m3"),
    "pm10": ("pm10", "ug/m3"),
    "no2": ("nitrogen_dioxide", "ug/m3"),
    "o3": ("ozone", "ug/m3"),
    "illuminance": ("illuminance", "lx"),
    "light": ("illuminance", "lx"),
    "wind_speed": ("wind_speed", "m/s"),
    "wind_direction": ("wind_from_direction", "deg"),
    "soil_moisture": ("soil_moisture", "%"),
    "water_soil": ("soil_moisture", "%"),
    "soil_temperature": ("soil_temperature", "Cel"),
    "temp_soil": ("soil_temperature", "Cel"),
    "conduct_soil": ("soil_conductivity", "uS/cm"),
    "water_level": ("water_level", "cm"),
    "laeq": ("sound_level", "dB[A]"),
    "sound_level": ("sound_level", "dB[A]"),
    "battery": ("battery_level", "%"),
    "battery_level": ("battery_level", "%"),
    "batv": ("battery_voltage", "V"),
    "battery_voltage": ("battery_voltage", "V"),
    # SenseCAP's numbers (measurementId)
    "4097": ("air_temperature", "Cel"),
    "4098": ("relative_humidity", "%"),
    "4099": ("illuminance", "lx"),
    "4100": ("carbon_dioxide", "[ppm]"),
    "4101": ("air_pressure", "Pa"),
    "4102": ("soil_temperature", "Cel"),
    "4103": ("soil_moisture", "%"),
    "4104": ("wind_from_direction", "deg"),
    "4105": ("wind_speed", "m/s"),
    "4106": ("acidity", "[pH]"),
    "4113": ("rainfall_rate", None),
    "4190": ("uv_index", "1"),
    "4191": ("wind_gust", "m/s"),
    "4213": ("precipitation_total", "mm"),
}


class Value(Strict):
    """What one member of the decoded object observes."""

    observed_property: str
    unit: str | None = None
    factor: float = Field(default=1.0, description="the result is multiplied by it")


class Options(Strict):
    """How uplinks are read. Without options the well-known names are understood and all others kept as they are."""

    thing_from: Literal["devEui", "deviceName"] = "devEui"
    values: dict[str, Value] = Field(default_factory=dict, description="by path in the decoded object, or by a pair's key")
    others: Literal["keep", "drop"] = Field(default="keep", description="members that `values` does not name")
    ignore: tuple[str, ...] = Field(default=("payload", "err", "valid"), description="members that are no observations")
    pairs: str = Field(default="messages", description="the member that holds lists of objects with a key and a value")
    key_field: str = "measurementId"
    value_field: str = "measurementValue"
    locations: dict[str, tuple[float, float]] = Field(default_factory=dict, description="longitude, latitude by devEui")
    parameters: tuple[Literal["fCnt", "fPort", "deduplicationId", "dr", "applicationName"], ...] = ()

    @cached_property
    def known(self) -> dict[str, tuple[str, str | None, float] | None]:
        """What each path means; None: it is dropped. It grows with the paths that come, up to a bound."""
        return {path: (value.observed_property, value.unit, value.factor) for path, value in self.values.items()}

    @cached_property
    def places(self) -> dict[str, tuple[float, float]]:
        """The locations by devEui in lower case."""
        return {eui.lower(): place for eui, place in self.locations.items()}


class _Device(msgspec.Struct):
    devEui: str  # noqa: N815 - ChirpStack's words
    deviceName: str | None = None  # noqa: N815
    deviceProfileName: str | None = None  # noqa: N815
    applicationName: str | None = None  # noqa: N815
    tags: dict[str, Any] | None = None


class _Uplink(msgspec.Struct):
    deviceInfo: _Device  # noqa: N815
    time: str | None = None
    object: dict[str, Any] | None = None
    data: str | None = None
    fCnt: Any = None  # noqa: N815
    fPort: Any = None  # noqa: N815
    dr: Any = None
    deduplicationId: Any = None  # noqa: N815


_READ = msgspec.json.Decoder(_Uplink)
_EVENT = re.compile(r"(?:/event/|[?&]event=)([a-z]+)")


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """One row for each member of the decoded object. Events other than uplinks are dropped."""
    event = _EVENT.search(name)
    if event is not None and event[1] != "up":
        yield None
        return
    try:
        uplink = _READ.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"it is not a ChirpStack v4 event: {error}") from error
    if uplink.object is None and uplink.data is None:
        yield None
    elif uplink.object is None:
        reason = "object: missing: ChirpStack did not decode this uplink, give its device profile a codec"
        yield Unreadable(payload[:1000].decode("utf-8", "replace"), reason)
    else:
        common = _common(uplink, options)
        members = list(_members(uplink.object, options))
        if not members:
            yield None
        for path, value in members:
            yield _row(path, value, common, options)


def _row(path: str, value: Any, common: dict[str, Any], options: Options) -> Decoded:
    known = options.known[path] if path in options.known else _learn(path, options)
    if known is None or value is None:
        return None
    observed_property, unit, factor = known
    if factor != 1.0:
        number = plain_number(value)
        value = value if number is None else number * factor
    return {**common, "observed_property": observed_property, "unit": unit, "result": value}


def _learn(path: str, options: Options) -> tuple[str, str | None, float] | None:
    """What a path means that the options do not name."""
    if options.others == "drop" or path in options.ignore:
        meaning = None
    else:
        observed_property, unit = WELL_KNOWN.get(path.lower(), (path, None))
        meaning = (observed_property, unit, 1.0)
    if len(options.known) < 10_000:
        options.known[path] = meaning
    return meaning


def _common(uplink: _Uplink, options: Options) -> dict[str, Any]:
    """What all values of an uplink share."""
    device = uplink.deviceInfo
    eui = device.devEui.lower()
    common: dict[str, Any] = {
        "thing": eui if options.thing_from == "devEui" else device.deviceName,
        "thing_name": device.deviceName or None,
        "sensor": device.deviceProfileName or None,
        "phenomenon_time": uplink.time,
    }
    if options.places and eui in options.places:
        common["longitude"], common["latitude"] = options.places[eui]
    elif device.tags:
        tags = device.tags
        longitude, latitude = tags.get("longitude", tags.get("lon")), tags.get("latitude", tags.get("lat"))
        if longitude or latitude:
            common["longitude"], common["latitude"] = _degrees(longitude), _degrees(latitude)
    if options.parameters:
        common["parameters"] = {
            name: device.applicationName if name == "applicationName" else getattr(uplink, name) for name in options.parameters
        }
    return common


def _degrees(tag: Any) -> Any:
    """The number in a tag, or the tag as it is for the judge to refuse."""
    number = plain_number(tag)
    return tag if number is None or isinstance(tag, bool) else number


def _members(decoded: dict[str, Any], options: Options) -> Iterator[tuple[str, Any]]:
    """Every value of the decoded object with its path; those of pairs with their key."""
    for key, value in decoded.items():
        if key == options.pairs and isinstance(value, list):
            yield from _pairs(value, options)
        elif isinstance(value, dict | list):
            yield from flatten(value, key) if isinstance(value, dict) else flatten({key: value})
        else:
            yield key, value


def _pairs(found: list[Any], options: Options) -> Iterator[tuple[str, Any]]:
    for item in found:
        if isinstance(item, list):
            yield from _pairs(item, options)
        elif isinstance(item, dict) and options.key_field in item:
            key = item[options.key_field]
            yield (str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)), item.get(options.value_field)
        else:
            yield from flatten(item, options.pairs)
