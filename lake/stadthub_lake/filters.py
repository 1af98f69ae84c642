"""The filter AST as SQL: only columns of ours become SQL, values are always parameters, each read by its column's type.

A comparison with a missing value is false (`is_null` and `ne` with null aside), and `Not` is the exact opposite.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

import pyarrow as pa

from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import And, Comparison, Filter, Not, Operator, Or, Value

#: What each operator with one value is in SQL.
OPERATORS: dict[Operator, str] = {
    Operator.EQ: "{column} = {value}",
    Operator.NE: "{column} <> {value}",
    Operator.LT: "{column} < {value}",
    Operator.LE: "{column} <= {value}",
    Operator.GT: "{column} > {value}",
    Operator.GE: "{column} >= {value}",
    Operator.CONTAINS: "contains({column}, {value})",
    Operator.STARTS_WITH: "starts_with({column}, {value})",
}
_NULL = {Operator.EQ: "{column} IS NULL", Operator.NE: "{column} IS NOT NULL"}
_TEXT_ONLY = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
_UNCOMPARABLE = frozenset({ColumnType.JSON, ColumnType.GEOMETRY})

#: The names under which a filter may speak of where a row is.
PLACE = frozenset({"geometry", "location", "bbox"})

#: A longer list is joined instead of spelled out.
LONGEST_LIST = 1000
MOST_PARTS = 500
DEEPEST = 60


@dataclass
class Parameters:
    """The values and tables that a piece of SQL names; each value gets its own name. `before` are statements that go ahead of it."""

    values: dict[str, object] = field(default_factory=dict)
    tables: dict[str, pa.Table] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)

    def add(self, value: object) -> str:
        """The placeholder for this value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def join(self, values: list[object]) -> str:
        """The subquery that answers these values."""
        name = f"list_{len(self.tables)}"
        self.tables[name] = pa.table({"value": pa.array(values)})
        return f"SELECT value FROM {name}"


@dataclass(frozen=True)
class Scope:
    """What a filter may name: the visible columns, how each stands in the SQL, and the condition for a box (None: no place)."""

    dataset: str
    columns: Mapping[str, Column]
    prefix: str = ""
    box: str | None = None

    def column(self, name: str) -> Column:
        """The column of that name; QueryError lists those that there are."""
        if name not in self.columns:
            raise QueryError(f"{self.dataset} has no column {name!r}: use one of {', '.join(self.columns)}")
        return self.columns[name]

    def sql(self, name: str) -> str:
        """The column as it stands in the SQL."""
        return self.prefix + quoted(self.column(name).name)


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def condition(where: Filter, scope: Scope, parameters: Parameters) -> str:
    """The SQL condition of a filter; its values go into `parameters`."""
    _measure(where)
    return _condition(where, scope, parameters)


def _condition(where: Filter, scope: Scope, parameters: Parameters) -> str:
    if isinstance(where, Comparison):
        return _comparison(where, scope, parameters)
    if isinstance(where, Not):
        return f"NOT coalesce({_condition(where.part, scope, parameters)}, false)"
    word, nothing = ("AND", "true") if isinstance(where, And) else ("OR", "false")
    parts = [_condition(part, scope, parameters) for part in where.parts]
    return "(" + f" {word} ".join(parts) + ")" if parts else nothing


def _comparison(wanted: Comparison, scope: Scope, parameters: Parameters) -> str:
    if wanted.operator is Operator.BBOX:
        return _box(wanted, scope, parameters)
    column = scope.column(wanted.column)
    sql = scope.sql(wanted.column)
    name = f"{column.name}__{wanted.operator}"
    if wanted.operator is Operator.IS_NULL:
        return f"{sql} IS NULL" if read_value(name, ColumnType.BOOLEAN, _only(name, wanted.values)) else f"{sql} IS NOT NULL"
    if column.type in _UNCOMPARABLE:
        raise QueryError(f"{name}: a column of type {column.type} can only be asked is_null")
    if wanted.operator in _TEXT_ONLY and column.type is not ColumnType.TEXT:
        raise QueryError(f"{name}: only text has parts, {column.name} is of type {column.type}")
    if wanted.operator is Operator.IN:
        return _among(sql, [read_value(name, column.type, value) for value in wanted.values], parameters)
    value = _only(name, wanted.values)
    if value is None:
        if wanted.operator not in _NULL:
            raise QueryError(f"{name}: null can't be compared, use {column.name}__is_null")
        return _NULL[wanted.operator].format(column=sql)
    return "(" + OPERATORS[wanted.operator].format(column=sql, value=parameters.add(read_value(name, column.type, value))) + ")"


