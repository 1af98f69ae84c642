"""All rows of a query as a stream of bytes, in memory that does not grow with their number.

csv: UTF-8, header, RFC 4180, an empty field is a missing value. json: one array. geojson: one FeatureCollection; a timeseries gives
points. parquet: one file (GeoParquet for features). arrow: an IPC stream. Times are ISO 8601 in UTC, geometry is CRS84.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from stadthub_lake.engine import Engine, Question
from stadthub_lake.filters import quoted
from stadthub_lake.query import stream, text_bytes, wanted_columns
from stadthub_lake.relation import SQL_TYPES
from stadthub_lake.shapes import CSV, json_object, shaped
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import RowsQuery

#: Rows that are in memory at once, and the rows of a row group.
PIECE = 50_000
GROUP = 122_880

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)

_ROW = "_row"
_CSV = pa_csv.WriteOptions(include_header=False, eol="\r\n")
_GEO = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}}}


@dataclass(frozen=True)
class Selection:
    """What is exported: by whom it is answered, of which snapshot, which columns."""

    engine: Engine
    snapshot: Snapshot
    query: RowsQuery
    columns: tuple[Column, ...]

    def question(self, select: str) -> Question:
        """The question whose rows are written; an ST_ function in it brings the extension along."""
        return stream(self.engine, self.snapshot, self.query, self.columns, select, spatial="ST_" in select)

    def batches(self, question: Question, names: Sequence[str], rows: int = PIECE) -> Iterator[pa.RecordBatch]:
        """The answer piece by piece."""
        for batch in self.engine.batches(question, rows):
            yield batch.select(list(names))


class Outbox(io.RawIOBase):
    """A file that a writer writes to and a reader empties as it goes."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: object) -> int:
        """Keep a copy until it is taken."""
        part = bytes(memoryview(data))  # type: ignore[arg-type]  # pyarrow hands in buffers
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """What was written since the last time."""
        body = b"".join(self._parts)
        self._parts.clear()
        return body


def export(engine: Engine, snapshot: Snapshot, query: RowsQuery, name: str) -> Iterator[bytes]:
    """The rows in a format. QueryError for a wrong question is raised at once, not in the stream."""
    if name not in WRITERS:
        raise QueryError(f"format: there is no {name!r}: use one of {', '.join(WRITERS)}")
    columns = wanted_columns(query, snapshot)
    if not snapshot.columns:
        return iter([_NOTHING[name]()])
    return WRITERS[name](Selection(engine, snapshot, query, columns))


def _csv(chosen: Selection) -> Iterator[bytes]:
    names = [column.name for column in chosen.columns]
    question = chosen.question(shaped(chosen.columns, CSV))
    return _csv_pieces(chosen, question, names)


def _csv_pieces(chosen: Selection, question: Question, names: list[str]) -> Iterator[bytes]:
    header = io.StringIO()
    csv.writer(header).writerow(names)
    yield header.getvalue().encode()
    for batch in chosen.batches(question, names):
        body = io.BytesIO()
        pa_csv.write_csv(pa.Table.from_batches([batch]), body, _CSV)
        yield body.getvalue()


def _json(chosen: Selection) -> Iterator[bytes]:
    return _texts(chosen, chosen.question(f"',\n' || {json_object(chosen.columns)} AS {_ROW}"), b"[", b"]\n")


def _geojson(chosen: Selection) -> Iterator[bytes]:
    if chosen.snapshot.kind is Kind.TABLE:
        raise QueryError(
            f"format: {chosen.snapshot.dataset} has no geometry, so there is no geojson of it: use csv, json, parquet or arrow"
        )
    properties = [column for column in chosen.columns if column.type is not ColumnType.GEOMETRY]
    feature = f"""',\n{{"type":"Feature",{_identifier(chosen)}"geometry":' || coalesce({_geometry(chosen)}, 'null')"""
    sql = f"""{feature} || ',"properties":' || {json_object(properties)} || '}}' AS {_ROW}"""
    chosen = replace(chosen, columns=_with_place(chosen))
    return _texts(chosen, chosen.question(sql), b'{"type":"FeatureCollection","features":[', b"]}\n")


def _identifier(chosen: Selection) -> str:
    shown = {column.name for column in chosen.columns}
    return """"id":' || CAST(to_json(id) AS VARCHAR) || ',""" if chosen.snapshot.kind is Kind.FEATURES and "id" in shown else ""


def _geometry(chosen: Selection) -> str:
    if not _place(chosen):
        return "NULL"
    if chosen.snapshot.kind is Kind.FEATURES:
        return "CAST(ST_AsGeoJSON(ST_GeomFromWKB(geometry)) AS VARCHAR)"
    return """'{"type":"Point","coordinates":[' || CAST(longitude AS VARCHAR) || ',' || CAST(latitude AS VARCHAR) || ']}'"""


