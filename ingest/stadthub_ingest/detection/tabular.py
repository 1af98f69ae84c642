"""Text tables and workbooks: the layout, the encoding, and what the columns mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pyarrow as pa

from stadthub_ingest.columnar import open_columnar, spelled
from stadthub_ingest.decoded import DecodeError, Unreadable
from stadthub_ingest.delimited import Sheet, open_sheet
from stadthub_ingest.detection.layout import laid
from stadthub_ingest.detection.mapped import fields_of, options_of
from stadthub_ingest.detection.meaning import Meaning, Setting, meaning
from stadthub_ingest.detection.places import DEGREES
from stadthub_ingest.detection.proposal import Field, Guess, Proposal, Said
from stadthub_ingest.detection.traits import Traits
from stadthub_ingest.mapping import MISSING
from stadthub_ingest.opendocument import is_open_document
from stadthub_ingest.packed import Packed
from stadthub_ingest.texts import MARKS, read_text
from stadthub_ingest.workbook import Grid, open_grid, sheet_names
from stadthub_schemas.dataset import ColumnType, Kind

#: So much of a text, so many records and columns are looked at.
HEAD, RECORDS, COLUMNS = 1_000_000, 2_000, 400
#: So many sheets of a workbook are looked at, and so many rows for its header.
SHEETS = 10


def of_text(sample: bytes, setting: Setting) -> Proposal | None:
    """What a text table is; None if the sample is none."""
    cut = len(sample) > HEAD
    text = read_text(_whole_lines(sample[:HEAD]) if cut else sample, None)
    found = laid(text, cut=cut)
    if found is None:
        return None
    layout = found.layout
    try:
        sheet = open_sheet(text, layout)
    except DecodeError:
        return None
    guesses = [
        Guess("format", "CSV" if layout.delimiter != "\t" else "TSV", found.confidence, Said(*_fields_words(found.columns))),
        _encoding(sample),
        Guess("delimiter", _sign(layout.delimiter), found.confidence, Said("teilt die Zeilen gleichmäßig", "divides the lines evenly")),
    ]
    base: dict[str, Any] = {"delimiter": layout.delimiter}
    if layout.skip_rows:
        base["skip_rows"] = layout.skip_rows
        guesses.append(Guess("skip_rows", str(layout.skip_rows), 0.8, Said("davor steht keine Tabelle", "no table stands before")))
    if layout.skip_footer:
        base["skip_footer"] = layout.skip_footer
        guesses.append(
            Guess("skip_footer", str(layout.skip_footer), 0.8, Said("am Ende steht keine Tabelle mehr", "no table stands at the end"))
        )
    if not layout.header:
        base["header"] = False
        words = Said("die erste Zeile enthält schon Werte", "the first line holds values already")
        guesses.append(Guess("header", "–", 0.7, words))
    return _proposed("csv_table", _columns(sheet), setting, (base, guesses))


def _workbook(sample: bytes) -> Guess:
    if is_open_document(Packed(sample)):
        return Guess("format", "ODS", 0.99, Said("eine OpenDocument-Arbeitsmappe", "an OpenDocument workbook"))
    return Guess("format", "XLSX", 0.99, Said("eine Excel-Arbeitsmappe", "an Excel workbook"))


def _fields_words(columns: int) -> tuple[str, str]:
    return f"{columns} Spalten in jeder Zeile", f"{columns} columns in each line"


def of_workbook(sample: bytes, setting: Setting) -> Proposal:
    """What the first sheet of a workbook is; DecodeError if it can't be read."""
    names = sheet_names(sample)
    grids = {name: open_grid(sample, name, 0, (".", None)) for name in names[:SHEETS]}
    sheet = max(grids, key=lambda name: len(grids[name].rows) * len(grids[name].header))
    skip = _skipped(grids[sheet])
    grid = open_grid(sample, sheet, skip, (".", None)) if skip else grids[sheet]
    guesses = [
        _workbook(sample),
        Guess("sheet", sheet, 0.7 if len(names) > 1 else 0.99, Said("das Blatt mit den meisten Zellen", "the sheet with the most cells")),
    ]
    base: dict[str, Any] = {} if len(names) == 1 else {"sheet": sheet}
    return _proposed("xlsx_table", _columns(grid), setting, (base | ({"skip_rows": skip} if skip else {}), guesses))


