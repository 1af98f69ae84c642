"""The columns of a sheet as Arrow arrays: typed where every cell is plainly of that type, and as they are written for who must look closer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from pyarrow import csv as arrow_csv

from stadthub_ingest.decoded import Unreadable
from stadthub_ingest.delimited import Sheet

#: How much is parsed in one piece: each core takes the next.
PIECE = 1 << 22


@dataclass(frozen=True)
class CellColumns:
    """The wanted columns of one sheet. `marks` stand for missing values: in a typed column such a cell is null."""

    sheet: Sheet
    marks: frozenset[str]
    arrays: Mapping[int, pa.Array]
    body: pa.Buffer

    def text(self, place: int) -> pa.Array:
        """The column as it is written."""
        found = self.arrays[place]
        return found if found.type == pa.string() else self._texts[place]

    def words(self, place: int) -> pa.Array:
        """The column as it is written, coded if it was read so."""
        return self.arrays[place] if isinstance(self.arrays[place], pa.DictionaryArray) else self.text(place)

    def record(self, index: int) -> dict[int, str]:
        """The cells of one record as they are written."""
        return {place: self.text(place)[index].as_py() for place in self.arrays}

    @cached_property
    def _texts(self) -> Mapping[int, pa.Array]:
        """All columns as they are written: read again, since most files never need it."""
        return _parsed(self.sheet, self.body, dict.fromkeys(self.arrays, pa.string()), self.marks)


def read_columns(sheet: Sheet, payload: bytes, wished: Mapping[int, pa.DataType], marks: frozenset[str]) -> CellColumns | None:
    """The columns in the wished types, or all as texts if a cell is of none; None if a record has another width than the header."""
    quoted = sheet.layout.quote is not None and sheet.holds(sheet.layout.quote)
    if quoted or (sheet.holds("\r") and sheet.body.count("\r") != sheet.body.count("\r\n")):
        records: list[list[str]] = []
        for record in sheet.records():
            if isinstance(record, Unreadable):
                return None
            records.append(record)
        return CellColumns(
            sheet, marks, {place: pa.array([record[place] for record in records], pa.string()) for place in wished}, pa.py_buffer(b"")
        )
    body = _bytes(sheet, payload)
    for types in (wished, dict.fromkeys(wished, pa.string())):
        try:
            return CellColumns(sheet, marks, _parsed(sheet, body, types, marks), body)
        except pa.ArrowInvalid:
            continue
    return None


def _bytes(sheet: Sheet, payload: bytes) -> pa.Buffer:
    """The records in UTF-8: where every sign is one byte they stand in the payload, and nothing is copied."""
    if sheet.text.isascii() and len(payload) == len(sheet.text):
        return pa.py_buffer(payload).slice(sheet.start, sheet.end - sheet.start)
    return pa.py_buffer(sheet.body.encode())


def _parsed(sheet: Sheet, body: pa.Buffer, types: Mapping[int, pa.DataType], marks: frozenset[str]) -> dict[int, pa.Array]:
    names = [str(number) for number in range(len(sheet.header))]
    wanted = {names[place]: kind for place, kind in types.items()}
    table = arrow_csv.read_csv(
        pa.BufferReader(body),
        arrow_csv.ReadOptions(column_names=names, block_size=max(1, min(body.size, PIECE))),
        arrow_csv.ParseOptions(delimiter=sheet.layout.delimiter, quote_char=False, newlines_in_values=False),
        arrow_csv.ConvertOptions(
            column_types=wanted,
            include_columns=list(wanted),
            strings_can_be_null=False,
            null_values=sorted(marks),
            true_values=[],
            false_values=[],
        ),
    )
    arrays = (table.column(names[place]).unify_dictionaries().combine_chunks() for place in types)
    return dict(zip(types, arrays, strict=True))
