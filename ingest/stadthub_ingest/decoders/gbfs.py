"""GBFS 2.x and 3.x (shared bicycles, scooters, cars): stations, what is free at them, free vehicles as counts; never a vehicle's id.

kind = "features": station_information, geofencing_zones. kind = "timeseries": station_status, and vehicle_status or
free_bike_status counted by station or by cell of a grid. kind = "table": vehicle_types, one row for each form and propulsion.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import orjson
from pydantic import Field

from stadthub_ingest.allowlists import PLAIN, WHOLE, Shape, kept
from stadthub_ingest.attributes import point
from stadthub_ingest.decoded import Clock, Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.texts import read_json
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict

_PLAIN = (".", None)

#: What a station reports, under the names of both versions.
COUNTS = {
    "vehicles_available": ("num_vehicles_available", "num_bikes_available"),
    "vehicles_disabled": ("num_vehicles_disabled", "num_bikes_disabled"),
    "docks_available": ("num_docks_available",),
    "docks_disabled": ("num_docks_disabled",),
}
STATES = {"station_renting": "is_renting", "station_returning": "is_returning", "station_installed": "is_installed"}
WORDS = {1: 1, 0: 0, "true": 1, "false": 0, "1": 1, "0": 0}

#: What of a station is kept.
STATION = ("capacity", "address", "post_code", "region_id", "station_area", "is_virtual_station", "is_charging_station", "is_valet_station")
#: What of each file may be stored. Of vehicles nothing by which one is found again: see `_unnamed`.
_NAME: Shape = (PLAIN, [{"text": PLAIN, "language": PLAIN}])
_STATION: Shape = {
    **dict.fromkeys(("station_id", "lat", "lon", "last_reported", *STATION, *STATES.values(), *sum(COUNTS.values(), ())), PLAIN),
    "name": _NAME,
    "station_area": WHOLE,
    "vehicle_types_available": [{"vehicle_type_id": PLAIN, "count": PLAIN}],
}
_FEEDS: Shape = [{"name": PLAIN, "url": PLAIN}]
_TYPE: Shape = dict.fromkeys(("vehicle_type_id", "form_factor", "propulsion_type", "max_range_meters"), PLAIN)
KEPT: Mapping[str, Shape] = {
    "feeds": _FEEDS,
    "stations": [_STATION],
    "geofencing_zones": {"features": [{"geometry": WHOLE, "properties": {"name": _NAME, "start": PLAIN, "end": PLAIN, "rules": WHOLE}}]},
    "vehicle_types": [_TYPE],
}
VEHICLES = ("vehicles", "bikes")


class Options(Strict):
    """How GBFS is read."""

    kind: Kind = Field(default=Kind.TIMESERIES, description="set from the feed's own kind")
    language: str = Field(default="de", description="of names that come in several languages; else the first")
    system: str = Field(default="", description="put before the ids of stations, where several systems share a dataset")
    time: Literal["last_reported", "last_updated"] = Field(default="last_reported", description="the station's own time or the feed's")
    vehicle_types: dict[str, str] = Field(
        default_factory=dict, description="what a vehicle type is called: counts of the same are added up"
    )
    cell: float = Field(default=0.01, ge=0.001, le=1.0, description="the side in degrees of the cells in which free vehicles are counted")


def reduce(payload: bytes, options: Options, _name: str, _key: bytes) -> bytes | None:
    """The file without what tells one vehicle from the others: they are one heap, each at its station or in the middle of its cell."""
    found = read_json(payload)
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(data, dict):
        return None
    allowed = {member: kept(data[member], shape) for member, shape in KEPT.items() if member in data}
    allowed |= {member: _unnamed(data[member], options) for member in VEHICLES if member in data}
    if not allowed:  # gbfs.json of version 2 lists the files of each language
        allowed = {
            language: {"feeds": kept(one["feeds"], _FEEDS)} for language, one in data.items() if isinstance(one, dict) and "feeds" in one
        }
    return orjson.dumps({"last_updated": kept(found.get("last_updated"), PLAIN), "data": allowed})


def _unnamed(vehicles: Any, options: Options) -> list[Row | None] | None:
    """The vehicles without their ids, and without the place of each: two fetches don't tell who rode where. Their order would."""
    if not isinstance(vehicles, list):
        return None
    heap = [_one_of_many(vehicle, options) if isinstance(vehicle, dict) else None for vehicle in vehicles]
    return sorted(heap, key=lambda vehicle: orjson.dumps(vehicle, option=orjson.OPT_SORT_KEYS))


