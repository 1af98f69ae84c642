"""Rows: which columns, in which order, after which cursor. One page is one Arrow table or one JSON array."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from stadthub_lake.engine import Engine, Question
from stadthub_lake.filters import quoted
from stadthub_lake.order import POSITION, Cursor, Key, after, keys, read_cursor, write_cursor
from stadthub_lake.relation import TIME, Matching, matching, visible
from stadthub_lake.shapes import json_object, needs_spatial
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import Column, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import RowsQuery

#: What a key is called beside the columns of a page.
_KEY = "_key_"
_ROW = "_row"

MOST_ROWS = 1_000_000_000

#: A question for the newest rows looks into at least this many files first, then into four times as many.
FIRST_FILES = 2


@dataclass(frozen=True)
class Page:
    """Rows, and the cursor to the ones after them; None: these were the last."""

    table: pa.Table
    cursor: str | None


def wanted_columns(query: RowsQuery, snapshot: Snapshot) -> tuple[Column, ...]:
    """The columns that a query shows, in its order; QueryError for one that is not there."""
    columns = visible(snapshot, query.hidden)
    for name in query.columns:
        if name not in columns:
            raise QueryError(f"columns: {query.dataset} has no column {name!r}: use one of {', '.join(columns)}")
    return tuple(columns[name] for name in dict.fromkeys(query.columns)) if query.columns else tuple(columns.values())


def page(engine: Engine, snapshot: Snapshot, query: RowsQuery) -> Page:
    """One page as Arrow."""
    columns = wanted_columns(query, snapshot)
    if not snapshot.columns:
        return Page(pa.table({}), None)
    select = ", ".join(quoted(column.name) for column in columns)
    table, cursor = _ask(engine, snapshot, query, columns, select, spatial=False)
    return Page(table, cursor)


def page_json(engine: Engine, snapshot: Snapshot, query: RowsQuery) -> tuple[bytes, str | None]:
    """One page as a JSON array that the engine wrote."""
    columns = wanted_columns(query, snapshot)
    if not snapshot.columns:
        return b"[]", None
    select = f"{json_object(columns)} || ',' AS {_ROW}"
    table, cursor = _ask(engine, snapshot, query, columns, select, spatial=needs_spatial(columns))
    body = b"".join(text_bytes(chunk) for chunk in table.column(_ROW).chunks)
    return b"[" + body[:-1] + b"]", cursor


def text_bytes(texts: pa.Array) -> bytes:
    """All texts of an array, one after the other, without looking at each."""
    if not len(texts):
        return b""
    width = pa.int64() if pa.types.is_large_string(texts.type) else pa.int32()
    _, offsets, data = texts.buffers()
    starts = pa.Array.from_buffers(width, len(texts) + 1, [None, offsets], offset=texts.offset)
    return bytes(data[starts[0].as_py() : starts[-1].as_py()]) if data is not None else b""


def stream(engine: Engine, snapshot: Snapshot, query: RowsQuery, columns: Sequence[Column], select: str, *, spatial: bool) -> Question:
    """The question for all rows of a query at once; unsorted, as they lie, if neither an order nor a number is asked for."""
    rows, order = _prepare(engine, snapshot, query, spatial=spatial)
    asked = query.sort or query.cursor or query.limit is not None
    return _question(rows, order if asked else (), columns, select, query.limit)


def _prepare(engine: Engine, snapshot: Snapshot, query: RowsQuery, *, spatial: bool) -> tuple[Matching, tuple[Key, ...]]:
    if query.limit is not None and not 1 <= query.limit < MOST_ROWS:
        raise QueryError(f"limit: it lies between 1 and {MOST_ROWS}")
    order = keys(snapshot.kind, query, visible(snapshot, query.hidden))
    cursor = read_cursor(query, query.cursor, len(order)) if query.cursor else None
    if cursor and snapshot.kind is Kind.TABLE and cursor.version != snapshot.version:
        raise QueryError("cursor: the data were replaced meanwhile, start again without it")
    rows = matching(engine, snapshot, query.where, query.hidden, query.suppression)
    rows = replace(rows, spatial=rows.spatial or spatial)
    if cursor is not None:
        condition = after([(key, rows.at(key.column)) for key in order], cursor.values, rows.parameters)
        rows = replace(rows, where=f"({rows.where}) AND {condition}")
    return rows, order


def _ask(
    engine: Engine, snapshot: Snapshot, query: RowsQuery, columns: Sequence[Column], select: str, *, spatial: bool
) -> tuple[pa.Table, str | None]:
    rows, order = _prepare(engine, snapshot, query, spatial=spatial)
    table = _staged(engine, rows, order, columns, select, query.limit)
    shown = [name for name in table.column_names if not name.startswith(_KEY)]
    if query.limit is None or table.num_rows <= query.limit:
        return table.select(shown), None
    last = table.slice(query.limit - 1, 1)
    values = tuple(last.column(f"{_KEY}{number}")[0].as_py() for number in range(len(order)))
    return table.select(shown).slice(0, query.limit), write_cursor(query, Cursor(values, snapshot.version, snapshot.time))


def _staged(engine: Engine, rows: Matching, order: Sequence[Key], columns: Sequence[Column], select: str, limit: int | None) -> pa.Table:
    """The first rows in this order. In the order of time, only files that can hold them are read: the newest (or oldest) first, more if
    these have too few rows that are surely before all of the others."""
    snapshot = rows.snapshot
    count = FIRST_FILES if limit is None else max(FIRST_FILES, files_for(rows, limit))
    while limit is not None and order[0].column == TIME and None not in snapshot.ranges and 0 < count < len(snapshot.ranges):
        turned = sorted(
            zip(snapshot.ranges, snapshot.files, strict=True),
            key=lambda one: one[0][1] if order[0].descending else one[0][0],  # type: ignore[index]  # no range is None here
            reverse=order[0].descending,
        )
        span = turned[count][0]
        assert span is not None
        part = rows.reading(tuple(file for _, file in turned[:count]))
        edge = part.parameters.add(span[1] if order[0].descending else span[0])
        part = replace(part, where=f"({part.where}) AND o.{TIME} {'>' if order[0].descending else '<'} {edge}")
        table = engine.table(_question(part, order, columns, select, limit + 1))
        if table.num_rows > limit:
            return table
        count *= 4
    return engine.table(_question(rows, order, columns, select, None if limit is None else limit + 1))


def files_for(rows: Matching, limit: int) -> int:
    """In how many files so many rows may well be found, if each file has as many of them as the next."""
    snapshot, wanted = rows.snapshot, len(rows.datastreams)
    if not wanted or not snapshot.entities or not snapshot.rows:
        return 0
    found = snapshot.rows / len(snapshot.files) * wanted / snapshot.entities.num_rows if snapshot.files else 0
    return math.ceil((limit + 1) / found) + 1 if found else 0


def _question(rows: Matching, order: Sequence[Key], columns: Sequence[Column], select: str, most: int | None) -> Question:
    """Sort and cut the observations first, then put the words of their entities beside the few that are left."""
    names = [column.name for column in columns]
    sorted_by = [key.column for key in order]
    needed = list(dict.fromkeys([*names, *sorted_by]))
    early = [name for name in needed if rows.is_narrow(name) or name in POSITION]
    cut = "" if most is None else f"LIMIT {most}"
    by = f"ORDER BY {', '.join(f'{quoted(key.column)} {key.direction}' for key in order)}" if order else ""
    key_texts = "".join(f", CAST({quoted(key.column)} AS VARCHAR) AS {_KEY}{number}" for number, key in enumerate(order))
    if all(rows.is_narrow(name) for name in sorted_by):
        reads = dict.fromkeys([*early, "datastream"] if rows.narrow else early)
        cut_rows = f"(SELECT {', '.join(map(quoted, reads))} FROM {rows.source()} WHERE {rows.where} {by} {cut}) AS o"
        joined = cut_rows + (" " + rows.entities() if len(early) < len(needed) else "")
        found = joined if order else rows.as_they_lie(cut_rows, needed)
        cut = ""
    else:
        found = f"{rows.joined(needed)} WHERE {rows.where}"
    listed = ", ".join(f"{rows.at(name)} AS {quoted(name)}" for name in needed)
    return rows.question(f"SELECT {select}{key_texts} FROM (SELECT {listed} FROM {found}) {by} {cut}")
