"""GPX: waypoints as points, routes and tracks as lines, with what they say of themselves.

[options]
id = "name"
"""

from collections.abc import Iterator
from typing import Any

import shapely

from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.feature_json import Featured
from stadthub_ingest.markup import Element, read_xml, text_of

#: What a waypoint, a route or a track says of itself, and how the property is called.
WORDS = {
    "name": "name", "desc": "description", "cmt": "comment", "type": "type", "sym": "symbol", "src": "source", "time": "time",
    "number": "number",
}  # fmt: skip
KINDS = {"wpt": "waypoint", "rte": "route", "trk": "track"}


class Options(Featured):
    """How GPX is read."""


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each waypoint, route and track; without options.id its number is the id. Of a track's times the first and last stay."""
    root = read_xml(payload)
    if root.tag != "gpx":
        raise DecodeError(f"it is not GPX: it begins with {root.tag!r}")
    for number, element in enumerate((one for one in root if one.tag in KINDS), 1):
        properties = _properties(element)
        identity = properties.get(options.id) if options.id else number
        yield {"id": identity, "geometry": _geometry(element), "properties": options.kept(properties)}


def _properties(element: Element) -> Row:
    found: Row = {"kind": KINDS[element.tag]}
    found |= {called: text for name, called in WORDS.items() if (text := text_of(element.find(name))) is not None}
    links = [link.get("href") for link in element.findall("link") if link.get("href")]
    if links:
        found["link"] = links[0]
    times = [text for one in element.iter("time") if (text := text_of(one)) is not None] if element.tag == "trk" else []
    if times:
        found |= {"begin": min(times), "end": max(times)}
    return found


def _geometry(element: Element) -> Any:
    try:
        if element.tag == "wpt":
            return shapely.Point(_position(element))
        if element.tag == "rte":
            return shapely.LineString([_position(point) for point in element.findall("rtept")])
        parts = [[_position(point) for point in part.findall("trkpt")] for part in element.findall("trkseg")]
        lines = [part for part in parts if len(part) > 1]
        return shapely.LineString(lines[0]) if len(lines) == 1 else shapely.MultiLineString(lines)
    except (TypeError, ValueError, shapely.errors.ShapelyError):
        return Unreadable(element.tag, f"the coordinates of this {KINDS[element.tag]} can't be read")


def _position(point: Element) -> tuple[float, ...]:
    """Longitude and latitude: heights of recreational devices are left out, since some points of a track lack them."""
    return float(point.get("lon", "")), float(point.get("lat", ""))
