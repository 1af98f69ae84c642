"""ChirpStack v4: LoRaWAN uplinks as JSON (event/up), device status and solved places, from MQTT or the HTTP integration.

The place of a thing comes from the tags of its device (latitude, longitude), from the options or from a location event, never
from the gateway.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from pydantic import Field

from stadthub_ingest.decoded import Decoded, DecodeError
from stadthub_ingest.lorawan import Uplink, Uplinks, degrees, observations


class Options(Uplinks):
    """How events of ChirpStack are read."""

    thing_from: Literal["devEui", "deviceName"] = "devEui"
    parameters: tuple[Literal["fCnt", "fPort", "deduplicationId", "dr", "applicationName"], ...] = ()
    events: tuple[Literal["status", "location"], ...] = Field(
        default=("location",), description="events beside uplinks that are kept: battery and margin; the solved place"
    )


class _Device(msgspec.Struct):
    devEui: str  # noqa: N815 - ChirpStack's words
    deviceName: str | None = None  # noqa: N815
    deviceProfileName: str | None = None  # noqa: N815
    applicationName: str | None = None  # noqa: N815
    tags: dict[str, Any] | None = None


class _Location(msgspec.Struct):
    latitude: float = 0.0
    longitude: float = 0.0
    altitude: float | None = None
    source: str | None = None
    accuracy: float | None = None


class _Event(msgspec.Struct):
    deviceInfo: _Device  # noqa: N815
    time: str | None = None
    object: dict[str, Any] | None = None
    data: str | None = None
    fCnt: Any = None  # noqa: N815
    fPort: Any = None  # noqa: N815
    dr: Any = None
    deduplicationId: Any = None  # noqa: N815
    margin: Any = None
    externalPowerSource: bool = False  # noqa: N815
    batteryLevelUnavailable: bool = False  # noqa: N815
    batteryLevel: Any = None  # noqa: N815
    location: _Location | None = None


_READ = msgspec.json.Decoder(_Event)
_EVENT = re.compile(r"(?:/event/|[?&]event=)([a-z]+)")
_UNDECODED = "object: missing: ChirpStack did not decode this uplink, give its device profile a codec, or the feed options.codec"


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """One row for each value of an uplink, of a status, of a solved place. Other events are dropped."""
    named = _EVENT.search(name)
    if named is not None and named[1] != "up" and named[1] not in options.events:
        yield None
        return
    try:
        event = _READ.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"it is not a ChirpStack v4 event: {error}") from error
    kind = named[1] if named is not None else _kind(event)
    if kind == "status" and "status" in options.events:
        yield from _status(event, options)
    elif kind == "location" and "location" in options.events:
        yield _place(event, options)
    elif kind == "up":
        port = event.fPort if isinstance(event.fPort, int) else None
        yield from observations(Uplink(event.object, event.data, port, _common(event, options), _UNDECODED, payload), options)
    else:
        yield None


def _kind(event: _Event) -> str:
    """Which event it is, where its name does not tell."""
    if event.object is not None or event.data is not None:
        return "up"
    if event.location is not None:
        return "location"
    return "status" if event.margin is not None or event.batteryLevel is not None else "up"


def _status(event: _Event, options: Options) -> Iterator[Decoded]:
    """Battery and margin. A battery that is not measured, or not used, has no level."""
    common = _common(event, options)
    unknown = event.batteryLevelUnavailable or event.externalPowerSource
    battery = {"observed_property": "battery_level", "unit": "%", "result": event.batteryLevel}
    yield None if unknown or event.batteryLevel is None else common | battery
    yield common | {"observed_property": "link_margin", "unit": "dB", "result": 0 if event.margin is None else event.margin}


def _place(event: _Event, options: Options) -> Decoded:
    """The solved place: an observation that says where it comes from and puts its thing there."""
    place = event.location
    if place is None:
        return None
    common = _common(event, options)
    extra = {"accuracy": place.accuracy, "altitude": place.altitude}
    common["parameters"] = common.get("parameters", {}) | {name: value for name, value in extra.items() if value is not None}
    common |= {"longitude": place.longitude, "latitude": place.latitude}
    return {**common, "observed_property": "location_source", "unit": None, "result": place.source or "UNKNOWN"}


def _common(event: _Event, options: Options) -> dict[str, Any]:
    """What all values of an event share."""
    device = event.deviceInfo
    eui = device.devEui.lower()
    common: dict[str, Any] = {
        "thing": eui if options.thing_from == "devEui" else device.deviceName,
        "thing_name": device.deviceName or None,
        "sensor": device.deviceProfileName or None,
        "phenomenon_time": event.time,
    }
    if options.places and eui in options.places:
        common["longitude"], common["latitude"] = options.places[eui]
    elif device.tags:
        tags = device.tags
        longitude, latitude = tags.get("longitude", tags.get("lon")), tags.get("latitude", tags.get("lat"))
        if longitude or latitude:
            common["longitude"], common["latitude"] = degrees(longitude), degrees(latitude)
    parameters: dict[str, Any] = {
        name: device.applicationName if name == "applicationName" else getattr(event, name) for name in options.parameters
    }
    if options.frame_counter and event.fCnt is not None:
        parameters["f_cnt"] = event.fCnt
    if parameters:
        common["parameters"] = parameters
    return common
