"""The order of rows and the place in it: a cursor holds the sort key of the last row that was given, never a count of rows.

So pages don't shift when rows are committed between two of them. Missing values come last.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from stadthub_lake.filters import Parameters
from stadthub_lake.relation import SQL_TYPES
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import RowsQuery, Sort

#: The order of a dataset's rows if none is asked for; it also decides between equal rows.
DEFAULT = {
    Kind.TIMESERIES: (Sort("phenomenon_time", descending=True), Sort("datastream")),
    Kind.FEATURES: (Sort("id"),),
    Kind.TABLE: (Sort("file_index"), Sort("file_row_number")),
}
POSITION = {"file_index": "UBIGINT", "file_row_number": "BIGINT"}
_UNSORTABLE = frozenset({ColumnType.JSON, ColumnType.GEOMETRY})


@dataclass(frozen=True)
class Key:
    """One key of a full order: the column, the type that its value is read as, and the direction."""

    column: str
    type: str
    descending: bool

    @property
    def direction(self) -> str:
        """The direction in SQL."""
        return ("DESC" if self.descending else "ASC") + " NULLS LAST"


@dataclass(frozen=True)
class Cursor:
    """Where a page ended: the text of each key, and the snapshot it was taken from."""

    values: tuple[str | None, ...]
    version: int
    time: datetime


def keys(kind: Kind, query: RowsQuery, columns: Mapping[str, Column]) -> tuple[Key, ...]:
    """The full order of a query: what it asks for, then what decides between equal rows."""
    found: list[Key] = []
    for sort in query.sort:
        if sort.column not in columns:
            raise QueryError(f"sort: {query.dataset} has no column {sort.column!r}: use one of {', '.join(columns)}")
        column = columns[sort.column]
        if column.type in _UNSORTABLE:
            raise QueryError(f"sort: {column.name} is of type {column.type} and has no order")
        if all(key.column != column.name for key in found):
            found.append(Key(column.name, SQL_TYPES[column.type], sort.descending))
    for sort in DEFAULT[kind]:
        if all(key.column != sort.column for key in found):
            kinds = {"phenomenon_time": "TIMESTAMPTZ", **POSITION}
            found.append(Key(sort.column, kinds.get(sort.column, "VARCHAR"), sort.descending))
    return tuple(found)


def after(order: Sequence[tuple[Key, str]], values: Sequence[str | None], parameters: Parameters) -> str:
    """The condition for rows that come after the one with these keys; each key with its SQL."""
    named = [
        None if value is None else f"CAST({parameters.add(value)} AS {key.type})" for (key, _), value in zip(order, values, strict=True)
    ]
    ways = []
    same: list[str] = []
    for (key, sql), value in zip(order, named, strict=True):
        if value is not None:
            ways.append(" AND ".join([*same, f"({sql} {'<' if key.descending else '>'} {value} OR {sql} IS NULL)"]))
        same.append(f"{sql} IS NULL" if value is None else f"{sql} = {value}")
    (first, sql), value = order[0], named[0]
    bound = "true" if value is None else f"({sql} {'<=' if first.descending else '>='} {value} OR {sql} IS NULL)"
    if first.column == "phenomenon_time":
        bound = bound.removesuffix(f" OR {sql} IS NULL)") + ")"
    return f"({bound} AND ({' OR '.join(f'({way})' for way in ways) or 'false'}))"


def write_cursor(query: RowsQuery, cursor: Cursor) -> str:
    """The cursor as text, which the lake seals before anybody gets it."""
    return orjson.dumps({"q": _fingerprint(query), "k": cursor.values, "v": cursor.version, "t": cursor.time.isoformat()}).decode()


def read_cursor(query: RowsQuery, text: str, length: int | None = None) -> Cursor:
    """The cursor out of its text. QueryError if it is broken or belongs to another question."""
    try:
        said = orjson.loads(text)
        values = tuple(None if value is None else str(value) for value in said["k"])
        cursor = Cursor(values, int(said["v"]), datetime.fromisoformat(said["t"]))
        fingerprint = said["q"]
    except (ValueError, TypeError, KeyError) as error:
        raise QueryError("cursor: it is broken, start again without it") from error
    if fingerprint != _fingerprint(query) or length not in (None, len(values)) or cursor.time.tzinfo is None:
        raise QueryError("cursor: it belongs to another question, start again without it")
    return cursor


def _fingerprint(query: RowsQuery) -> str:
    asked = repr((query.dataset, query.where, query.sort, query.as_of, sorted(query.hidden)))
    return hashlib.sha256(asked.encode("utf-8", "backslashreplace")).hexdigest()[:16]