def _among(sql: str, values: list[Any], parameters: Parameters) -> str:
    """One of several values. Parquet's row groups are skipped by bounds, which the engine doesn't draw from a list by itself."""
    if not values:
        return "false"
    values = list(dict.fromkeys(values))
    if len(values) == 1:
        return f"{sql} = {parameters.add(values[0])}"
    within = f"{sql} BETWEEN {parameters.add(min(values))} AND {parameters.add(max(values))}"
    if len(values) > LONGEST_LIST:
        return f"({within} AND {sql} IN ({parameters.join(values)}))"
    listed = ", ".join(parameters.add(value) for value in values)
    if isinstance(values[0], datetime):  # a list of times that the engine pushes into an Arrow table would need pytz
        return f"({within} AND list_contains([{listed}], {sql}))"
    return f"({within} AND {sql} IN ({listed}))"


def _box(wanted: Comparison, scope: Scope, parameters: Parameters) -> str:
    if scope.box is None or (wanted.column not in PLACE and wanted.column not in scope.columns):
        raise QueryError(f"{scope.dataset} has no place that a box could be compared with")
    if len(wanted.values) != 4:
        raise QueryError("bbox: four numbers are needed: west, south, east, north in degrees")
    west, south, east, north = (_number("bbox", value) for value in wanted.values)
    if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
        raise QueryError("bbox: west and east go from -180 to 180, south and north from -90 to 90, and south is not above north")
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    boxes = [
        scope.box.format(
            west=parameters.add(left),
            south=parameters.add(south),
            east=parameters.add(right),
            north=parameters.add(north),
            prefix=scope.prefix,
        )
        for left, right in spans
    ]
    return "(" + " OR ".join(boxes) + ")"


def has_box(where: Filter) -> bool:
    """Whether a filter asks for a box."""
    if isinstance(where, Comparison):
        return where.operator is Operator.BBOX
    return has_box(where.part) if isinstance(where, Not) else any(has_box(part) for part in where.parts)


def _measure(where: Filter, depth: int = 0) -> int:
    """How many parts a filter has; QueryError if it is too large or too deep to be meant."""
    if depth > DEEPEST:
        raise QueryError(f"the filter is nested deeper than {DEEPEST} levels")
    inner: tuple[Filter, ...] = ()
    if isinstance(where, Not):
        inner = (where.part,)
    elif isinstance(where, And | Or):
        inner = where.parts
    total = 1 + sum(_measure(part, depth + 1) for part in inner)
    if total > MOST_PARTS:
        raise QueryError(f"the filter has more than {MOST_PARTS} parts")
    return total


def _only(name: str, values: tuple[Value, ...]) -> Value:
    if len(values) != 1:
        raise QueryError(f"{name}: one value is needed, not {len(values)}")
    return values[0]


def read_value(name: str, kind: ColumnType, value: Value) -> object:
    """The value as the column's type has it; QueryError says what it is not."""
    if value is None:
        raise QueryError(f"{name}: null can't be one of the values, use is_null")
    return _READ.get(kind, _text)(name, value)


def _text(name: str, value: Value) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\0" in text:
        raise QueryError(f"{name}: text can't hold a NUL")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError(f"{name}: {value!r} is not valid Unicode") from error
    return text


def _number(name: str, value: Value) -> float:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else float("nan")
    except (ValueError, OverflowError):
        number = float("nan")
    if not isfinite(number):
        raise QueryError(f"{name}: {value!r} is not a number")
    return number


def _integer(name: str, value: Value) -> int | float:
    number = _number(name, value)
    if not number.is_integer():
        return number
    try:
        return int(str(value)) if isinstance(value, int | str) and abs(number) < 1e18 else int(number) if abs(number) < 1e18 else number
    except ValueError:
        return int(number)


def _decimal(name: str, value: Value) -> object:
    _number(name, value)
    try:
        exact = Decimal(str(value))
    except InvalidOperation as error:
        raise QueryError(f"{name}: {value!r} is not a number") from error
    return exact if len(exact.as_tuple().digits) <= 30 and abs(int(exact.as_tuple().exponent)) <= 30 else float(exact)


def _boolean(name: str, value: Value) -> bool:
    known = {"true": True, "false": False, "1": True, "0": False}
    if str(value).lower() not in known:
        raise QueryError(f"{name}: {value!r} is neither true nor false")
    return known[str(value).lower()]


def _date(name: str, value: Value) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise QueryError(f"{name}: {value!r} is not a date: write 2026-05-31") from error


def read_time(name: str, value: Value) -> datetime:
    """A moment in UTC; a time without zone is taken as UTC."""
    try:
        time = datetime.fromisoformat(str(value))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"{name}: {value!r} is not a time: write 2026-05-31T12:00:00Z") from error


_READ: dict[ColumnType, Callable[[str, Value], object]] = {
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.DECIMAL: _decimal,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.TIME: read_time,
}
