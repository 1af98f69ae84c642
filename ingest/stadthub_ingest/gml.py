"""Geometries in GML 2, 3.1 and 3.2, whatever their namespace: an element becomes a shapely geometry and the CRS that it names.

Arcs and circles become lines with a corner every four degrees. What has no form on a map (solids, splines) is refused by its name.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from stadthub_ingest.arcs import around, circle, through
from stadthub_ingest.markup import Element, text_of

Positions = npt.NDArray[np.float64]

#: Wrappers whose only meaning is what is in them.
MEMBERS = frozenset(
    [
        "pointMember",
        "pointMembers",
        "lineStringMember",
        "curveMember",
        "curveMembers",
        "polygonMember",
        "surfaceMember",
        "surfaceMembers",
        "geometryMember",
        "geometryMembers",
        "baseCurve",
        "baseSurface",
        "patches",
        "polygonPatches",
        "trianglePatches",
        "segments",
    ]
)
_RINGS = ("exterior", "outerBoundaryIs"), ("interior", "innerBoundaryIs")


class GmlError(ValueError):
    """An element is no geometry that can be read: one sentence."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What an element inherits from those around it: the name of the CRS and the number of coordinates of a position."""

    srs: str | None = None
    dimension: int | None = None

    def around(self, element: Element) -> "Frame":
        """The frame for what stands in the element."""
        dimension = element.get("srsDimension") or element.get("dimension")
        known = int(dimension) if dimension in ("2", "3") else self.dimension
        return replace(self, srs=element.get("srsName") or self.srs, dimension=known)


def is_geometry(element: Element) -> bool:
    """Whether the element is a geometry by its name."""
    return element.tag in READERS or element.tag in REFUSED


def read_gml(element: Element, frame: Frame) -> tuple[Any, str | None]:
    """The geometry, and the CRS that it names or inherits. GmlError if it can't be read."""
    frame = frame.around(element)
    if element.tag not in READERS:
        raise GmlError(f"{element.tag} has no form on a map")
    try:
        shape = READERS[element.tag](element, frame)
    except (ValueError, shapely.errors.ShapelyError) as error:
        if isinstance(error, GmlError):
            raise
        raise GmlError(f"{element.tag}: its coordinates can't be read") from error
    return shape, frame.srs or next((one.get("srsName") for one in element.iter() if one.get("srsName")), None)


def _members(element: Element, frame: Frame) -> Iterator[tuple[Element, Frame]]:
    """The geometries in an aggregate, each with its frame."""
    for child in element:
        inner = frame.around(child)
        if child.tag in MEMBERS:
            if child.get("href") is not None and not len(child):
                raise GmlError(f"{child.tag} only refers to a geometry elsewhere ({child.get('href', '')[:100]})")
            yield from _members(child, inner)
        elif is_geometry(child) or child.tag in SEGMENTS or child.tag in ("PolygonPatch", "Triangle", "Rectangle"):
            yield child, inner


def _positions(element: Element, frame: Frame) -> Positions:
    """The positions in an element, in whichever of GML's ways they are written."""
    found: list[Positions] = []
    for child in element:
        inner = frame.around(child)
        if child.tag in ("pos", "posList"):
            found.append(_shaped((text_of(child) or "").split(), inner.dimension))
        elif child.tag == "coordinates":
            found.append(_tuples(child))
        elif child.tag == "coord":
            numbers = [text_of(axis) or "" for axis in child]
            found.append(_shaped(numbers, len(numbers)))
        elif child.tag in ("pointProperty", "pointRep"):
            found += [_positions(point, inner) for point in child if point.tag == "Point"]
    if not found or not sum(len(one) for one in found):
        raise GmlError(f"{element.tag}: it has no coordinates")
    width = min(one.shape[1] for one in found)
    return np.vstack([one[:, :width] for one in found])


def _shaped(numbers: Sequence[str], dimension: int | None) -> Positions:
    """The numbers as positions of two, or of three where it is said or can't be otherwise."""
    count = len(numbers)
    width = dimension or (3 if count % 2 and count % 3 == 0 else 2)
    if width not in (2, 3) or count % width:
        raise GmlError(f"{count} numbers are no positions of {width}")
    return np.array(numbers, dtype=np.float64).reshape(-1, width)


def _tuples(element: Element) -> Positions:
    """Positions as GML 2 writes them, with its own signs between numbers and between positions."""
    text = "".join(element.itertext())
    point, comma, blank = element.get("decimal", "."), element.get("cs", ","), element.get("ts", " ")
    parts = text.split() if blank.isspace() else text.split(blank)
    rows = [[number.replace(point, ".") for number in part.strip().split(comma)] for part in parts if part.strip()]
    return np.array([row[:3] for row in rows], dtype=np.float64)


def _point(element: Element, frame: Frame) -> Any:
    return shapely.Point(_positions(element, frame)[0])


def _line(element: Element, frame: Frame) -> Any:
    return shapely.LineString(_positions(element, frame))


