"""Shapes of OpenStreetMap: when a closed way is an area, and how the ways of a multipolygon become one."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import shapely

Positions = Sequence[tuple[float, float]]

#: A closed way with one of these tags is a line all the same, unless it says area=yes.
LINES = ("highway", "barrier", "railway", "waterway", "aerialway", "power", "route")
#: …but for these values, which are areas by their nature.
AREAS = {
    "highway": ("services", "rest_area", "platform", "elevator"),
    "railway": ("station", "platform", "turntable", "roundhouse"),
    "waterway": ("riverbank", "dock", "boatyard", "dam"),
    "power": ("plant", "substation", "generator", "transformer"),
}
#: Relations whose ways are rings.
POLYGONS = ("multipolygon", "boundary")


class OsmError(ValueError):
    """The parts give no shape: one sentence."""


def way_shape(positions: Positions, tags: Mapping[str, Any]) -> Any:
    """The line, or the area where a closed way is one."""
    if len(positions) >= 4 and positions[0] == positions[-1] and _is_area(tags):
        return shapely.Polygon(positions)
    return shapely.LineString(positions)


def assembled(members: Sequence[tuple[str, str, Any]], tags: Mapping[str, Any]) -> Any:
    """The area of a multipolygon or a boundary, or the lines and points of another relation. OsmError if a ring is not closed."""
    ways = [(role, shapely.LineString(positions)) for role, kind, positions in members if kind == "way"]
    if tags.get("type") in POLYGONS:
        outer = _rings([line for role, line in ways if role in ("outer", "")])
        if not outer:
            raise OsmError("the relation has no outer ring")
        # what lies in an odd number of rings is inside: so an island in a lake on an island comes right
        return reduce(shapely.symmetric_difference, [*outer, *_rings([line for role, line in ways if role == "inner"])])
    points = [shapely.Point(position) for _, kind, position in members if kind == "node"]
    lines = [line for _, line in ways]
    if not lines and not points:
        raise OsmError("the relation has no members with a place: ask for out geom")
    if not points:
        return shapely.MultiLineString(lines)
    return shapely.MultiPoint(points) if not lines else shapely.GeometryCollection([*lines, *points])


def _rings(lines: Sequence[Any]) -> list[Any]:
    """The rings that the lines make, each as the area in it."""
    faces, cuts, dangles, wrong = shapely.polygonize_full(list(lines))
    if not (cuts.is_empty and dangles.is_empty and wrong.is_empty):
        raise OsmError("a ring of the relation is not closed: are all of its ways in the answer?")
    return [shapely.Polygon(face.exterior) for face in shapely.get_parts(faces)]


def _is_area(tags: Mapping[str, Any]) -> bool:
    if tags.get("area") in ("yes", "no"):
        return bool(tags["area"] == "yes")
    return all(key not in tags or tags[key] in AREAS.get(key, ()) for key in LINES)
