"""A page of a table whose columns have declared types, column by column: what is plainly right is taken, every other row is left to the
row path, which alone says what is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stadthub_ingest.attributes import exact, moment
from stadthub_ingest.blocks import iso_times
from stadthub_ingest.cellcolumns import CellColumns, read_columns
from stadthub_ingest.coded import mapped
from stadthub_ingest.columnar import Columnar
from stadthub_ingest.decoded import Unreadable
from stadthub_ingest.delimited import Sheet
from stadthub_ingest.rules import RowError
from stadthub_ingest.sheets import Tabled
from stadthub_ingest.tables import ARROW, Seen, in_type
from stadthub_ingest.times import TimeReader
from stadthub_schemas.dataset import ColumnType

_WHOLE = r"^-?(0|[1-9][0-9]{0,17})$"


@dataclass(frozen=True, slots=True)
class Rest:
    """The records of a sheet that the row path must look at, as a sheet of their own."""

    sheet: Sheet
    cells: CellColumns
    places: Sequence[int]

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.sheet.header

    def column(self, name: str) -> int:
        """The number of the column with this header."""
        return self.sheet.column(name)

    def records(self) -> Iterator[list[str] | Unreadable]:
        """The records in order; a column that nobody asks for is empty."""
        for place in self.places:
            record = self.cells.record(place)
            yield [record.get(number, "") for number in range(len(self.sheet.header))]


@dataclass(frozen=True, slots=True)
class Typed:
    """The columns of a page: `rows` are its plainly right rows, `numbers` where they stand in it, `rest` the others; `total` is all."""

    rows: pa.Table
    numbers: pa.Array
    rest: Rest
    total: int


def typed_columns(sheet: Any, payload: bytes, options: Tabled, key: Sequence[str], seen: Seen) -> Typed | None:
    """The page by columns; None where only the row path can read it. Keys of the rows that are taken are seen then."""
    wanted = options.properties
    if not isinstance(sheet, Sheet) or wanted is None or not wanted.keys() <= options.column_types.keys():
        return None
    places = {name: sheet.column(header) for name, header in wanted.items()}
    cells = read_columns(sheet, payload, dict.fromkeys(places.values(), pa.string()), frozenset())
    if cells is None or not places:
        return None
    reader, marks = TimeReader(options.times), pa.array(sorted(options.missing), pa.string())
    columns: dict[str, pa.Array] = {}
    good: pa.Array | None = None
    for name, place in places.items():
        text = pc.utf8_trim_whitespace(cells.arrays[place])
        text = pc.if_else(pc.is_in(text, value_set=marks), pa.scalar(None, pa.string()), text)
        columns[name] = _column(text, name, options, reader)
        right = pc.or_(columns[name].is_valid(), text.is_null())
        good = right if good is None else pc.and_(good, right)
    if key:
        good = pc.and_(good, _new_keys([columns[name] for name in key], good, seen))
    rows = pa.table(columns)
    numbers = pc.indices_nonzero(good)
    whole = len(numbers) == rows.num_rows
    rest = [] if whole else pc.indices_nonzero(pc.invert(good)).to_pylist()
    return Typed(rows if whole else rows.filter(good), numbers, Rest(sheet, cells, rest), rows.num_rows)


def plain_columns(found: Columnar, options: Tabled) -> pa.Table | None:
    """The columns of a Parquet file in their declared types; None where a cell must be looked at by itself."""
    wanted = options.properties
    if wanted is None or not wanted or not wanted.keys() <= options.column_types.keys():
        return None
    marks = pa.array(sorted(options.missing), pa.string())
    columns: dict[str, pa.ChunkedArray] = {}
    for name, header in wanted.items():
        given, kind = found.table[found.header[found.column(header)]], options.column_types[name]
        if not _ALIKE[kind](given.type) or (kind is ColumnType.TIME and given.type.tz is None):
            return None
        try:
            columns[name] = given.cast(ARROW[kind])
        except pa.ArrowInvalid:
            return None
        if kind is ColumnType.TEXT:
            text = pc.utf8_trim_whitespace(columns[name])
            columns[name] = pc.if_else(pc.is_in(text, value_set=marks), pa.scalar(None, pa.string()), text)
        if kind is ColumnType.NUMBER:
            if pc.any(pc.is_inf(columns[name]), min_count=0).as_py():
                return None
            columns[name] = pc.if_else(pc.is_nan(columns[name]), pa.scalar(None, pa.float64()), columns[name])
    return pa.table(columns)


#: Which types of Parquet are plainly of a declared type.
_ALIKE: Mapping[ColumnType, Callable[[pa.DataType], bool]] = {
    ColumnType.TEXT: lambda kind: bool(pa.types.is_string(kind) or pa.types.is_large_string(kind)),
    ColumnType.INTEGER: pa.types.is_integer,
    ColumnType.NUMBER: lambda kind: bool(pa.types.is_floating(kind) or pa.types.is_integer(kind)),
    ColumnType.DECIMAL: pa.types.is_decimal,
    ColumnType.BOOLEAN: pa.types.is_boolean,
    ColumnType.DATE: pa.types.is_date,
    ColumnType.TIME: pa.types.is_timestamp,
    ColumnType.JSON: lambda _: False,
    ColumnType.GEOMETRY: lambda _: False,
}


def _new_keys(parts: Sequence[pa.Array], good: pa.Array, seen: Seen) -> pa.Array:
    """Which rows have a key that was not seen before."""
    found = []
    for is_good, *identity in zip(good.to_pylist(), *(part.to_pylist() for part in parts), strict=True):
        known = tuple(identity)
        is_new = is_good and None not in known and known not in seen
        if is_new:
            seen.add(known)
        found.append(is_new)
    return pa.array(found, pa.bool_())


def _column(text: pa.Array, name: str, options: Tabled, reader: TimeReader) -> pa.Array:
    """The column in its declared type; null where the row path must look."""
    kind = options.column_types[name]
    if kind in (ColumnType.TEXT, ColumnType.JSON, ColumnType.GEOMETRY) and name not in options.time_columns:
        return text
    if kind in (ColumnType.INTEGER, ColumnType.NUMBER):
        return _numbers(text, kind, options.decimal, options.thousands)
    if kind is ColumnType.TIME:
        quick = iso_times(text, reader) if name in options.time_columns else None
        if quick is not None and quick.null_count == text.null_count:
            return quick
    return mapped(text, lambda cell: _read(cell, name, options, reader), ARROW[kind])


def _numbers(text: pa.Array, kind: ColumnType, decimal: str, thousands: str | None) -> pa.Array:
    """The cells that are plainly numbers in this notation."""
    whole = "[0-9]+" if thousands is None else rf"([0-9]{{1,3}}({re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
    shape = _WHOLE if kind is ColumnType.INTEGER else rf"^-?{whole}({re.escape(decimal)}[0-9]+)?$"
    text = pc.if_else(pc.match_substring_regex(text, shape), text, pa.scalar(None, pa.string()))
    if kind is ColumnType.NUMBER and thousands is not None:
        text = pc.replace_substring(text, thousands, "")
    if kind is ColumnType.NUMBER and decimal != ".":
        text = pc.replace_substring(text, decimal, ".")
    return text.cast(ARROW[kind])


def _read(cell: str | None, name: str, options: Tabled, reader: TimeReader) -> Any:
    """The cell as the row path reads it; None where that must look itself."""
    if cell is None:
        return None
    kind, value = options.column_types[name], _value(cell, name, options, reader)
    try:
        return None if isinstance(value, Unreadable) else in_type(name, value, kind)
    except RowError:
        return None


def _value(cell: str, name: str, options: Tabled, reader: TimeReader) -> Any:
    if name in options.time_columns:
        if options.column_types[name] is ColumnType.DATE:
            return reader.read_day(cell)
        return Unreadable(cell, "its order decides") if reader.depends_on_order(cell) else moment(cell, name, reader)
    if name in options.decimal_columns:
        return exact(cell, (options.decimal, options.thousands))
    return Unreadable(cell, "it is written in another notation") if options.column_types[name] is ColumnType.DECIMAL else cell
