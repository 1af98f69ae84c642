"""Judging rows of a table: typed columns, declared in the feed's metadata or found in the data, and an optional key."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import orjson
import pyarrow as pa

from stadthub_ingest.decoded import Row, Unreadable
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.rules import RowError
from stadthub_ingest.times import ISO, TimeReader
from stadthub_schemas.dataset import ColumnType

ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.DECIMAL: pa.decimal128(38, 10),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
    ColumnType.JSON: pa.string(),
    ColumnType.GEOMETRY: pa.string(),
}


#: Python rounds to 28 digits unless told otherwise.
_DIGITS = Context(prec=38)


#: The keys that were seen already.
Seen = set[tuple[Any, ...]]


def judge_rows(rows: Sequence[Any], declared: Mapping[str, ColumnType], key: Sequence[str], seen: Seen) -> list[Row | RowError]:
    """What becomes of each row of one payload, or of one of its pages. A key that comes again is refused."""
    return [_row(row, declared, key, seen) for row in rows]


def _row(row: Any, declared: Mapping[str, ColumnType], key: Sequence[str], seen: Seen) -> Row | RowError:
    if not isinstance(row, dict):
        return RowError(row.reason if isinstance(row, Unreadable) else f"{type(row).__name__}: it is not a row")
    if not row:
        return RowError("it is empty")
    try:
        found = {str(name): _cell(str(name), value, declared.get(str(name))) for name, value in row.items()}
        identity = tuple(found.get(name) for name in key)
        if None in identity:
            raise RowError(f"{key[identity.index(None)]}: missing, and it is part of the key")
        if key and identity in seen:
            raise RowError(f"{', '.join(key)}: {', '.join(map(str, identity))[:100]!r} stands twice in this payload")
        seen.add(identity)
    except RowError as refused:
        return refused
    return found


def in_type(name: str, value: Any, declared: ColumnType | None) -> Any:
    """The value in the declared type, if there is one; RowError if it is of another."""
    if value is None or declared is None or isinstance(value, Unreadable):
        return value
    try:
        return READERS[declared](value)
    except (ValueError, TypeError, OverflowError, InvalidOperation) as error:
        raise RowError(f"{name}: {str(value)[:100]!r} is not of type {declared}") from error


def _cell(name: str, value: Any, declared: ColumnType | None) -> Any:
    if value is None:
        return None
    if isinstance(value, Unreadable):
        raise RowError(f"{name}: {value.reason}")
    if declared is not None:
        return in_type(name, value, declared)
    if isinstance(value, float) and not math.isfinite(value):
        raise RowError(f"{name}: {value} is not a finite number")
    if isinstance(value, Decimal):
        return _amount(name, value)
    if isinstance(value, dict | list):
        try:
            return _json(value)
        except TypeError as error:
            raise RowError(f"{name}: {error}") from error
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 10**300 else str(value)
    return value


def as_table(rows: Sequence[Row], declared: Mapping[str, ColumnType]) -> pa.Table:
    """Accepted rows as columns, in the order in which they first appear. A column of mixed types is text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: _column([row.get(name) for row in rows], declared.get(name)) for name in names})


def _column(values: list[Any], declared: ColumnType | None) -> pa.Array:
    if declared is not None:
        return pa.array(values, ARROW[declared])
    types = {type(value) for value in values if value is not None}
    if types == {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    for kind, arrow in (
        (bool, pa.bool_()),
        (int, pa.int64()),
        (float, pa.float64()),
        (date, pa.date32()),
        (datetime, ARROW[ColumnType.TIME]),
        (Decimal, ARROW[ColumnType.DECIMAL]),
    ):
        if types == {kind}:
            return pa.array(values, arrow)
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return _json(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _integer(value: Any) -> int:
    number = plain_number(value)
    if number is None or not number.is_integer():
        raise ValueError(value)
    whole = int(value) if isinstance(value, int | str) and not isinstance(value, bool) and "." not in str(value) else int(number)
    if not -(2**63) <= whole < 2**63:
        raise OverflowError(whole)
    return whole


def _number(value: Any) -> float:
    number = plain_number(value)
    if number is None or not math.isfinite(number):
        raise ValueError(value)
    return number


def _decimal(value: Any) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite() or abs(number) >= Decimal(10) ** 28:
        raise ValueError(value)
    return number.quantize(Decimal("1e-10"), context=_DIGITS)


def _amount(name: str, value: Decimal) -> Decimal:
    """The amount, if it is stored with all its digits."""
    try:
        found = _decimal(value)
    except (ValueError, InvalidOperation) as error:
        raise RowError(f"{name}: {str(value)[:100]} is not an amount of at most 28 digits before the point") from error
    if found != value:
        raise RowError(f"{name}: {str(value)[:100]} has more than 10 digits behind the point")
    return found


def _boolean(value: Any) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False, "ja": True, "nein": False, "yes": True, "no": False}
    found = words.get(str(value).strip().lower())
    if found is None:
        raise ValueError(value)
    return found


def _time(value: Any) -> datetime:
    found = TimeReader(ISO).read(value)
    if isinstance(found, Unreadable):
        raise ValueError(found.reason)
    return found


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    return value if isinstance(value, date) else date.fromisoformat(value)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


READERS: Mapping[ColumnType, Callable[[Any], Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.DECIMAL: _decimal,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.TIME: _time,
    ColumnType.JSON: _json,
    ColumnType.GEOMETRY: _text,
}
