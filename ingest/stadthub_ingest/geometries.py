"""Judging geometries, many at a time: read, brought to CRS84 with the original kept, mended where they are invalid, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import shapely
from shapely.errors import ShapelyError

from stadthub_ingest.crs import CRS84, Crs, CrsError, east_first, strays, to_crs84
from stadthub_ingest.decoded import Unreadable
from stadthub_ingest.rules import RowError, words

GEOMETRIES = frozenset(("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"))
_POLYGONS = (3, 6)

#: No system writes greater numbers, not even one that puts the zone before the easting.
MOST = 1e8

Shapes = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A geometry as it is stored: WKB in CRS84; as it came, where that was another CRS; and what was wrong with it, if it was mended."""

    wkb: bytes
    original: bytes | None = None
    original_crs: str | None = None
    mended: str | None = None


#: What became of a geometry; None where there was none.
Outcome = Placed | RowError | None


def judge_geometries(geometries: Sequence[Any], systems: Sequence[Crs | None]) -> list[Outcome]:
    """What becomes of each geometry as a decoder gave it: GeoJSON, WKT or shapely, in its CRS (None: CRS84)."""
    outcomes: list[Any] = read_shapes(geometries)
    groups: dict[Crs, list[int]] = {}
    for index, shape in enumerate(outcomes):
        if isinstance(shape, shapely.Geometry):
            groups.setdefault(systems[index] or CRS84, []).append(index)
    for crs, indices in groups.items():
        shapes = np.empty(len(indices), dtype=object)
        shapes[:] = [outcomes[index] for index in indices]
        for index, outcome in zip(indices, _placed(shapes, crs), strict=True):
            outcomes[index] = outcome
    return outcomes


def _placed(shapes: Shapes, crs: Crs) -> list[Outcome]:
    """What becomes of geometries that are all in one CRS."""
    shapes = _without_measures(shapes)
    outcomes = np.full(len(shapes), None, dtype=object)
    outcomes[shapely.is_empty(shapes)] = RowError("geometry: it is empty")
    _refuse_numbers(shapes, outcomes)
    there = np.flatnonzero(outcomes == None)  # noqa: E711 - numpy compares each
    straight = east_first(shapes[there]) if crs.north_first else shapes[there]
    try:
        degrees = straight if crs.is_crs84 else to_crs84(straight, crs)
    except CrsError as error:
        outcomes[there] = RowError(f"crs: {error}")
        return outcomes.tolist()
    for index, refusal in enumerate(_outside(degrees, crs)):
        outcomes[there[index]] = refusal
    inside = np.flatnonzero(outcomes[there] == None)  # noqa: E711 - as above
    mended, reasons = _mended(degrees[inside])
    bodies = shapely.to_wkb(mended, flavor="iso")
    originals = None if crs.is_crs84 else shapely.to_wkb(straight[inside], flavor="iso")
    for number, index in enumerate(there[inside]):
        if mended[number] is None:
            outcomes[index] = RowError(f"geometry: it is not valid and can't be mended: {reasons[number]}")
        elif originals is None:
            outcomes[index] = Placed(bodies[number], mended=reasons[number])
        else:
            outcomes[index] = Placed(bodies[number], originals[number], crs.code, reasons[number])
    return outcomes.tolist()


def _without_measures(shapes: Shapes) -> Shapes:
    """The geometries without the measures along them (M), which no map shows; heights stay."""
    measured = shapely.has_m(shapes)
    if not measured.any():
        return shapes
    shapes = shapes.copy()
    for which, width in ((measured & shapely.has_z(shapes), 3), (measured & ~shapely.has_z(shapes), 2)):
        shapes[which] = shapely.from_wkb(shapely.to_wkb(shapes[which], output_dimension=width))
    return shapes


def _refuse_numbers(shapes: Shapes, outcomes: Shapes) -> None:
    """Refuse what is no coordinate in any system: for such numbers projections answer anything."""
    positions, owners = shapely.get_coordinates(shapes, return_index=True)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(positions) <= MOST).all(axis=1)
    for owner in np.unique(owners[wrong]):
        outcomes[owner] = RowError("geometry: a coordinate is no finite number that is on the earth in any CRS")


