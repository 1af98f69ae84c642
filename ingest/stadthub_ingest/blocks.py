"""A sheet as blocks of Arrow columns, one for each value column: the bulk path of csv_table."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from stadthub_ingest.decoded import Block, Clock, Decoded, Field, Unreadable
from stadthub_ingest.delimited import Sheet
from stadthub_ingest.mapping import COORDINATES, Cell, Plan, number, observations, series_of
from stadthub_ingest.times import TimeReader

TIME = pa.timestamp("us", tz="UTC")
_FIRST, _LAST = (pa.scalar(day, TIME) for day in (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)))
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
        read = _coordinate if name in COORDINATES else clean_text
        fields[name] = _filled(mapped(columns[place], partial(read, plan), pa.string()), fields.get(name))
    times = _times(plan, columns, fields, reader)
    return [_block(plan, which, columns, fields, times, reader) for which in range(len(plan.cells))]


def mapped(array: pa.Array, function: Callable[[str], Any], to: pa.DataType) -> pa.Array:
    """The function of each text, asked once for each different one; null stays null."""
    encoded = array.dictionary_encode()
    return pa.array([None if text is None else function(text) for text in encoded.dictionary.to_pylist()], to).take(encoded.indices)


def clean_text(plan: Plan, text: str) -> str | None:
    """The text without blanks around it; None for a missing mark."""
    return None if text.strip() in plan.marks else text.strip()


def _coordinate(plan: Plan, text: str) -> str | None:
    """The coordinate with a decimal point; unchanged if it is no number."""
    cleaned = clean_text(plan, text)
    found = None if cleaned is None else number(cleaned, plan.notation, 1.0)
    return f"!{text}" if isinstance(found, Unreadable) else None if found is None else str(found)


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
    if len(plan.times) == 1:
        raw = columns[plan.times[0]]
        quick = _iso_times(raw, reader)
        if quick is not None:
            return _completed(quick, raw, fields, reader)
    parts = [mapped(columns[place], partial(clean_text, plan), pa.string()) for place in plan.times]
    texts = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")
    different = pc.unique(texts).drop_null().to_pylist()
    if any(reader.depends_on_order(text) for text in different):
        return _completed(pa.nulls(len(texts), TIME), texts, fields, reader)
    return mapped(texts, lambda text: _readable(text, (), reader), TIME)


def _iso_times(texts: pa.Array, reader: TimeReader) -> pa.Array | None:
    """The times of a column that is ISO 8601 throughout, null in the doubled and the missing hour; None if it is not."""
    if reader.times.formats[0] != "iso" or reader.times.interval_end or reader.times.strip:
        return None
    try:
        return _within_calendar(texts.cast(TIME))
    except pa.ArrowInvalid:
        pass  # without offsets, or not ISO 8601
    try:
        naive = texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    zone = reader.times.time_zone
    return None if zone is None else _in_zone(naive, zone)


def _within_calendar(times: pa.Array) -> pa.Array:
    """The times, null where they lie before or after all years that a calendar has (by their offset)."""
    right = pc.and_(pc.greater_equal(times, _FIRST), pc.less_equal(times, _LAST))
    return times if pc.all(right, min_count=0).as_py() else pc.if_else(right, times, pa.scalar(None, TIME))


def _in_zone(naive: pa.Array, zone: str) -> pa.Array | None:
    """Local times in UTC, null in the doubled and the missing hour; None on a machine without a time zone database."""
    try:
        return pc.assume_timezone(naive, zone).cast(TIME)
    except pa.ArrowInvalid:
        pass  # one of the two hours is among them
    try:
        first = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="earliest")
        second = pc.assume_timezone(naive, zone, ambiguous="latest", nonexistent="latest")
    except pa.ArrowInvalid:
        return None
    return pc.if_else(pc.equal(first, second), first, pa.scalar(None, first.type)).cast(TIME)


def _completed(times: pa.Array, texts: pa.Array, fields: dict[str, Field], reader: TimeReader) -> pa.Array:
    """The times with those that were left open read one after the other, as the row path does."""
    left = pc.indices_nonzero(pc.and_(times.is_null(), texts.is_valid()))
    if not len(left):
        return times
    things, properties = (_listed(fields.get(name), left) for name in ("thing", "observed_property"))
    found = [
        _readable(text, series_of({"thing": thing, "observed_property": prop}), reader)
        for text, thing, prop in zip(texts.take(left).to_pylist(), things, properties, strict=True)
    ]
    return pc.replace_with_mask(times, times.is_null(), pa.array(found, TIME)) if len(left) == times.null_count else _at(times, left, found)


def _at(times: pa.Array, places: pa.Array, found: list[datetime | None]) -> pa.Array:
    listed = times.to_pylist()
    for place, time in zip(places.to_pylist(), found, strict=True):
        listed[place] = time
    return pa.array(listed, TIME)


def _readable(text: str, series: Any, reader: TimeReader) -> datetime | None:
    found = reader.read(text, series)
    return found if isinstance(found, datetime) else None


def _listed(field: Field, places: pa.Array) -> list[Any]:
    return field.take(places).to_pylist() if isinstance(field, pa.Array) else [field] * len(places)


def _block(plan: Plan, which: int, columns: dict[int, pa.Array], fields: dict[str, Field], times: pa.Array, reader: TimeReader) -> Block:
    cell = plan.cells[which]
    texts = columns[cell.place]
    own: dict[str, Field] = {**fields, **cell.fields}
    if cell.quality is not None:
        own["quality"] = mapped(columns[cell.quality], partial(clean_text, plan), pa.string())
    missing = pc.is_in(texts, value_set=pa.array(sorted(plan.marks), pa.string()))
    single = replace(plan, cells=[cell])

    def spell(index: int) -> Decoded:
        record = {place: column[index].as_py() for place, column in columns.items()}
        time = times[index].as_py()
        return observations(single, record, reader.read if time is None else lambda _text, _series: time)[0]

    return Block(which + 1, len(plan.cells), own, times, _numbers(texts, missing, plan, cell), missing, spell)


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