def _path(element: Element, frame: Frame) -> Positions:
    """The positions of a line or a curve, its segments one behind the other."""
    if element.tag in SEGMENTS:
        return SEGMENTS[element.tag](element, frame)
    if element.tag in ("LineString", "LinearRing"):
        return _positions(element, frame)
    parts = [_path(child, inner) for child, inner in _members(element, frame)]
    if not parts:
        raise GmlError(f"{element.tag}: it has no segments that can be read")
    width = min(part.shape[1] for part in parts)
    joined = [parts[0][:, :width]]
    for part in parts[1:]:
        same = np.array_equal(part[0, :2], joined[-1][-1, :2])
        joined.append(part[1 if same else 0 :, :width])
    whole = np.vstack(joined)
    return whole[::-1] if element.tag == "OrientableCurve" and element.get("orientation") == "-" else whole


def _curve(element: Element, frame: Frame) -> Any:
    return shapely.LineString(_path(element, frame))


def _ring(holder: Element, frame: Frame) -> Positions:
    for child in holder:
        if child.tag in ("LinearRing", "Ring"):
            return _path(child, frame.around(holder).around(child))
    raise GmlError(f"{holder.tag}: it has no ring")


def _polygon(element: Element, frame: Frame) -> Any:
    outer, inner = ([_ring(child, frame) for child in element if child.tag in names] for names in _RINGS)
    if not outer:
        raise GmlError(f"{element.tag}: it has no outer ring")
    width = min(ring.shape[1] for ring in (*outer, *inner))
    return shapely.Polygon(outer[0][:, :width], [ring[:, :width] for ring in inner])


def _box(element: Element, frame: Frame) -> Any:
    corners = [_positions_of_corner(child, frame) for child in element if child.tag in ("lowerCorner", "upperCorner")]
    low, high = corners if len(corners) == 2 else _positions(element, frame)[:2]
    return shapely.box(low[0], low[1], high[0], high[1])


def _positions_of_corner(element: Element, frame: Frame) -> Positions:
    corner: Positions = _shaped((text_of(element) or "").split(), frame.around(element).dimension)[0]
    return corner


def _surfaces(element: Element, frame: Frame) -> Any:
    """The polygons in a surface or an aggregate of surfaces as one geometry: one polygon stays one."""
    parts = [
        polygon
        for child, inner in _members(element, frame)
        for polygon in shapely.get_parts(
            _polygon(child, inner) if child.tag in ("Polygon", "PolygonPatch", "Triangle", "Rectangle") else _surfaces(child, inner)
        )
    ]
    if element.tag in ("Surface", "OrientableSurface") and len(parts) == 1:
        return parts[0]
    return shapely.MultiPolygon(parts)


def _lines(element: Element, frame: Frame) -> Any:
    return shapely.MultiLineString([_path(child, inner) for child, inner in _members(element, frame)])


def _points(element: Element, frame: Frame) -> Any:
    return shapely.MultiPoint([_point(child, inner) for child, inner in _members(element, frame)])


def _mixed(element: Element, frame: Frame) -> Any:
    return shapely.GeometryCollection([read_gml(child, inner)[0] for child, inner in _members(element, frame)])


def _arc(element: Element, frame: Frame) -> Positions:
    return through(_positions(element, frame))


def _circle(element: Element, frame: Frame) -> Positions:
    return circle(_positions(element, frame))


def _centred(element: Element, frame: Frame) -> Positions:
    radius, start, end = (text_of(element.find(name)) for name in ("radius", "startAngle", "endAngle"))
    if radius is None:
        raise GmlError(f"{element.tag}: it has no radius")
    first = float(start or 0)
    last = float(end) if end is not None else first + 360
    return around(_positions(element, frame)[0, :2], float(radius), first, last)


#: What a curve is made of.
SEGMENTS: dict[str, Callable[[Element, Frame], Positions]] = {
    "LineStringSegment": _positions,
    "GeodesicString": _positions,
    "Geodesic": _positions,
    "Arc": _arc,
    "ArcString": _arc,
    "Circle": _circle,
    "ArcByCenterPoint": _centred,
    "CircleByCenterPoint": _centred,
}
READERS: dict[str, Callable[[Element, Frame], Any]] = {
    "Point": _point,
    "LineString": _line,
    "LinearRing": _line,
    **dict.fromkeys(("Curve", "OrientableCurve", "CompositeCurve", "Ring"), _curve),
    "Polygon": _polygon,
    "Envelope": _box,
    "Box": _box,
    **dict.fromkeys(
        [
            "Surface",
            "OrientableSurface",
            "CompositeSurface",
            "MultiSurface",
            "MultiPolygon",
            "PolyhedralSurface",
            "TriangulatedSurface",
            "Tin",
            "Shell",
        ],
        _surfaces,
    ),
    "MultiPoint": _points,
    **dict.fromkeys(("MultiLineString", "MultiCurve"), _lines),
    "MultiGeometry": _mixed,
    "GeometricComplex": _mixed,
}
REFUSED = frozenset(
    ["Solid", "MultiSolid", "CompositeSolid", "BSpline", "Bezier", "CubicSpline", "Clothoid", "OffsetCurve", "RectifiedGrid", "Grid"]
)
