"""A sheet as blocks of Arrow columns, one for each value column: the bulk path of csv_table."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from stadthub_ingest.decoded import Block, Clock, Decoded, Field, Unreadable
from stadthub_ingest.delimited import Sheet
from stadthub_ingest.mapping import Cell, Plan, clean, observations, series_of
from stadthub_ingest.times import TimeReader

TIME = pa.timestamp("us", tz="UTC")
_FAST_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"


def blocks(sheet: Sheet, plan: Plan, reader: TimeReader) -> list[Block] | None:
    """The observations of the sheet by value column; None where only the row path can tell."""
    targets = {(cell.fields.get("thing"), cell.fields.get("observed_property")) for cell in plan.cells}
    if plan.parameters or plan.constants.get("phenomenon_time") is Clock.RECEIVED or len(targets) < len(plan.cells):
        return None  # columns that fill one datastream must keep the order of the rows
    columns = _columns(sheet, _places(plan))
    if columns is None:
        return None
    fields: dict[str, Field] = dict(plan.constants)
    for name, place in plan.fields:
        fields[name] = _filled(mapped(columns[place], lambda text: clean(text, plan.marks), pa.string()), fields.get(name))
    times = _times(plan, columns, fields, reader)
    return [_block(plan, number, columns, fields, times, reader) for number in range(len(plan.cells))]


def mapped(array: pa.Array, function: Callable[[str], Any], to: pa.DataType) -> pa.Array:
    """The function of each text, asked once for each different one; null stays null."""
    encoded = array.dictionary_encode()
    return pa.array([None if text is None else function(text) for text in encoded.dictionary.to_pylist()], to).take(encoded.indices)


def _filled(array: pa.Array, constant: Field) -> pa.Array:
    """The array with the constant of that field where it has no value."""
    return array if constant is None else pc.fill_null(array, str(constant))


def _places(plan: Plan) -> list[int]:
    places = [place for _, place in plan.fields] + list(plan.times)
    for cell in plan.cells:
        places += [cell.place] if cell.quality is None else [cell.place, cell.quality]
    return sorted(set(places))


def _columns(sheet: Sheet, places: list[int]) -> dict[int, pa.Array] | None:
    """The wanted columns as text, whichever reader gets them; None if a record has another width than the header."""
    quoted = sheet.layout.quote is not None and sheet.layout.quote in sheet.body
    if quoted or sheet.body.count("\r") != sheet.body.count("\r\n"):
        records: list[list[str]] = []
        for record in sheet.records():
            if isinstance(record, Unreadable):
                return None
            records.append(record)
        return {place: pa.array([record[place] for record in records], pa.string()) for place in places}
    names = [str(number) for number in range(len(sheet.header))]
    wanted = [names[place] for place in places]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(sheet.body.encode()),
            arrow_csv.ReadOptions(column_names=names, block_size=max(1 << 20, min(len(sheet.body), 1 << 24))),
            arrow_csv.ParseOptions(delimiter=sheet.layout.delimiter, quote_char=False, newlines_in_values=False),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted, strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    return {place: table.column(name).combine_chunks() for place, name in zip(places, wanted, strict=True)}


def _times(plan: Plan, columns: dict[int, pa.Array], fields: dict[str, Field], reader: TimeReader) -> pa.Array:
    """The time of each record; null where it is missing or can't be read."""
    parts = [mapped(columns[place], lambda text: clean(text, plan.marks), pa.string()) for place in plan.times]
    texts = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")

    def readable(text: str | None, series: Any = ()) -> datetime | None:
        found = None if text is None else reader.read(text, series)
        return found if isinstance(found, datetime) else None

    different = pc.unique(texts).to_pylist()
    if not any(reader.depends_on_order(text) for text in different if text is not None):
        return mapped(texts, readable, TIME)
    things, properties = (_listed(fields.get(name), len(texts)) for name in ("thing", "observed_property"))
    series = (series_of({"thing": thing, "observed_property": prop}) for thing, prop in zip(things, properties, strict=True))
    return pa.array([readable(text, whose) for text, whose in zip(texts.to_pylist(), series, strict=True)], TIME)


def _listed(field: Field, length: int) -> list[Any]:
    return field.to_pylist() if isinstance(field, pa.Array) else [field] * length


def _block(plan: Plan, number: int, columns: dict[int, pa.Array], fields: dict[str, Field], times: pa.Array, reader: TimeReader) -> Block:
    cell = plan.cells[number]
    texts = columns[cell.place]
    own: dict[str, Field] = {**fields, **cell.fields}
    if cell.quality is not None:
        own["quality"] = mapped(columns[cell.quality], lambda text: clean(text, plan.marks), pa.string())
    missing = pc.is_in(texts, value_set=pa.array(sorted(plan.marks), pa.string()))
    single = replace(plan, cells=[cell])

    def spell(index: int) -> Decoded:
        record = {place: column[index].as_py() for place, column in columns.items()}
        time = times[index].as_py()
        return next(observations(single, record, reader.read if time is None else lambda _text, _series: time))

    return Block(number + 1, len(plan.cells), own, times, _numbers(texts, missing, plan, cell), missing, spell)


def _numbers(texts: pa.Array, missing: pa.Array, plan: Plan, cell: Cell) -> pa.Array:
    """The results that are plainly numbers; null where the row path must look."""
    decimal, thousands = plan.notation
    refused = missing
    if thousands is not None:
        refused = pc.or_(refused, pc.match_substring(texts, thousands))
    if decimal == ",":
        refused = pc.or_(refused, pc.match_substring(texts, "."))
        texts = pc.replace_substring(texts, ",", ".")
    texts = pc.if_else(refused, pa.scalar(None, pa.string()), texts)
    try:
        numbers = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        plain = pc.match_substring_regex(texts, _FAST_NUMBER)
        numbers = pc.if_else(plain, texts, pa.scalar(None, pa.string())).cast(pa.float64())
    return numbers if cell.factor == 1.0 else pc.multiply(numbers, cell.factor)
