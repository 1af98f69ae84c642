"""GTFS timetables (the zip as one payload): stops, routes and shapes as features or tables, departures by stop and hour as a table.

What the timetable lacks, and each line that can't be used, is a reject; what can be read is taken.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from stadthub_ingest.attributes import point
from stadthub_ingest.decoded import Decoded, Row, Unreadable
from stadthub_ingest.departures import departures
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.timetable import Timetable, open_timetable
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict

_PLAIN = (".", None)

#: How many days departures may be counted for at once.
MOST_DAYS = 400

MODES = {
    0: "tram",
    1: "subway",
    2: "rail",
    3: "bus",
    4: "ferry",
    5: "cable_tram",
    6: "aerial_lift",
    7: "funicular",
    11: "trolleybus",
    12: "monorail",
}
#: The hundreds of the extended route types that mean the same.
EXTENDED = {
    1: "rail",
    2: "coach",
    4: "subway",
    7: "bus",
    8: "trolleybus",
    9: "tram",
    10: "ferry",
    12: "ferry",
    13: "aerial_lift",
    14: "funicular",
}
KINDS = {"0": "stop", "1": "station", "2": "entrance", "3": "node", "4": "boarding_area"}
WHEELCHAIRS = {"1": "yes", "2": "no"}

Position = tuple[float, float]


class Options(Strict):
    """What is made of a timetable."""

    kind: Kind = Field(default=Kind.FEATURES, description="set from the feed's own kind")
    layer: Literal["stops", "routes", "shapes", "departures"] = "stops"
    first_day: date | None = Field(default=None, description="departures: the first day that is counted")
    last_day: date | None = Field(default=None, description="departures: the last day that is counted; absent: six days after the first")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind is Kind.TIMESERIES:
            raise ValueError('gtfs makes features or tables: write kind = "features" or "table"')
        if self.layer == "departures":
            if self.kind is not Kind.TABLE:
                raise ValueError('layer: departures are a table: write kind = "table" and key = ["stop_id", "date", "hour"]')
            if self.first_day is None:
                raise ValueError("first_day: missing: departures are counted for certain days")
            if not timedelta(0) <= self.last - self.first_day <= timedelta(days=MOST_DAYS):
                raise ValueError(f"last_day: it must be up to {MOST_DAYS} days after first_day")
        return self

    @property
    def last(self) -> date:
        """The last day that is counted."""
        return self.last_day or (self.first_day or date.min) + timedelta(days=6)


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """The rows of the layer, then what was wrong with the timetable."""
    timetable = open_timetable(payload)
    lacking = list(timetable.lacks())
    yield from LAYERS[options.layer](timetable, options)
    yield from lacking
    yield from dict.fromkeys(timetable.wrong)  # a file that is read twice tells its mistakes twice


def _placed(identity: Any, geometry: Any, properties: Row, options: Options) -> Row:
    """A feature, or a row of a table under the same names."""
    if options.kind is Kind.FEATURES:
        return {"id": identity, "geometry": geometry, "properties": {key: value for key, value in properties.items() if value is not None}}
    return {"id": identity, **properties}


def _stops(timetable: Timetable, options: Options) -> Iterator[Decoded]:
    for number, row in timetable.rows("stops.txt"):
        geometry = point(row.get("stop_lon"), row.get("stop_lat"), _PLAIN)
        if "stop_id" not in row:
            timetable.refuse("stops.txt", number, row, "stop_id is missing")
            continue
        if geometry == {"type": "Point", "coordinates": [0.0, 0.0]}:
            geometry = Unreadable("0 0", "stop_lon, stop_lat: 0 0 lies in the sea: the stop has no place")
        if isinstance(geometry, Unreadable) and options.kind is Kind.TABLE:
            timetable.refuse("stops.txt", number, row, geometry.reason)
            continue
        properties = {
            "name": row.get("stop_name"),
            "code": row.get("stop_code"),
            "platform": row.get("platform_code"),
            "location_type": KINDS.get(row.get("location_type", "0")),
            "parent_station": row.get("parent_station"),
            "zone": row.get("zone_id"),
            "wheelchair_boarding": WHEELCHAIRS.get(row.get("wheelchair_boarding", "")),
        }
        if options.kind is Kind.TABLE:
            x, y = geometry["coordinates"] if geometry else (None, None)
            properties |= {"longitude": x, "latitude": y}
        yield _placed(row["stop_id"], geometry, properties, options)


def _routes(timetable: Timetable, options: Options) -> Iterator[Decoded]:
    agencies = {row.get("agency_id", ""): row.get("agency_name") for _, row in timetable.rows("agency.txt")}
    shapes: dict[str, list[str]] = defaultdict(list)
    lines: dict[str, list[Position]] = {}
    trips: dict[str, int] = defaultdict(int)
    for _, (route, shape) in timetable.columns("trips.txt", ("route_id", "shape_id")):
        if route is not None:
            trips[route] += 1
            if shape is not None and shape not in shapes[route]:
                shapes[route].append(shape)
    if options.kind is Kind.FEATURES:
        lines = _lines(timetable)
    for number, row in timetable.rows("routes.txt"):
        mode = _mode(row.get("route_type"))
        if "route_id" not in row or mode is None:
            timetable.refuse("routes.txt", number, row, "route_id or route_type is missing, or route_type is unknown")
            continue
        name = row["route_id"]
        drawn = [lines[shape] for shape in shapes[name] if shape in lines]
        properties = {
            "short_name": row.get("route_short_name"),
            "long_name": row.get("route_long_name"),
            "mode": mode,
            "route_type": int(row["route_type"]),
            "agency": agencies.get(row.get("agency_id", "")) or (next(iter(agencies.values())) if len(agencies) == 1 else None),
            "color": row.get("route_color"),
            "text_color": row.get("route_text_color"),
            "trips": trips[name],
        }
        yield _placed(name, {"type": "MultiLineString", "coordinates": drawn} if drawn else None, properties, options)


def _mode(text: str | None) -> str | None:
    """The word for a route type, basic or extended."""
    if text is None or not text.isdecimal():
        return None
    number = int(text)
    return MODES.get(number) or EXTENDED.get(number // 100) or ("other" if 100 <= number < 1800 else None)


def _shapes(timetable: Timetable, options: Options) -> Iterator[Decoded]:
    routes: dict[str, set[str]] = defaultdict(set)
    for _, (route, shape) in timetable.columns("trips.txt", ("route_id", "shape_id")):
        if shape is not None and route is not None:
            routes[shape].add(route)
    for shape, line in _lines(timetable).items():
        properties: Row = {"routes": ", ".join(sorted(routes[shape])) or None, "points": len(line)}
        yield _placed(shape, {"type": "LineString", "coordinates": line}, properties, options)


def _lines(timetable: Timetable) -> dict[str, list[Position]]:
    """The points of each shape in their order; shapes of fewer than two are noted as wrong."""
    points: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    wanted = ("shape_id", "shape_pt_sequence", "shape_pt_lon", "shape_pt_lat")
    for number, (shape, sequence, longitude, latitude) in timetable.columns("shapes.txt", wanted):
        x, y = plain_number(longitude), plain_number(latitude)
        right = x is not None and y is not None and abs(x) <= 180 and abs(y) <= 90
        if shape is None or sequence is None or not sequence.isdecimal() or not right or x is None or y is None:
            timetable.refuse("shapes.txt", number, (shape, sequence, longitude, latitude), "it is not a point of a shape")
        else:
            points[shape].append((int(sequence), x, y))
    lines: dict[str, list[Position]] = {}
    for shape, found in points.items():
        if len(found) < 2:
            timetable.wrong.append(Unreadable(shape, f"shapes.txt: the shape {shape[:100]!r} has fewer than two points"))
        else:
            lines[shape] = [(x, y) for _, x, y in sorted(found)]
    return lines


def _departures(timetable: Timetable, options: Options) -> Iterator[Decoded]:
    if not timetable.has("stop_times.txt") or not timetable.has("trips.txt"):
        return
    stops = {row["stop_id"]: row for _, row in timetable.rows("stops.txt") if "stop_id" in row}
    first = options.first_day or date.min
    for stop, day, hour, number in sorted(departures(timetable, first, options.last)):
        known = stops.get(stop, {})
        yield {
            "stop_id": stop,
            "stop_name": known.get("stop_name"),
            "date": day,
            "hour": hour,
            "departures": number,
            "longitude": plain_number(known.get("stop_lon")),
            "latitude": plain_number(known.get("stop_lat")),
        }


LAYERS: dict[str, Callable[[Timetable, Options], Iterator[Decoded]]] = {
    "stops": _stops,
    "routes": _routes,
    "shapes": _shapes,
    "departures": _departures,
}
