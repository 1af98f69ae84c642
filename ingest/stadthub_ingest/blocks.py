"""A sheet as blocks of Arrow columns, one for each value column: the bulk path of csv_table."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stadthub_ingest.cellcolumns import CellColumns, read_columns
from stadthub_ingest.coded import CODED, mapped
from stadthub_ingest.decoded import Block, Clock, Decoded, Field, Unreadable
from stadthub_ingest.delimited import Sheet
from stadthub_ingest.mapping import COORDINATES, Plan, number, observations, series_of
from stadthub_ingest.times import TimeReader

TIME, NAIVE = pa.timestamp("us", tz="UTC"), pa.timestamp("us")
_OFFSET = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)$")
_FIRST, _LAST = (pa.scalar(day, TIME) for day in (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)))
_FAST_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"


def blocks(sheet: Sheet, payload: bytes, plan: Plan, reader: TimeReader) -> list[Block] | None:
    """The observations of the sheet by value column; None where only the row path can tell."""
    targets = {(cell.fields.get("thing"), cell.fields.get("observed_property")) for cell in plan.cells}
    if plan.parameters or plan.constants.get("phenomenon_time") is Clock.RECEIVED or len(targets) < len(plan.cells):
        return None  # columns that fill one datastream must keep the order of the rows
    columns = read_columns(sheet, payload, _wished(sheet, plan, reader), plan.marks)
    if columns is None:
        return None
    fields: dict[str, Field] = dict(plan.constants)
    for name, place in plan.fields:
        read = _coordinate if name in COORDINATES else clean_text
        fields[name] = _filled(mapped(columns.arrays[place], partial(read, plan), pa.string()), fields.get(name))
    times = _times(plan, columns, fields, reader)
    return [_block(plan, which, columns, fields, times, reader) for which in range(len(plan.cells))]


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


def _wished(sheet: Sheet, plan: Plan, reader: TimeReader) -> dict[int, pa.DataType]:
    """Which columns are wanted, and of which type each is best read: a column with two parts to play stays text."""
    roles = [(place, CODED) for _, place in plan.fields]
    roles += [(cell.quality, CODED) for cell in plan.cells if cell.quality is not None]
    roles += [(place, _time_type(sheet, place, reader) if len(plan.times) == 1 else CODED) for place in plan.times]
    plain = plan.notation == (".", None)
    roles += [(cell.place, pa.float64() if plain else pa.string()) for cell in plan.cells]
    wished: dict[int, pa.DataType] = {}
    for place, kind in roles:
        wished[place] = kind if wished.get(place, kind) == kind else pa.string()
    return wished


def _time_type(sheet: Sheet, place: int, reader: TimeReader) -> pa.DataType:
    """Instants or local times, as the first record has them; text where they are not plainly ISO 8601."""
    if not _plainly_iso(reader):
        return CODED
    first = sheet.text[sheet.start : sheet.text.find("\n", sheet.start, sheet.end) + 1].split(sheet.layout.delimiter)
    if len(first) > place and _OFFSET.search(first[place].strip()):
        return TIME
    return CODED if reader.times.time_zone is None else NAIVE


def _times(plan: Plan, columns: CellColumns, fields: dict[str, Field], reader: TimeReader) -> pa.Array:
    """The time of each record; null where it is missing or can't be read."""
    if len(plan.times) == 1:
        quick = iso_times(columns.arrays[plan.times[0]], reader)
        if quick is not None:
            return _completed(quick, columns.text(plan.times[0]), fields, reader) if quick.null_count else quick
    parts = [mapped(columns.words(place), partial(clean_text, plan), pa.string()) for place in plan.times]
    texts = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*(part.cast(pa.string()) for part in parts), " ")
    different = pc.unique(texts).drop_null().to_pylist()
    if any(reader.depends_on_order(text) for text in different):
        return _completed(pa.nulls(len(texts), TIME), texts, fields, reader)
    return mapped(texts, lambda text: _readable(text, (), reader), TIME)


def _plainly_iso(reader: TimeReader) -> bool:
    return reader.times.formats[0] == "iso" and not reader.times.interval_end and not reader.times.strip


def iso_times(given: pa.Array, reader: TimeReader) -> pa.Array | None:
    """The times of a column that is ISO 8601 throughout, null in the doubled and the missing hour; None if it is not."""
    if not _plainly_iso(reader):
        return None
    if given.type != NAIVE:
        try:
            return _within_calendar(given.cast(TIME))
        except pa.ArrowInvalid:
            pass  # without offsets, or not ISO 8601
    try:
        naive = given.cast(NAIVE)
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


def _block(plan: Plan, which: int, columns: CellColumns, fields: dict[str, Field], times: pa.Array, reader: TimeReader) -> Block:
    cell = plan.cells[which]
    given = columns.arrays[cell.place]
    own: dict[str, Field] = {**fields, **cell.fields}
    if cell.quality is not None:
        own["quality"] = mapped(columns.arrays[cell.quality], partial(clean_text, plan), pa.string())
    typed = given.type == pa.float64()
    missing = given.is_null() if typed else pc.is_in(given.cast(pa.string()), value_set=pa.array(sorted(plan.marks), pa.string()))
    numbers = given if typed else _numbers(given.cast(pa.string()), missing, plan)
    numbers = numbers if cell.factor == 1.0 else pc.multiply(numbers, cell.factor)
    single = replace(plan, cells=[cell])

    def spell(index: int) -> Decoded:
        time = times[index].as_py()
        return observations(single, columns.record(index), reader.read if time is None else lambda _text, _series: time)[0]

    return Block(which + 1, len(plan.cells), own, times, numbers, missing, spell)


def _numbers(texts: pa.Array, missing: pa.Array, plan: Plan) -> pa.Array:
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
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        plain = pc.match_substring_regex(texts, _FAST_NUMBER)
        return pc.if_else(plain, texts, pa.scalar(None, pa.string())).cast(pa.float64())
