"""Judging features: an id, a valid geometry in CRS84 degrees, properties; many at a time."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import orjson
import pyarrow as pa
import shapely
from shapely.errors import ShapelyError

from stadthub_ingest.decoded import Unreadable
from stadthub_ingest.rules import RowError, words
from stadthub_schemas.rows import FEATURES_IN

GEOMETRIES = frozenset(("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"))

#: One judged feature, or why it was refused.
Judged = tuple[str, bytes | None, str] | RowError


def judge_features(rows: Sequence[Any]) -> list[Judged]:
    """What becomes of each feature of one payload. An id that comes again is refused."""
    shapes = _shapes([row.get("geometry") if isinstance(row, dict) else None for row in rows])
    seen: set[str] = set()
    judged: list[Judged] = []
    for row, shape in zip(rows, shapes, strict=True):
        try:
            feature = _feature(row, shape)
            if feature[0] in seen:
                raise RowError(f"id: {feature[0][:100]!r} stands twice in this payload")
            seen.add(feature[0])
            judged.append(feature)
        except RowError as refused:
            judged.append(refused)
    return judged


def as_table(rows: Sequence[tuple[str, bytes | None, str]]) -> pa.Table:
    """Accepted features as FEATURES_IN."""
    columns = list(zip(*rows, strict=True)) or [()] * len(FEATURES_IN)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, FEATURES_IN, strict=True)]
    return pa.Table.from_arrays(arrays, schema=FEATURES_IN)


def _feature(row: Any, shape: Any) -> tuple[str, bytes | None, str]:
    if not isinstance(row, dict):
        raise RowError(row.reason if isinstance(row, Unreadable) else f"{type(row).__name__}: it is not a row")
    identity = _identity(row.get("id"))
    if isinstance(shape, RowError):
        raise shape
    return identity, None if shape is None else _well_formed(shape), json_text("properties", row.get("properties") or {})


def _identity(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**100 else None
    if value is None or value == "":
        raise RowError("id: missing: name the property that tells features from each other in options")
    if not isinstance(value, str) or not value.strip():
        raise RowError(f"id: {str(value)[:100]!r} is not a key")
    return value.strip()


def _shapes(geometries: Sequence[Any]) -> list[Any]:
    """A shapely geometry, None or a refusal for each geometry as a decoder gave it: GeoJSON, WKT, shapely."""
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


def read_geometry(geometry: Any) -> Any:
    """The shapely geometry of one geometry as a decoder has it; RowError if it is none."""
    shape = _shapes([geometry])[0]
    if isinstance(shape, RowError):
        raise shape
    return shape


def _well_formed(shape: Any) -> bytes:
    if shape.is_empty:
        raise RowError("geometry: it is empty")
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise RowError(
            f"geometry: {words(round(west, 6))} {words(round(south, 6))} is outside longitude -180..180, latitude -90..90: "
            "is it in another CRS than CRS84, or with latitude first?"
        )
    if not shapely.is_valid(shape):
        raise RowError(f"geometry: it is not valid: {shapely.is_valid_reason(shape)}")
    return bytes(shapely.to_wkb(shape))


def json_text(field: str, value: Any) -> str:
    """The object as JSON text; RowError if it is no object."""
    if not isinstance(value, dict):
        raise RowError(f"{field}: {str(value)[:100]!r} is not an object")
    unread = next((RowError(f"{field}.{key}: {one.reason}") for key, one in value.items() if isinstance(one, Unreadable)), None)
    if unread is not None:
        raise unread
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()
    except TypeError as error:
        raise RowError(f"{field}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