def _one_of_many(vehicle: Row, options: Options) -> Row:
    row: Row = {name: kept(vehicle.get(name), PLAIN) for name in ("vehicle_type_id", "is_reserved", "is_disabled")}
    place = _place(vehicle, options.model_copy(update={"system": ""}))
    if isinstance(place, Unreadable):
        return row
    return {**row, "station_id": place[0]} if place[1] is None else {**row, "lon": place[1], "lat": place[2]}


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """The rows of whichever GBFS file this is."""
    try:
        found = read_json(payload)
    except DecodeError as error:
        yield Unreadable("", f"payload: {error}")  # without the payload's text: it may hold ids of vehicles
        return
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(data, dict):
        raise DecodeError("data: it is not a GBFS file")
    for (kind, member), read in READERS.items():
        if kind is options.kind and member in data:
            if not isinstance(data[member], list | dict):
                raise DecodeError(f"data.{member}: it is not a list")
            yield from read(data[member], found, options)
            return
    raise DecodeError(_hint(data, options))


def _hint(data: Mapping[str, Any], options: Options) -> str:
    """What to do with a file that this kind can't be made of."""
    feeds = data.get("feeds") or next((one.get("feeds") for one in data.values() if isinstance(one, dict)), None)
    if isinstance(feeds, list):
        there = ", ".join(f"{one.get('name')}: {one.get('url')}" for one in feeds if isinstance(one, dict))[:1000]
        return f"data.feeds: this is gbfs.json, which only lists the files: put one of them into source.url ({there})"
    wanted = " or ".join(f"data.{member}" for kind, member in READERS if kind is options.kind)
    return f"data: it has none of what {options.kind} are made of ({wanted})"


def _stations(stations: Any, _found: Any, options: Options) -> Iterator[Decoded]:
    for station in _objects(stations):
        if isinstance(station, Unreadable):
            yield station
            continue
        properties = {name: station[name] for name in STATION if station.get(name) is not None}
        properties["name"] = _translated(station.get("name"), options)
        capacity = plain_number(station.get("capacity"))
        if capacity is not None and capacity < 0:
            properties["capacity"] = Unreadable(str(capacity), f"{capacity:g} is not a number of docks")
        place = point(station.get("lon"), station.get("lat"), _PLAIN)
        geometry = Unreadable("", "lon, lat: missing: is this station_status, which is kind timeseries?") if place is None else place
        yield {"id": _id(station, options), "geometry": geometry, "properties": properties}


def _zones(zones: Any, _found: Any, options: Options) -> Iterator[Decoded]:
    features = zones.get("features") if isinstance(zones, dict) else None
    for number, zone in enumerate(_objects(features), 1):
        if isinstance(zone, Unreadable):
            yield zone
            continue
        properties = dict(zone.get("properties") or {})
        properties["name"] = _translated(properties.get("name"), options)
        yield {"id": f"{options.system}{number}", "geometry": zone.get("geometry"), "properties": properties}


def _statuses(stations: Any, found: Row, options: Options) -> Iterator[Decoded]:
    for station in _objects(stations):
        if isinstance(station, Unreadable):
            yield station
            continue
        reported = station.get("last_reported") if options.time == "last_reported" else None
        common: Row = {"thing": _id(station, options), "phenomenon_time": _time(reported, found)}
        for name, members in COUNTS.items():
            value = next((station[member] for member in members if station.get(member) is not None), None)
            if value is not None:
                yield {**common, "observed_property": name, "unit": "{count}", "result": value}
        for name, member in STATES.items():
            if station.get(member) is not None:
                yield {**common, "observed_property": name, "result": _state(station[member])}
        yield from _by_type(station.get("vehicle_types_available"), common, options)


def _by_type(types: Any, common: Row, options: Options) -> Iterator[Decoded]:
    """How many vehicles of each type are free at a station, types of one name added up."""
    if not isinstance(types, list):
        return
    counts: Counter[str] = Counter()
    for one in types:
        name = options.vehicle_types.get(str(one.get("vehicle_type_id")), one.get("vehicle_type_id")) if isinstance(one, dict) else None
        number = plain_number(one.get("count")) if isinstance(one, dict) else None
        if name is None or number is None or number < 0 or not number.is_integer():
            yield Unreadable(str(one)[:1000], "vehicle_types_available: it is not a vehicle type with a count")
        else:
            counts[str(name)] += int(number)
    if len(counts) > 1 or (counts and options.vehicle_types):
        for name, count in counts.items():
            yield {**common, "observed_property": f"vehicles_available.{name}", "unit": "{count}", "result": count}


