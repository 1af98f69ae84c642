"""How the values of tables read: numbers that are keys without signs between, days and times on the reader's clock, shapes in a word."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import orjson
import shapely

from stadthub_api.portal.language import Writing
from stadthub_ingest.detection.names import is_key
from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.properties import title
from stadthub_schemas.query import SUPPRESSED

#: The kinds of geometry in German, translated when shown.
SHAPES = {
    "Point": "Punkt",
    "MultiPoint": "Mehrere Punkte",
    "LineString": "Linie",
    "MultiLineString": "Mehrere Linien",
    "Polygon": "Polygon",
    "MultiPolygon": "Mehrere Polygone",
    "GeometryCollection": "Mehrere Geometrien",
}
#: What stands in a cell instead of a geometry that is no point; in German, translated when shown.
POINTS = "{kind}, {count} Punkte"
#: So many decimals of a degree are about a metre.
_METRE = 5


def cell(column: Column, value: Any, write: Writing) -> str:
    """A value as a reader reads it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return write.word("ja") if value else write.word("nein")
    if column.name == "observed_property":
        return title(str(value), write.language)
    if column.name == "unit":
        return write.unit(str(value))
    if column.name == "quality" and value == SUPPRESSED:
        return write.word("zu klein, um gezeigt zu werden")
    return _WRITTEN[column.type](column, value, write) if column.type in _WRITTEN else str(value)


def _number(column: Column, value: Any, write: Writing) -> str:
    number = float(value)
    if number.is_integer() and is_key(column.name):
        return str(int(value))
    return write.measure(number, None if column.name in ("longitude", "latitude") else column.unit)


def _day(_: Column, value: Any, write: Writing) -> str:
    return write.short_day(date.fromisoformat(value) if isinstance(value, str) else value)


def _time(_: Column, value: Any, write: Writing) -> str:
    """The time; one that was pushed without a zone stays as it was written."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return write.exact(time) if time.tzinfo is not None else write.zoneless(time)


def _object(_: Column, value: Any, write: Writing) -> str:
    """JSON; a geometry among it as a geometry."""
    if isinstance(value, Mapping) and value.get("type") in SHAPES and ("coordinates" in value or "geometries" in value):
        return _shape(_, orjson.dumps(value).decode(), write)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _shape(_: Column, value: Any, write: Writing) -> str:
    """A geometry in a word: where a point lies, how many points all others have."""
    if isinstance(value, Mapping):
        value = orjson.dumps(value).decode()
    read = shapely.from_wkb if isinstance(value, bytes) else shapely.from_geojson
    shape = read(value, on_invalid="ignore")
    if shape is None or shape.is_empty:
        return "–"
    kind = write.word(SHAPES.get(shape.geom_type, "Linie"))
    if shape.geom_type == "Point":
        return f"{kind} {round(shape.x, _METRE)}, {round(shape.y, _METRE)}"
    return write.word(POINTS).format(kind=kind, count=write.number(shapely.get_num_coordinates(shape)))


_WRITTEN: Mapping[ColumnType, Callable[[Column, Any, Writing], str]] = {
    ColumnType.INTEGER: _number,
    ColumnType.NUMBER: _number,
    ColumnType.DECIMAL: _number,
    ColumnType.DATE: _day,
    ColumnType.TIME: _time,
    ColumnType.JSON: _object,
    ColumnType.GEOMETRY: _shape,
}