def _place(chosen: Selection) -> list[str]:
    """The columns that say where a row is, if the reader may see them."""
    names = ["geometry"] if chosen.snapshot.kind is Kind.FEATURES else ["longitude", "latitude"]
    there = {column.name for column in chosen.snapshot.columns} - chosen.query.hidden
    return names if there.issuperset(names) else []


def _with_place(chosen: Selection) -> tuple[Column, ...]:
    """The columns with those of the place, which a GeoJSON feature always has."""
    shown = {column.name for column in chosen.columns}
    place = set(_place(chosen)) - shown
    return chosen.columns + tuple(column for column in chosen.snapshot.columns if column.name in place)


def _texts(chosen: Selection, question: Question, head: bytes, foot: bytes) -> Iterator[bytes]:
    """Rows that the engine wrote as text, each after a comma and a new line; the first comma goes."""
    skip = 1
    yield head
    for batch in chosen.batches(question, [_ROW]):
        body = text_bytes(batch.column(0))
        yield body[skip:] if body else body
        skip = 0 if body else skip
    yield b"\n" + foot


def _parquet(chosen: Selection) -> Iterator[bytes]:
    return _parquet_pieces(chosen, chosen.question(_plain(chosen)))


def _parquet_pieces(chosen: Selection, question: Question) -> Iterator[bytes]:
    outbox, writer = Outbox(), None
    for batch in chosen.batches(question, [column.name for column in chosen.columns], GROUP):
        if writer is None:
            writer = pq.ParquetWriter(outbox, _schema(chosen, batch.schema), compression="zstd")
        writer.write_batch(batch.cast(writer.schema))
        yield outbox.take()
    with writer or pq.ParquetWriter(outbox, _schema(chosen, _empty(chosen)), compression="zstd"):
        pass
    yield outbox.take()


def _schema(chosen: Selection, schema: pa.Schema) -> pa.Schema:
    """The schema of the file; with a geometry it is GeoParquet (without `crs`: CRS84)."""
    has_place = any(column.name == "geometry" and column.type is ColumnType.GEOMETRY for column in chosen.columns)
    return schema.with_metadata({b"geo": orjson.dumps(_GEO)}) if has_place else schema


def _arrow(chosen: Selection) -> Iterator[bytes]:
    return _arrow_pieces(chosen, chosen.question(_plain(chosen)))


def _arrow_pieces(chosen: Selection, question: Question) -> Iterator[bytes]:
    outbox, writer = Outbox(), None
    for batch in chosen.batches(question, [column.name for column in chosen.columns]):
        writer = writer or pa.ipc.new_stream(outbox, batch.schema)
        writer.write_batch(cleared(batch))
        yield outbox.take()
    with writer or pa.ipc.new_stream(outbox, _empty(chosen)):
        pass
    yield outbox.take()


def cleared(rows: Rows) -> Rows:
    """The same rows with nothing beneath their nulls. The engine leaves there what was in its memory before, and Arrow's format sends it
    along: values that are hidden from the reader, or another reader's."""
    if not any(column.null_count for column in rows.columns):
        return rows
    return rows.take(pa.array(np.arange(rows.num_rows)))


def _plain(chosen: Selection) -> str:
    return ", ".join(quoted(column.name) for column in chosen.columns)


def _empty(chosen: Selection) -> pa.Schema:
    """The schema of an answer without rows."""
    columns = ", ".join(f"NULL::{SQL_TYPES[column.type]} AS {quoted(column.name)}" for column in chosen.columns)
    return chosen.engine.table(Question(f"SELECT {columns} WHERE false")).schema


def _no_rows_arrow() -> bytes:
    outbox = Outbox()
    pa.ipc.new_stream(outbox, pa.schema([])).close()
    return outbox.take()


def _no_rows_parquet() -> bytes:
    outbox = Outbox()
    pq.ParquetWriter(outbox, pa.schema([])).close()
    return outbox.take()


#: One line a format: what writes it.
WRITERS: dict[str, Callable[[Selection], Iterator[bytes]]] = {
    "csv": _csv,
    "json": _json,
    "geojson": _geojson,
    "parquet": _parquet,
    "arrow": _arrow,
}

#: What a dataset gives that has no columns yet.
_NOTHING: dict[str, Callable[[], bytes]] = {
    "csv": lambda: b"\r\n",
    "json": lambda: b"[]\n",
    "geojson": lambda: b'{"type":"FeatureCollection","features":[]}\n',
    "parquet": _no_rows_parquet,
    "arrow": _no_rows_arrow,
}
