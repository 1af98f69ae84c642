"""The Things Stack (TTN v3): LoRaWAN uplinks as JSON, from MQTT, webhooks or the storage integration (one message a line).

The place of a thing comes from the options or from its own locations (set by hand, or out of its payload), never from the gateway.
A message that comes again has the same time and is a duplicate.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from stadthub_ingest.decoded import Decoded, DecodeError, Unreadable
from stadthub_ingest.lorawan import Uplink, Uplinks, observations


class Options(Uplinks):
    """How messages of The Things Stack are read."""

    thing_from: Literal["dev_eui", "device_id"] = "dev_eui"
    parameters: tuple[Literal["f_port", "correlation_id", "application_id", "data_rate_index"], ...] = ()
    simulated: Literal["drop", "keep"] = "drop"


class _Application(msgspec.Struct):
    application_id: str | None = None


class _Ids(msgspec.Struct):
    device_id: str
    dev_eui: str | None = None
    application_ids: _Application | None = None


class _Version(msgspec.Struct):
    brand_id: str | None = None
    model_id: str | None = None


class _Settings(msgspec.Struct):
    data_rate_index: int | None = None


class _Location(msgspec.Struct):
    latitude: float = 0.0
    longitude: float = 0.0
    source: str | None = None


class _Uplink(msgspec.Struct):
    """Fields that are empty, 0 or false are left out by the server."""

    f_port: int = 0
    f_cnt: int = 0
    frm_payload: str | None = None
    decoded_payload: dict[str, Any] | None = None
    received_at: str | None = None
    locations: dict[str, _Location] | None = None
    version_ids: _Version | None = None
    settings: _Settings | None = None


class _Message(msgspec.Struct):
    end_device_ids: _Ids | None = None
    uplink_message: _Uplink | None = None
    received_at: str | None = None
    correlation_ids: list[str] | None = None
    simulated: bool = False
    result: "_Message | None" = None


_READ = msgspec.json.Decoder(_Message)
_UNDECODED = (
    "decoded_payload: missing: The Things Stack did not decode this uplink, give the device a payload formatter, or the feed options.codec"
)


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """One row for each value of an uplink. Joins, acknowledgements, solved places, simulated and normalized messages are dropped."""
    del name  # the payload itself tells what it is
    try:
        message = _READ.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        lines = [line for line in payload.split(b"\n") if line.strip()]
        if len(lines) < 2 or not all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines[:2]):
            raise DecodeError(f"it is not a message of The Things Stack: {error}") from error
        yield from _lines(lines, options)
    else:
        yield from _rows(message, payload, options)


def _lines(lines: list[bytes], options: Options) -> Iterator[Decoded]:
    """The messages of a storage answer, one a line."""
    for number, line in enumerate(lines, 1):
        try:
            message = _READ.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            yield Unreadable(line[:1000].decode("utf-8", "replace"), f"line {number}: it is not a message of The Things Stack: {error}")
            continue
        yield from _rows(message, line, options)


def _rows(message: _Message, text: bytes, options: Options) -> Iterator[Decoded]:
    message = message.result or message
    uplink = message.uplink_message
    if message.end_device_ids is None:
        yield Unreadable(text[:1000].decode("utf-8", "replace"), "end_device_ids: missing: it is not a message of The Things Stack")
    elif uplink is None or (message.simulated and options.simulated == "drop"):
        yield None
    else:
        common = _common(message, message.end_device_ids, uplink, options)
        found = Uplink(uplink.decoded_payload, uplink.frm_payload, uplink.f_port, common, _UNDECODED, text)
        yield from observations(found, options)


def _common(message: _Message, ids: _Ids, uplink: _Uplink, options: Options) -> dict[str, Any]:
    """What all values of an uplink share. Its time is the one at which the network received it, the nearest to the measurement."""
    eui = ids.dev_eui.lower() if ids.dev_eui else None
    common: dict[str, Any] = {
        "thing": eui if eui and options.thing_from == "dev_eui" else ids.device_id,
        "thing_name": ids.device_id,
        "phenomenon_time": uplink.received_at or message.received_at,
    }
    if uplink.version_ids is not None and uplink.version_ids.model_id:
        common["sensor"] = " ".join(filter(None, (uplink.version_ids.brand_id, uplink.version_ids.model_id)))
    place = options.places.get(eui or "") or options.places.get(ids.device_id.lower()) or _own_place(uplink.locations)
    if place is not None:
        common["longitude"], common["latitude"] = place
    parameters: dict[str, Any] = {name: _parameter(name, message, ids, uplink) for name in options.parameters}
    if options.frame_counter:
        parameters["f_cnt"] = uplink.f_cnt
    if parameters:
        common["parameters"] = parameters
    return common


def _own_place(locations: dict[str, _Location] | None) -> tuple[float, float] | None:
    """The device's place: the one that somebody set, else one out of its payload."""
    found = locations and (locations.get("user") or next(iter(locations.values())))
    return (found.longitude, found.latitude) if found else None


def _parameter(name: str, message: _Message, ids: _Ids, uplink: _Uplink) -> Any:
    if name == "correlation_id":
        return next((one for one in message.correlation_ids or () if one.startswith("as:up:")), None)
    if name == "application_id":
        return ids.application_ids.application_id if ids.application_ids else None
    return uplink.f_port if name == "f_port" else uplink.settings and uplink.settings.data_rate_index
