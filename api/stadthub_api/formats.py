"""One page of rows as bytes in the formats that readers ask for, and which format that is."""

import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyarrow import csv

from stadthub_lake.export import cleared
from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.errors import QueryError
from stadthub_schemas.vocabularies import FORMATS

_BY_MEDIA_TYPE = {
    **{one.media_type.partition(";")[0]: one.id for one in FORMATS.values()},
    "application/parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/vnd.apache.arrow.file": "arrow",
}


def wanted(named: str | None, accept: str, offered: tuple[str, ...] = tuple(FORMATS)) -> str:
    """The format: as named by `format=`, else the best of `Accept` that is offered, else JSON."""
    if named is not None:
        if named not in offered:
            raise QueryError(f"format: {named[:50]!r} is not offered here: use one of {', '.join(offered)}")
        return named
    ranked = sorted((_weighed(part) for part in accept.split(",")), key=lambda one: -one[1])
    found = (_BY_MEDIA_TYPE.get(media) for media, weight in ranked if weight > 0)
    return next((one for one in found if one in offered), "json")


def _weighed(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return media.lower(), float(quality)
    except ValueError:
        return media.lower(), 0.0


def as_json(table: pa.Table) -> bytes:
    """The rows as a JSON array of objects; times in UTC with a Z."""
    return orjson.dumps(_records(table), option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC, default=_plain)


def as_csv(table: pa.Table) -> bytes:
    """The rows as CSV with a header line; times in UTC with a Z, geometry as WKT, lists and structures as JSON."""
    sink = io.BytesIO()
    csv.write_csv(pa.table([_text(table.column(name)) for name in table.column_names], names=table.column_names), sink)
    return sink.getvalue()


def as_parquet(table: pa.Table) -> bytes:
    """The rows as one Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def as_arrow(table: pa.Table) -> bytes:
    """The rows as an Arrow IPC stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(cleared(table))
    return sink.getvalue()


WRITERS: dict[str, Callable[[pa.Table], bytes]] = {"json": as_json, "csv": as_csv, "parquet": as_parquet, "arrow": as_arrow}


def as_geojson(table: pa.Table, columns: Sequence[Column]) -> bytes:
    """The rows as features: from their geometry, or as points from longitude and latitude."""
    name = next((column.name for column in columns if column.type is ColumnType.GEOMETRY and column.name in table.column_names), None)
    properties = _records(table.drop_columns([name]) if name is not None else table)
    for nested in (column.name for column in columns if column.type is ColumnType.JSON and column.name in table.column_names):
        for row in properties:
            row[nested] = _parsed(row[nested])
    geometries = _shapes(table.column(name)) if name is not None else [_point(row) for row in properties]
    features = [
        {"type": "Feature", **({"id": row["id"]} if row.get("id") is not None else {}), "geometry": geometry, "properties": row}
        for row, geometry in zip(properties, geometries, strict=True)
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features}, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC, default=_plain)


def _parsed(text: str | None) -> Any:
    """What the text of a JSON column says; nothing where it is no JSON."""
    try:
        return None if text is None else orjson.loads(text)
    except ValueError:
        return None


def _shapes(column: pa.ChunkedArray) -> list[orjson.Fragment | None]:
    texts = shapely.to_geojson(shapely.from_wkb(column.to_numpy(zero_copy_only=False)))
    return [None if text is None else orjson.Fragment(text) for text in texts]


def _point(row: dict[str, Any]) -> dict[str, Any] | None:
    longitude, latitude = row.get("longitude"), row.get("latitude")
    return None if longitude is None or latitude is None else {"type": "Point", "coordinates": [longitude, latitude]}


def _records(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _wkt(geometry: bytes) -> str:
    """The geometry as text with every digit that it has."""
    return str(shapely.to_wkt(shapely.from_wkb(geometry), rounding_precision=-1))


def _plain(value: object) -> object:
    """What orjson does not know: bytes are geometry (WKT), decimals keep their digits as a number where they can."""
    if isinstance(value, bytes):
        return _wkt(value)
    return float(value) if isinstance(value, Decimal) else str(value)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as CSV can hold it."""
    if pa.types.is_timestamp(column.type):
        return _texts(None if one is None else one.isoformat().removesuffix("+00:00") + "Z" for one in column.to_pylist())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return _texts(None if one is None else _wkt(one) for one in column.to_pylist())
    if pa.types.is_nested(column.type):
        return _texts(None if one is None else orjson.dumps(one, default=_plain).decode() for one in column.to_pylist())
    return column


def _texts(values: Any) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(list(values), pa.string())])
