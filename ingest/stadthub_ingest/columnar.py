"""Parquet as a header and records. What it says of its size is believed only so far."""

import difflib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from stadthub_ingest.decoded import DecodeError, Unreadable

#: A file may unpack to so many bytes, and have so many columns.
UNPACKED, COLUMNS = 20_000_000_000, 2_000
#: So many bytes of one part are in memory at a time.
PART = 400_000_000


@dataclass(frozen=True, slots=True)
class Columnar:
    """A table of typed columns: cells that are no geometry as somebody would have typed them; `crs` is what GeoParquet names."""

    table: pa.Table
    geometry: str | None
    crs: Any

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.table.column_names)

    def column(self, name: str) -> int:
        """The number of the column with this name; DecodeError with the nearest one."""
        if name in self.table.column_names:
            return self.header.index(name)
        near = difflib.get_close_matches(name, self.table.column_names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "it has " + ", ".join(map(repr, self.header[:20]))
        raise DecodeError(f"there is no column {name!r}: {hint}")

    def records(self) -> Iterator[list[Any] | Unreadable]:
        """The records in order."""
        columns = [self._cells(name) for name in self.table.column_names]
        yield from (list(record) for record in zip(*columns, strict=True))

    def _cells(self, name: str) -> Sequence[Any]:
        column = self.table[name]
        if name == self.geometry:
            shapes = shapely.from_wkb(column.to_pylist(), on_invalid="ignore")
            return ["" if shape is None else shape for shape in shapes]
        return [spelled(cell) for cell in column.to_pylist()]


def spelled(cell: Any) -> str:
    """The cell as text: ISO 8601, a decimal point, JSON for what is nested."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return "" if cell != cell else repr(cell)
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, dict | list):
        return orjson.dumps(cell, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return cell.hex() if isinstance(cell, bytes) else format(cell, "f") if isinstance(cell, Decimal) else str(cell)


def open_columnar(payload: bytes) -> Columnar:
    """The table in the payload; DecodeError if it is no Parquet, or too much."""
    file = _opened(io.BytesIO(payload))
    if sum(file.metadata.row_group(one).total_byte_size for one in range(file.metadata.num_row_groups)) > PART:
        raise DecodeError(f"it unpacks to more than {PART} bytes in one piece")
    try:
        table = file.read().replace_schema_metadata(file.schema_arrow.metadata)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DecodeError("it is a broken Parquet file") from error
    geometry, crs = _geo(file)
    return Columnar(table, geometry, crs)


def written(table: pa.Table, words: Any) -> bytes:
    """The table as a Parquet file with these words of its own."""
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(words), out, compression="zstd")
    return out.getvalue()


def _opened(file: BinaryIO) -> pq.ParquetFile:
    """The file with its footer read; DecodeError for a trap."""
    try:
        found = pq.ParquetFile(file, arrow_extensions_enabled=False)
        told = found.metadata
        groups = [told.row_group(one).total_byte_size for one in range(told.num_row_groups)]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DecodeError("it is not a Parquet file, or a broken one") from error
    if told.num_columns > COLUMNS:
        raise DecodeError(f"it has more than {COLUMNS} columns")
    if sum(groups) > UNPACKED or any(one > PART for one in groups):
        raise DecodeError(f"it unpacks to more than {UNPACKED} bytes, or to {PART} in one row group")
    return found


def _geo(file: pq.ParquetFile) -> tuple[str | None, Any]:
    """The column of the geometry and its CRS by GeoParquet's words; none if there are none. Without `crs` it is CRS84."""
    try:
        words = orjson.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
        name = words.get("primary_column")
        told = words["columns"][name] if name in file.schema_arrow.names else {}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise DecodeError("its words on geometry (geo) can't be read") from error
    if not told:
        return None, None
    if told.get("encoding") != "WKB":
        raise DecodeError(f"{name}: its geometry is not written as WKB: write it so")
    crs = told.get("crs")
    identity = crs.get("id") if isinstance(crs, dict) else None
    return name, f"{identity['authority']}:{identity['code']}" if isinstance(identity, dict) and {
        "authority",
        "code",
    } <= identity.keys() else crs
