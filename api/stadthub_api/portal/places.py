"""Maps as GeoJSON: the things of a timeseries, or the features that a query finds, with the words of their pop-ups."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from stadthub_api.portal.cells import cell
from stadthub_api.portal.language import Writing
from stadthub_catalog.entry import Entry
from stadthub_lake.lake import Lake
from stadthub_schemas.access import Decision
from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.errors import NotFound
from stadthub_schemas.properties import title
from stadthub_schemas.query import RowsQuery

#: How many things or features one map shows at most.
MOST = 5_000
#: Areas of a dataset with few rows (districts) are drawn below the things of the home page.
FEW = 400
#: How many attributes a pop-up shows.
WORDS = 12

Feature = dict[str, Any]


def things(lake: Lake, entry: Entry, decision: Decision) -> list[dict[str, Any]]:
    """The things of a timeseries as rows, without what this reader may not see; none where nothing is stored yet."""
    if not decision.shows("thing") or not decision.shows("observed_property"):
        return []
    try:
        rows: list[dict[str, Any]] = lake.things(entry.dataset.name).to_pylist()
    except NotFound:
        return []
    veiled = [column for column in ("thing_name", "longitude", "latitude") if not decision.shows(column)]
    return [{**row, **dict.fromkeys(veiled)} for row in rows]


def thing_features(rows: Sequence[dict[str, Any]], write: Writing, more: dict[str, Any]) -> Iterator[Feature]:
    """A point for each thing whose place is known."""
    for row in rows:
        if row["longitude"] is None or row["latitude"] is None:
            continue
        observed = ", ".join(title(name, write.language) for name in row["observed_properties"])
        words = {write.word("Messgrößen"): observed}
        yield _feature(
            {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]},
            {"_id": row["thing"], "_title": row["thing_name"] or row["thing"], **words, **more},
        )


def row_features(lake: Lake, query: RowsQuery, columns: Sequence[Column], write: Writing) -> Iterator[Feature]:
    """A feature for each row that has a geometry, its attributes by their titles."""
    geometry = geometry_column(columns)
    if geometry is None:
        return
    shown = [column for column in columns if column.type not in (ColumnType.GEOMETRY, ColumnType.JSON)][:WORDS]
    for number, row in enumerate(_rows(lake, query)):
        if row[geometry] is None:
            continue
        there = [column for column in shown if row[column.name] is not None]
        words = {write.phrase(column.title or column.name, column.title_en): cell(column, row[column.name], write) for column in there}
        identity = row.get("id", number)
        yield _feature(row[geometry], {"_id": identity, "_title": named(row) or str(identity), **words})


def outlines(lake: Lake, entry: Entry) -> Iterator[Feature]:
    """The areas of a small features dataset, as ground for a map of something else."""
    geometry = geometry_column(entry.columns)
    if geometry is None:
        return
    for row in _rows(lake, RowsQuery(entry.dataset.name, columns=(geometry,), limit=FEW)):
        shape = row[geometry]
        if shape is not None and shape["type"] in ("Polygon", "MultiPolygon"):
            yield _feature(shape, {"_outline": True})


def collection(features: Sequence[Feature]) -> bytes:
    """The features as one GeoJSON document."""
    return orjson.dumps({"type": "FeatureCollection", "features": list(features)})


def geometry_column(columns: Sequence[Column]) -> str | None:
    """The name of the column that holds the geometry."""
    return next((column.name for column in columns if column.type is ColumnType.GEOMETRY), None)


def named(row: dict[str, Any]) -> str:
    """What a row is called, if one of the usual columns says so."""
    for column in ("name", "title", "bezeichnung", "titel", "thing_name"):
        value = row.get(column)
        if isinstance(value, str) and value:
            return value
    return ""


def _rows(lake: Lake, query: RowsQuery) -> list[dict[str, Any]]:
    """The rows with their geometry as GeoJSON; none where nothing is stored yet."""
    try:
        body, _ = lake.json(query)
    except NotFound:
        return []
    rows: list[dict[str, Any]] = orjson.loads(body)
    return rows


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> Feature:
    return {"type": "Feature", "geometry": geometry, "properties": properties}
