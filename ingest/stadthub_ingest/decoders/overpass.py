"""OpenStreetMap as the Overpass API gives it (out:json): nodes, ways and relations as points, lines and areas, their tags as properties.

[source]
url = "https://example.org/api/interpreter?data=[out:json];area[name=\\"Kassel\\"]->.a;nwr(area.a)[amenity=drinking_water];out geom;"

`out geom` gives every shape, `out center` a point for each; ways can also come with their nodes (`out body; >; out skel`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.feature_json import Featured
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.osm import OsmError, assembled, way_shape
from stadthub_ingest.texts import read_json

#: What an element says of itself. Who edited it is nobody's business: `user` and `uid` of `out meta` are left out.
KNOWN = ("version", "timestamp")
Positions = list[tuple[float, float]]


class Options(Featured):
    """How an answer of the Overpass API is read."""

    points: bool = Field(default=False, description="a point for each element: its centre, where the answer gives one")


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each element that has tags; the bare nodes and ways that only hold a shape are dropped."""
    found = read_json(payload)
    elements = found.get("elements") if isinstance(found, dict) else None
    if not isinstance(elements, list):
        raise DecodeError("elements: it is not a list: is it the answer of an Overpass API in JSON ([out:json])?")
    remark = found.get("remark")
    if isinstance(remark, str) and "error" in remark:
        raise DecodeError(f"the server broke off: {remark[:300]}")
    parts = _Parts([element for element in elements if isinstance(element, dict)])
    for element in elements:
        yield _row(element, options, parts)


class _Parts:
    """The nodes and ways of the answer, which others may refer to."""

    def __init__(self, elements: list[dict[str, Any]]) -> None:
        self._nodes = {element.get("id"): _position(element) for element in elements if element.get("type") == "node"}
        self._ways = {element.get("id"): element for element in elements if element.get("type") == "way"}

    def positions(self, way: Mapping[str, Any]) -> Positions:
        """The positions of a way, its own or those of its nodes. OsmError if some are missing."""
        own = way.get("geometry")
        found = [_position(one) for one in own] if isinstance(own, list) else [self._nodes.get(node) for node in way.get("nodes") or ()]
        there = [one for one in found if one is not None]
        if len(there) < 2 or len(there) < len(found):
            raise OsmError("positions of the way are missing: ask for out geom")
        return there

    def members(self, relation: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
        """Role, kind and positions of each member."""
        found: list[tuple[str, str, Any]] = []
        for member in relation.get("members") or ():
            kind, role = member.get("type"), str(member.get("role") or "")
            if kind == "way":
                way = member if "geometry" in member else self._ways.get(member.get("ref"))
                if way is None:
                    raise OsmError("a way of the relation is missing: ask for out geom")
                found.append((role, kind, self.positions(way)))
            elif kind == "node":
                position = _position(member) or self._nodes.get(member.get("ref"))
                if position is not None:
                    found.append((role, kind, position))
        return found


def _row(element: Any, options: Options, parts: _Parts) -> Decoded:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in ("node", "way", "relation"):
        return Unreadable(str(element)[:1000], f"type: {str(kind)[:100]!r} is neither node, way nor relation")
    tags = element.get("tags")
    if not isinstance(tags, dict) or not tags:
        return None
    try:
        shape: Any = _shape(kind, element, options, parts)
    except (OsmError, AttributeError, TypeError) as error:
        shape = Unreadable(
            "", str(error) if isinstance(error, OsmError) else "its members or positions are not those of an Overpass answer"
        )
    properties: Row = {**tags, **{f"osm_{name}": element[name] for name in KNOWN if name in element}}
    identity = properties.get(options.id) if options.id else None if element.get("id") is None else f"{kind}/{element['id']}"
    return {"id": identity, "geometry": shape, "properties": options.kept(properties)}


def _shape(kind: str, element: dict[str, Any], options: Options, parts: _Parts) -> Any:
    middle = element if kind == "node" else element.get("center")
    has_shape = "geometry" in element or "nodes" in element or "members" in element
    if middle is not None and (kind == "node" or options.points or not _has_positions(element)):
        position = _position(middle)
        if position is None:
            raise OsmError("its position is missing or no number")
        return {"type": "Point", "coordinates": list(position)}
    if not has_shape:
        raise OsmError("it has no geometry: ask for out geom, or out center")
    if kind == "way":
        return way_shape(parts.positions(element), element["tags"])
    return assembled(parts.members(element), element["tags"])


def _has_positions(element: dict[str, Any]) -> bool:
    """Whether the element brings its shape along, and not only its centre."""
    members = element.get("members")
    return "geometry" in element or (isinstance(members, list) and any("geometry" in one for one in members if isinstance(one, dict)))


def _position(place: Any) -> tuple[float, float] | None:
    if not isinstance(place, dict):
        return None
    longitude, latitude = plain_number(place.get("lon")), plain_number(place.get("lat"))
    return None if longitude is None or latitude is None else (longitude, latitude)