def of_columnar(sample: bytes, setting: Setting) -> Proposal:
    """What a Parquet file is: its own types win over what its cells look like. DecodeError if it can't be read."""
    found = open_columnar(sample)
    title = "GeoParquet" if found.geometry else "Parquet"
    guesses = [Guess("format", title, 0.99, Said("beginnt mit PAR1", "begins with PAR1"))]
    if found.crs is not None:
        guesses.append(Guess("crs", str(found.crs)[:60], 0.95, Said("so steht es in der Datei", "the file says so")))
    places = [name for name in found.header if name != found.geometry][:COLUMNS]
    rows = found.table.slice(0, RECORDS).select(places)
    columns = [Traits(name, name, [spelled(cell) for cell in rows[name].to_pylist()]) for name in places]
    proposal = _proposed("parquet", columns, replace(setting, located=found.geometry is not None), ({}, guesses))
    types = {name: _type_of(found.table.schema.field(name).type) for name in places}
    fields = [replace(one, type=types[one.place] or one.type) for one in proposal.fields]
    if found.geometry is not None:
        fields.append(
            Field(found.geometry, "geometry", "geometry", None, None, None, (), 0.99, Said("so steht es in der Datei", "the file says so"))
        )
    kind = proposal.kind if found.geometry is None else Kind.FEATURES
    if kind is Kind.FEATURES and not any(one.becomes == "id" for one in fields):
        fields.append(Field("@key", "id", "id", None, None, None, (), 0.7, Said("die Nummer der Zeile", "the number of the row")))
    options = options_of(kind, fields, _notated(proposal.options), setting.name)
    return replace(
        proposal, kind=kind, fields=tuple(fields), options=options, warnings=() if kind is not proposal.kind else proposal.warnings
    )


def _notated(options: Mapping[str, Any]) -> dict[str, Any]:
    """The notation out of options that were made."""
    return {name: value for name, value in options.items() if name in ("decimal", "thousands", "missing", "times", "crs")}


_TYPES: Sequence[tuple[Callable[[Any], bool], ColumnType]] = (
    (pa.types.is_integer, ColumnType.INTEGER),
    (pa.types.is_floating, ColumnType.NUMBER),
    (pa.types.is_decimal, ColumnType.DECIMAL),
    (pa.types.is_boolean, ColumnType.BOOLEAN),
    (pa.types.is_date, ColumnType.DATE),
    (pa.types.is_timestamp, ColumnType.TIME),
    (pa.types.is_nested, ColumnType.JSON),
    (pa.types.is_string, ColumnType.TEXT),
    (pa.types.is_large_string, ColumnType.TEXT),
)


def _type_of(kind: Any) -> ColumnType | None:
    return next((found for matches, found in _TYPES if matches(kind)), None)


def _skipped(grid: Grid) -> int:
    """How many rows stand before the header: the first row that is as full as any near the start."""
    rows = [grid.header, *grid.rows[:SHEETS]]
    full = [sum(str(cell).strip() != "" for cell in row) for row in rows]
    best = full.index(max(full))
    return 0 if best == 0 or full[0] >= 0.8 * full[best] else grid.first_row - 2 + best


def _proposed(decoder: str, columns: Sequence[Traits], setting: Setting, begun: tuple[dict[str, Any], list[Guess]]) -> Proposal:
    """The whole proposal out of the columns and what is known of the layout."""
    base, guesses = begun
    found = meaning(columns, setting)
    base |= notation(found)
    fields = fields_of(found, setting.name)
    options = options_of(found.kind, fields, base, setting.name)
    key = [one.name for one in fields if one.becomes == "key"]
    return Proposal(decoder, found.kind, options, fields, (*guesses, *found.guesses), found.warnings, key, found.frequency)


def notation(found: Meaning) -> dict[str, Any]:
    """The options that say how numbers, times and missing values are written, as far as they differ from the decoder's own."""
    base: dict[str, Any] = {}
    decimal, thousands = found.notation
    if decimal != ".":
        base["decimal"] = decimal
    if thousands:
        base["thousands"] = thousands
    marks = next((guess.value.split(" ") for guess in found.guesses if guess.what == "missing"), [])
    if set(marks) - set(MISSING):
        base["missing"] = [*MISSING, *(mark for mark in marks if mark not in MISSING)]
    if found.times:
        base["times"] = dict(found.times)
    crs = next((guess.value for guess in found.guesses if guess.what == "crs"), DEGREES)
    return base | ({"crs": crs} if crs != DEGREES else {})


def _columns(sheet: Sheet | Grid) -> list[Traits]:
    """The columns of the sample; of two with the same header only the first can be named."""
    records = [record for record in islice(sheet.records(), RECORDS) if not isinstance(record, Unreadable)]
    seen: dict[str, int] = {}
    for number, header in enumerate(sheet.header[:COLUMNS]):
        if header:
            seen.setdefault(header, number)
    return [Traits(header, header, [record[number] for record in records]) for header, number in seen.items()]


def _whole_lines(part: bytes) -> bytes:
    """The part without its last line, which may be cut."""
    return part[: part.rfind(b"\n") + 1] or part


def _encoding(sample: bytes) -> Guess:
    mark = next((name for sign, name in MARKS.items() if sample.startswith(sign)), None)
    if mark is not None:
        words = Said("steht als Marke am Anfang", "stands as a mark at the start")
        return Guess("encoding", "UTF-8 (BOM)" if mark == "utf-8-sig" else "UTF-16", 1.0, words)
    try:
        _whole_lines(sample[:HEAD]).decode("utf-8")
    except UnicodeDecodeError:
        return Guess("encoding", "Windows-1252", 0.8, Said("kein gültiges UTF-8", "no valid UTF-8"))
    return Guess("encoding", "UTF-8", 0.95, Said("gültiges UTF-8", "valid UTF-8"))


def _sign(delimiter: str) -> str:
    return "Tab" if delimiter == "\t" else delimiter
