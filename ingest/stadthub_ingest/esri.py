"""Geometries in Esri's JSON as shapely geometries: the direction of a ring says whether it is land or a hole."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.errors import ShapelyError

from stadthub_ingest.numerals import plain_number


class EsriError(ValueError):
    """It is no geometry of Esri's JSON: one sentence."""


def read_esri(geometry: Any) -> Any:
    """The geometry; None where there is none. EsriError if it can't be read."""
    if geometry is None:
        return None
    if not isinstance(geometry, dict):
        raise EsriError(f"{str(geometry)[:100]!r} is not an object")
    width = 3 if geometry.get("hasZ") else 2
    kind = next((kind for kind in READERS if kind in geometry), None)
    try:
        if kind is not None:
            return READERS[kind](geometry, width)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError, ShapelyError) as error:
        raise EsriError("its coordinates are not those of Esri's JSON") from error
    if "curvePaths" in geometry or "curveRings" in geometry:
        raise EsriError("it has curves: ask for it without them (returnTrueCurves=false)")
    if not geometry:
        return None
    raise EsriError(f"it is neither point, path nor ring: {', '.join(map(str, geometry))[:100]}")


def _point(geometry: dict[str, Any], _width: int) -> Any:
    if geometry["x"] in (None, "NaN"):
        return None
    position = [plain_number(geometry[axis]) for axis in "xyz" if geometry.get(axis) not in (None, "NaN")]
    if None in position or len(position) < 2:
        raise ValueError("not a number")
    return shapely.Point(position)


def _box(geometry: dict[str, Any], _width: int) -> Any:
    return shapely.box(*(float(geometry[side]) for side in ("xmin", "ymin", "xmax", "ymax")))


def _positions(points: Sequence[Sequence[Any]], width: int) -> npt.NDArray[np.float64]:
    """The positions, without the measures that may stand behind them."""
    return np.array([[float(number) for number in point[:width]] for point in points], dtype=np.float64)


def _areas(rings: list[npt.NDArray[np.float64]]) -> Any:
    """Polygons out of rings: those that run with the clock are land, the others holes in the smallest land around them.

    A hole with no land all around it was written the wrong way round: it is land.
    """
    shapes = [shapely.LinearRing(ring) for ring in rings if len(ring) >= 3]
    lands = [ring for ring in shapes if not shapely.is_ccw(ring)] or shapes
    holes = [ring for ring in shapes if shapely.is_ccw(ring)] if len(lands) < len(shapes) else []
    areas = [shapely.Polygon(ring) for ring in lands]
    inner: list[list[Any]] = [[] for _ in areas]
    tree = shapely.STRtree(areas)
    for hole in holes:
        around = list(tree.query(hole, predicate="covered_by"))
        if around:
            inner[min(around, key=lambda index: areas[index].area)].append(hole)
        else:
            areas.append(shapely.Polygon(hole))
            inner.append([])
    polygons = [shapely.Polygon(area.exterior, its) for area, its in zip(areas, inner, strict=True)]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


#: How a geometry is read, by the member that tells its kind.
READERS: dict[str, Callable[[dict[str, Any], int], Any]] = {
    "x": _point,
    "points": lambda geometry, width: shapely.MultiPoint(_positions(geometry["points"], width)),
    "paths": lambda geometry, width: shapely.MultiLineString([_positions(path, width) for path in geometry["paths"]]),
    "rings": lambda geometry, width: _areas([_positions(ring, width) for ring in geometry["rings"]]),
    "xmin": _box,
}
