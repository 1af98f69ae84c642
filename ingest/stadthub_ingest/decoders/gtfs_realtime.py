"""GTFS-Realtime (protobuf): coarse positions and loads of vehicles, delays of trips as observations; alerts as a table.

Positions are of vehicles with somebody at the wheel: by default they are rounded to a grid and to the minute.
"""

import math
from collections.abc import Iterator
from typing import Any, Literal

from google.protobuf.message import DecodeError as ProtobufError
from google.transit.gtfs_realtime_pb2 import Alert, FeedEntity, FeedMessage, TripDescriptor, TripUpdate, VehiclePosition
from pydantic import Field

from stadthub_ingest.decoded import Clock, Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.times import ISO, TimeReader
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict

#: The length of a degree of latitude in metres.
DEGREE = 111_320.0

RELATION = TripDescriptor.ScheduleRelationship
CANCELED = (RELATION.CANCELED, RELATION.DELETED)


class Options(Strict):
    """How GTFS-Realtime is read."""

    kind: Kind = Field(default=Kind.TIMESERIES, description="set from the feed's own kind")
    thing: Literal["vehicle", "trip"] = Field(default="vehicle", description="positions: whose they are")
    grid: float = Field(default=250.0, ge=0, le=10_000, description="positions: rounded to this many metres; 0: not at all")
    every: int = Field(default=60, ge=1, le=3600, description="positions: times are cut to this many seconds")
    language: str = Field(default="de", description="alerts: of texts that come in several languages; else the first")


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """The rows of each entity in the order of the message."""
    message = FeedMessage()
    try:
        message.ParseFromString(payload)
    except ProtobufError as error:
        raise DecodeError("it is not a GTFS-Realtime message, or one that was cut short") from error
    if not message.IsInitialized() or not message.header.gtfs_realtime_version:
        raise DecodeError("header: it is not a GTFS-Realtime message, or one that was cut short")
    now = message.header.timestamp
    for entity in message.entity:
        if entity.is_deleted:
            yield None
        elif options.kind is Kind.TIMESERIES:
            yield from _observations(entity, now, options)
        elif options.kind is Kind.TABLE and entity.HasField("alert"):
            yield _alert(entity.id, entity.alert, options)
        else:
            yield None


def _observations(entity: FeedEntity, now: int, options: Options) -> Iterator[Decoded]:
    if entity.HasField("vehicle"):
        yield from _position(entity.vehicle, now, options)
    if entity.HasField("trip_update"):
        yield from _delay(entity.trip_update, now)
    if not entity.HasField("vehicle") and not entity.HasField("trip_update"):
        yield None


def _position(vehicle: VehiclePosition, now: int, options: Options) -> Iterator[Decoded]:
    """Where a vehicle is, how fast and how full."""
    thing = vehicle.trip.trip_id if options.thing == "trip" else vehicle.vehicle.id or vehicle.vehicle.label
    moment = vehicle.timestamp or now
    place = vehicle.position
    facts = {"route": vehicle.trip.route_id, "trip": vehicle.trip.trip_id, "stop": vehicle.stop_id}
    common: Row = {
        "thing": thing or None,
        "phenomenon_time": moment - moment % options.every if moment else Clock.RECEIVED,
        "parameters": {name: value for name, value in facts.items() if value} or None,
    }
    if vehicle.HasField("position"):
        x, y = place.longitude, place.latitude
        if not (abs(x) <= 180 and abs(y) <= 90) or x == y == 0:
            yield Unreadable(f"{thing} {x} {y}", f"position: {x:g} {y:g} is not a place where a vehicle can be")
        else:
            x, y = _coarse(x, y, options.grid)
            yield {**common, "observed_property": "vehicle_longitude", "unit": "deg", "result": x, "longitude": x, "latitude": y}
            yield {**common, "observed_property": "vehicle_latitude", "unit": "deg", "result": y, "longitude": x, "latitude": y}
        if place.HasField("speed"):
            yield {**common, "observed_property": "vehicle_speed", "unit": "m/s", "result": place.speed}
    if vehicle.HasField("occupancy_percentage"):
        yield {**common, "observed_property": "vehicle_occupancy", "unit": "%", "result": vehicle.occupancy_percentage}
    if vehicle.HasField("occupancy_status"):
        status = VehiclePosition.OccupancyStatus.Name(vehicle.occupancy_status).lower()
        yield {**common, "observed_property": "vehicle_occupancy_status", "result": status}


def _coarse(longitude: float, latitude: float, grid: float) -> tuple[float, float]:
    """The nearest crossing of a grid of so many metres."""
    if grid == 0:
        return round(longitude, 6), round(latitude, 6)
    high = grid / DEGREE
    y = round(latitude / high) * high
    wide = high / max(math.cos(math.radians(y)), 0.01)
    return round(max(-180.0, min(180.0, round(longitude / wide) * wide)), 6), round(max(-90.0, min(90.0, y)), 6)


def _delay(update: TripUpdate, now: int) -> Iterator[Decoded]:
    """How late a trip is: at the next stop that tells it, or as a whole."""
    trip = update.trip
    facts: dict[str, Any] = {"route": trip.route_id, "start_date": trip.start_date, "start_time": trip.start_time}
    common: Row = {
        "thing": trip.trip_id or (f"{trip.route_id}-{trip.start_time}" if trip.route_id and trip.start_time else None),
        "phenomenon_time": update.timestamp or now or Clock.RECEIVED,
    }
    if trip.schedule_relationship in CANCELED:
        yield {
            **common,
            "observed_property": "trip_canceled",
            "result": 1,
            "parameters": {key: one for key, one in facts.items() if one} or None,
        }
        return
    delay, stop = _next_delay(update)
    if delay is None:
        yield None
        return
    facts["stop"] = stop
    parameters = {key: value for key, value in facts.items() if value} or None
    yield {**common, "observed_property": "delay", "unit": "s", "result": delay, "parameters": parameters}


def _next_delay(update: TripUpdate) -> tuple[int | None, str]:
    """The delay in seconds, and the stop where it holds."""
    for stop in update.stop_time_update:
        for event in (stop.departure, stop.arrival):
            if event.HasField("delay"):
                return event.delay, stop.stop_id
    return (update.delay if update.HasField("delay") else None), ""


def _alert(identity: str, alert: Alert, options: Options) -> Row | Unreadable:
    title = _translated(alert.header_text, options.language)
    if title is None:
        return Unreadable(identity, "header_text: missing")
    periods = [(period.start or None, period.end or None) for period in alert.active_period]
    starts, ends = [start for start, _ in periods if start], [end for _, end in periods]
    informed = alert.informed_entity
    return {
        "id": identity,
        "title": title,
        "description": _translated(alert.description_text, options.language),
        "url": _translated(alert.url, options.language),
        "cause": Alert.Cause.Name(alert.cause).lower(),
        "effect": Alert.Effect.Name(alert.effect).lower(),
        "start_time": _utc(min(starts)) if starts else None,
        "end_time": _utc(max(end for end in ends if end)) if ends and all(ends) else None,
        "routes": sorted({one.route_id for one in informed if one.route_id}) or None,
        "stops": sorted({one.stop_id for one in informed if one.stop_id}) or None,
    }


def _translated(text: Any, language: str) -> str | None:
    """The text in the wanted language, or the first one."""
    there = {one.language: one.text for one in text.translation}
    return there.get(language) or next(iter(there.values()), "").strip() or None


def _utc(seconds: int) -> Any:
    found = TimeReader(ISO).read(seconds)
    return Unreadable(str(seconds), f"active_period: {seconds} is not a time") if isinstance(found, Unreadable) else found
