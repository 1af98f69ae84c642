"""The shape of table decoders: a header and records, whatever file they came out of, become observations, features or rows."""

import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, Self

from pydantic import Field, field_validator, model_validator

from stadthub_ingest.attributes import exact, feature, moment, typed
from stadthub_ingest.decoded import Decoded, Unreadable
from stadthub_ingest.expressions import expression, find, groups
from stadthub_ingest.keys import column_keys
from stadthub_ingest.mapping import (
    Cell,
    Mapped,
    Plan,
    Value,
    clean,
    constants_of,
    fields_of,
    fill,
    names_in,
    needs,
    number,
    observations,
)
from stadthub_ingest.times import TimeReader
from stadthub_schemas.dataset import ColumnType, Kind

#: As the place of an id: the number of the record, for tables that have no key. json_table knows the same word.
NUMBER = "@key"
#: Types whose cells are written in the notation of the options.
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL)
#: A slot in a name, as `re.escape` writes it.
_SLOT = re.compile(r"\\\{\w+\\\}")


class Sheet(Protocol):
    """A table: the names of its columns, where one of them stands, and its records."""

    @property
    def header(self) -> tuple[str, ...]: ...

    def column(self, name: str) -> int: ...

    def records(self) -> Iterator[list[str] | Unreadable]: ...


class Channel(Value):
    """Value columns that are not known beforehand: every column that nothing else names and whose header matches."""

    pattern: str = Field(description="a regular expression; its groups fill {slots}, or the field of the same name")

    @field_validator("pattern")
    @classmethod
    def _is_an_expression(cls, value: str) -> str:
        return expression(value)


class Tabled(Mapped):
    """The options that tables with a header share."""

    channels: tuple[Channel, ...] = ()
    renames: dict[str, str] = Field(default_factory=dict, description="set from the feed's own renames")
    known: frozenset[str] | None = Field(default=None, description="set from the feed's contract: no other column is read")

    def reads(self, header: str) -> bool:
        """Whether a column of this name is read at all."""
        return self.known is None or header in self.known

    def is_channel(self, header: str) -> bool:
        """Whether the column is one of those that come and go: a channel's, or that of its quality."""
        flags = (_SLOT.sub(".+", re.escape(channel.quality)) for channel in self.channels if channel.quality)
        return any(find(channel.pattern, header) for channel in self.channels) or any(re.fullmatch(flag, header) for flag in flags)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind is Kind.TIMESERIES:
            names = set(groups(self.file_name)) if self.file_name else set()
            for channel in self.channels:
                names |= {"result", "thing", *(("observed_property",) if channel.observed_property else ())}
                names |= groups(channel.pattern)
            needs(self, names)
        return self


def rows_of(sheet: Sheet, options: Tabled, name: str) -> Iterator[Decoded]:
    """The rows of the table, in the order of its records and, within one, of its value columns."""
    if options.kind is not Kind.TIMESERIES:
        yield from _attributes(sheet, options)
        return
    plan = plan_of(sheet, options, names_in(options.file_name, name))
    reader = TimeReader(options.times)
    for record in sheet.records():
        if isinstance(record, Unreadable):
            yield record
        else:
            yield from observations(plan, record, reader.read)


def plan_of(sheet: Sheet, options: Tabled, groups: Mapping[str, str]) -> Plan:
    """Which column is what in this file."""
    columns = options.columns
    times = (columns.phenomenon_time,) if isinstance(columns.phenomenon_time, str) else columns.phenomenon_time or ()
    named = {field: place for field, place in columns if isinstance(place, str) and field not in ("phenomenon_time", "result")}
    return Plan(
        fetch=operator.getitem,
        constants=constants_of(options, groups),
        fields=[(field, sheet.column(header)) for field, header in named.items()],
        times=[sheet.column(header) for header in times],
        cells=_cells(sheet, options, groups, {*named.values(), *times, *options.parameters.values()}),
        parameters=[(parameter, sheet.column(header)) for parameter, header in options.parameters.items()],
        marks=frozenset(options.missing),
        notation=(options.decimal, options.thousands),
    )


def _cells(sheet: Sheet, options: Tabled, groups: Mapping[str, str], named: set[str]) -> list[Cell]:
    """The value columns: those of `values`, then those that a channel matches, and the one of `columns.result`."""
    cells = [_cell(sheet, value, sheet.column(header), {**groups, "header": header.strip()}) for header, value in options.values.items()]
    taken = {header.strip() for header in named | set(options.values)}
    has_thing = options.columns.thing is not None or options.constants.thing is not None
    for index, header in enumerate(sheet.header):
        if header in taken or sheet.header.index(header) != index or not options.reads(header):
            continue
        for channel in options.channels:
            match = find(channel.pattern, header)
            if match is not None:
                names = {**groups, "header": header, **{key: text for key, text in match.groupdict().items() if text is not None}}
                cells.append(_cell(sheet, channel, index, names if has_thing else {"thing": header, **names}))
                break
    if options.columns.result is not None:
        cells.append(Cell(sheet.column(options.columns.result), {}))
    return cells


def _cell(sheet: Sheet, value: Value, index: int, names: Mapping[str, str]) -> Cell:
    quality = None if value.quality is None else sheet.column(fill(value.quality, names))
    return Cell(index, fields_of(value, names), quality, value.factor)


def _attributes(sheet: Sheet, options: Tabled) -> Iterator[Decoded]:
    """Features or rows of a table: the whole column decides which type its cells have."""
    records = list(sheet.records())
    marks, notation, columns = frozenset(options.missing), (options.decimal, options.thousands), options.columns
    headers = {key: header for key, header in zip(column_keys(sheet.header), sheet.header, strict=True) if options.reads(header)}
    wanted = options.properties if options.properties is not None else _without_places(headers, options)
    reader = TimeReader(options.times)
    values: dict[str, Iterator[Any]] = {}
    for key, header in wanted.items():
        index = sheet.column(header)
        cells = [clean(record[index], marks) for record in records if not isinstance(record, Unreadable)]
        if key in options.time_columns:
            read = _day if options.column_types.get(key) is ColumnType.DATE else moment
            values[key] = iter([None if cell is None else read(cell, key, reader) for cell in cells])
        elif key in options.decimal_columns:
            values[key] = iter([exact(cell, notation) for cell in cells])
        elif key in options.column_types:
            values[key] = iter([number(cell, notation, 1.0) for cell in cells] if options.column_types[key] in NUMBERS else cells)
        else:
            values[key] = iter(typed(cells, notation))
    places = {field: sheet.column(place) for field, place in columns if isinstance(place, str) and place != NUMBER}
    for place, record in enumerate(records, 1):
        if isinstance(record, Unreadable):
            yield record
            continue
        row = {key: next(cells) for key, cells in values.items()}
        if options.kind is Kind.FEATURES:
            given = {field: clean(record[place], marks) for field, place in places.items()}
            if columns.id == NUMBER:
                given["id"] = place
            row = feature(given, row, notation, options.system)
        yield row


def _day(cell: Any, _key: str, reader: TimeReader) -> Any:
    """The day in a cell: it is no moment, so it has no time zone."""
    return reader.read_day(cell)


def _without_places(headers: Mapping[str, str], options: Tabled) -> dict[str, str]:
    """All columns under names of our own; of features without those that became id and geometry."""
    if options.kind is Kind.TABLE:
        return dict(headers)
    placed = {place.strip() for _, place in options.columns if isinstance(place, str)}
    return {key: header for key, header in headers.items() if header not in placed}