def _vehicles(vehicles: Any, found: Row, options: Options) -> Iterator[Decoded]:
    """How many vehicles are free at each station and in each cell. What tells one from the others is never read."""
    counts: Counter[tuple[str, float | None, float | None, str]] = Counter()
    for vehicle in _objects(vehicles):
        if isinstance(vehicle, Unreadable):
            yield Unreadable("", "data.vehicles: it is not an object")
            continue
        if WORDS.get(_hashable(vehicle.get("is_reserved"))) or WORDS.get(_hashable(vehicle.get("is_disabled"))):
            yield None
            continue
        place = _place(vehicle, options)
        if isinstance(place, Unreadable):
            yield place
            continue
        kind = str(vehicle.get("vehicle_type_id") or "")
        counts[(*place, options.vehicle_types.get(kind, kind))] += 1
    time = _time(None, found)
    totals: Counter[tuple[str, float | None, float | None]] = Counter()
    for (thing, longitude, latitude, _), count in counts.items():
        totals[thing, longitude, latitude] += count
    for (thing, longitude, latitude), count in totals.items():
        yield _counted((thing, longitude, latitude), "free_vehicles", count, time)
    if len({kind for *_, kind in counts}) > 1:
        for (thing, longitude, latitude, kind), count in counts.items():
            yield _counted((thing, longitude, latitude), f"free_vehicles.{kind or 'other'}", count, time)


def _counted(place: tuple[str, float | None, float | None], name: str, count: int, time: Any) -> Row:
    row: Row = {"thing": place[0], "observed_property": name, "unit": "{count}", "result": count, "phenomenon_time": time}
    return row if place[1] is None else {**row, "longitude": place[1], "latitude": place[2]}


def _place(vehicle: Row, options: Options) -> tuple[str, float | None, float | None] | Unreadable:
    """The station at which a vehicle stands, or else the cell and its middle."""
    station = vehicle.get("station_id")
    if isinstance(station, str) and station:
        return f"{options.system}{station}", None, None
    longitude, latitude = plain_number(vehicle.get("lon")), plain_number(vehicle.get("lat"))
    if longitude is None or latitude is None or not (abs(longitude) <= 180 and abs(latitude) <= 90) or longitude == latitude == 0:
        return Unreadable("", "lon, lat: the vehicle stands at no station and at no place on Earth")
    x, y = (round((value // options.cell + 0.5) * options.cell, 6) for value in (longitude, latitude))
    return f"{options.system}cell-{y:.4f}-{x:.4f}", x, y


def _types(types: Any, _found: Any, _options: Options) -> Iterator[Decoded]:
    """How many types of vehicles there are of each form and propulsion, and how far they get."""
    groups: dict[tuple[str, str], list[float]] = {}
    for one in _objects(types):
        if isinstance(one, Unreadable):
            yield one
        elif not isinstance(one.get("form_factor"), str) or not isinstance(one.get("propulsion_type"), str):
            yield Unreadable(str(one)[:1000], "form_factor, propulsion_type: missing")
        else:
            ranges = groups.setdefault((one["form_factor"], one["propulsion_type"]), [])
            ranges.append(plain_number(one.get("max_range_meters")) or 0.0)
    for (form, propulsion), ranges in groups.items():
        longest = max(ranges) or None
        yield {"form_factor": form, "propulsion_type": propulsion, "types": len(ranges), "max_range_meters": longest}


def _objects(items: Any) -> Iterator[Row | Unreadable]:
    if not isinstance(items, list):
        raise DecodeError("data: it does not hold a list")
    for item in items:
        yield item if isinstance(item, dict) else Unreadable("", "it is not an object")


def _id(station: Row, options: Options) -> Any:
    found = station.get("station_id")
    return None if found is None or found == "" else f"{options.system}{found}"


def _state(value: Any) -> Any:
    found = WORDS.get(_hashable(value))
    return Unreadable(str(value), f"{str(value)[:100]!r} is neither true nor false") if found is None else found


def _hashable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value if isinstance(value, int) else None


def _time(reported: Any, found: Row) -> Any:
    """The station's time, else the file's, else the one of its arrival. Zero stands for no time."""
    return next((time for time in (reported, found.get("last_updated")) if time not in (None, 0, "", "0")), Clock.RECEIVED)


def _translated(name: Any, options: Options) -> Any:
    """The name in the wanted language, or the first one."""
    if not isinstance(name, list):
        return name
    there = {one.get("language"): one.get("text") for one in name if isinstance(one, dict)}
    return there.get(options.language) or next(iter(there.values()), None)


READERS = {
    (Kind.FEATURES, "stations"): _stations,
    (Kind.FEATURES, "geofencing_zones"): _zones,
    (Kind.TIMESERIES, "stations"): _statuses,
    (Kind.TIMESERIES, "vehicles"): _vehicles,
    (Kind.TIMESERIES, "bikes"): _vehicles,
    (Kind.TABLE, "vehicle_types"): _types,
}