def _outside(degrees: Shapes, crs: Crs) -> list[RowError | None]:
    """A refusal for each geometry that is not on the earth, or not where its CRS is used."""
    bounds = shapely.bounds(degrees)
    west, south, east, north = bounds.T
    on_earth = (west >= -180) & (south >= -90) & (east <= 180) & (north <= 90)
    astray = np.zeros(len(bounds), dtype=bool) if crs.is_crs84 else strays(bounds, crs)
    positions, owners = shapely.get_coordinates(degrees, return_index=True)
    on_earth[np.unique(owners[~np.isfinite(positions).all(axis=1)])] = False
    refusals: list[RowError | None] = [None] * len(bounds)
    for index in np.flatnonzero(~on_earth | astray):
        refusals[index] = RowError(_where(float(west[index]), float(south[index]), crs))
    return refusals


def _where(west: float, south: float, crs: Crs) -> str:
    if crs.is_crs84:
        return (
            f"geometry: {words(round(west, 6))} {words(round(south, 6))} is outside longitude -180..180, latitude -90..90: "
            "is it in another CRS than CRS84, or with latitude first?"
        )
    return f"geometry: it is far outside the area of {crs.code[:100]}: is it in another CRS, or are its axes exchanged?"


def _mended(shapes: Shapes) -> tuple[Shapes, list[str | None]]:
    """The geometries, valid ones as they are, and what was wrong with the others; None where nothing could be mended."""
    wrong = np.flatnonzero(~shapely.is_valid(shapes))
    reasons: list[str | None] = [None] * len(shapes)
    shapes = shapes.copy()
    for index in wrong:
        reasons[index] = str(shapely.is_valid_reason(shapes[index]))
        shapes[index] = _mend(shapes[index])
    return shapes, reasons


def _mend(shape: Any) -> Any:
    """The valid geometry of the same kind; None if there is none. What folded to a line is no part of an area any more."""
    try:
        found = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    except ShapelyError:
        return None
    if shape.geom_type in ("Polygon", "MultiPolygon") and shapely.get_type_id(found) not in _POLYGONS:
        parts = [part for part in shapely.get_parts(found) if shapely.get_type_id(part) in _POLYGONS]
        found = shapely.union_all(parts)
    return None if found.is_empty or not found.is_valid else found


def read_shapes(geometries: Sequence[Any]) -> list[Any]:
    """A shapely geometry, None or a RowError for each geometry as a decoder gave it."""
    found: list[Any] = [None] * len(geometries)
    texts: dict[int, bytes] = {}
    for index, geometry in enumerate(geometries):
        if isinstance(geometry, dict):
            try:
                texts[index] = _geojson(geometry)
            except RowError as refused:
                found[index] = refused
        elif isinstance(geometry, str):
            found[index] = _from_wkt(geometry)
        elif isinstance(geometry, Unreadable):
            found[index] = RowError(f"geometry: {geometry.reason}")
        elif isinstance(geometry, shapely.Geometry) or geometry is None:
            found[index] = geometry
        else:
            found[index] = RowError(f"geometry: {str(geometry)[:100]!r} is not a geometry")
    for index, shape in zip(texts, shapely.from_geojson(list(texts.values()), on_invalid="ignore"), strict=True):
        found[index] = RowError("geometry: its coordinates are not those of a GeoJSON geometry") if shape is None else shape
    return found


def _geojson(geometry: dict[Any, Any]) -> bytes:
    kind = geometry.get("type")
    if not isinstance(kind, str) or kind not in GEOMETRIES:
        raise RowError(f"geometry: {str(kind)[:100]!r} is not a type of geometry")
    try:
        return orjson.dumps(geometry)
    except TypeError as error:
        raise RowError(f"geometry: {error}") from error


def _from_wkt(text: str) -> Any:
    try:
        return shapely.from_wkt(text)
    except ShapelyError:
        return RowError(f"geometry: {text[:100]!r} is not WKT")
