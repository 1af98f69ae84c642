"""Measures per time bucket and group."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from stadthub_lake.buckets import number_sql, read_bucket, read_zone, real_sql, starts, unit
from stadthub_lake.cover import file_times, widened
from stadthub_lake.engine import Engine
from stadthub_lake.filters import quoted
from stadthub_lake.relation import TIME, Bounds, Matching, matching, time_bounds, visible
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import AggregateQuery, Measure, Metric

MOST_ROWS = 1_000_000
_NUMERIC = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL})
_ORDERED = _NUMERIC | {ColumnType.TEXT, ColumnType.BOOLEAN, ColumnType.DATE, ColumnType.TIME}

#: What each metric is in SQL, and which types of column it takes.
METRICS: dict[Metric, tuple[str, frozenset[ColumnType]]] = {
    Metric.AVG: ("avg(CAST({column} AS DOUBLE))", _NUMERIC),
    Metric.SUM: ("CAST(sum({column}) AS DOUBLE)", _NUMERIC),
    Metric.MIN: ("min({column})", _ORDERED),
    Metric.MAX: ("max({column})", _ORDERED),
    Metric.COUNT: ("count({column})", frozenset(ColumnType)),
}
#: How the measures of each datastream become those of a group of datastreams.
PARTS: dict[Metric, tuple[tuple[str, ...], str]] = {
    Metric.AVG: (("sum({column})", "count({column})"), "CAST(sum({0}) / nullif(sum({1}), 0) AS DOUBLE)"),
    Metric.SUM: (("sum({column})",), "CAST(sum({0}) AS DOUBLE)"),
    Metric.MIN: (("min({column})",), "min({0})"),
    Metric.MAX: (("max({column})",), "max({0})"),
    Metric.COUNT: (("count({column})",), "CAST(sum({0}) AS BIGINT)"),
}
_EARLIEST, _LATEST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


def aggregate(engine: Engine, snapshot: Snapshot, query: AggregateQuery) -> pa.Table:
    """The measures, ordered by bucket and groups. QueryError says what is wrong with the question."""
    columns = visible(snapshot, query.hidden)
    _check(query, snapshot, columns)
    rows = matching(engine, snapshot, query.where, query.hidden, query.suppression)
    names = (["bucket"] if query.bucket else []) + list(query.group_by) + [measure.name for measure in query.measures]
    bucket, counted = _bucket_sql(engine, rows, query, columns)
    two_steps = snapshot.kind is Kind.TIMESERIES and any(not rows.is_narrow(name) for name in query.group_by)
    two_steps = two_steps and all(measure.column is None or rows.is_narrow(measure.column) for measure in query.measures)
    sql = _by_datastream(rows, query, bucket) if two_steps else _at_once(rows, query, bucket)
    number = len(names) - len(query.measures)
    order = f" ORDER BY {', '.join(f'{place + 1} NULLS LAST' for place in range(number))}" if number else ""
    table = engine.table(rows.question(f"{sql}{order} LIMIT {query.limit}")).rename_columns(names)
    if query.bucket is None:
        return table
    return table.set_column(0, "bucket", starts(table.column(0), read_bucket(query.bucket), read_zone(query.time_zone), counted))


def _check(query: AggregateQuery, snapshot: Snapshot, columns: dict[str, Column]) -> None:
    if not query.measures:
        raise QueryError("measures: at least one is needed, such as count")
    if not 1 <= query.limit <= MOST_ROWS:
        raise QueryError(f"limit: it lies between 1 and {MOST_ROWS}")
    for name in query.group_by:
        if _known(name, "group_by", snapshot, columns).type not in _ORDERED:
            raise QueryError(f"group_by: {name} is of type {columns[name].type} and can't be grouped by")
    for measure in query.measures:
        _check_measure(measure, snapshot, columns)
    names = [*query.group_by, *(measure.name for measure in query.measures), *(["bucket"] if query.bucket else [])]
    if len(set(names)) < len(names):
        raise QueryError("group_by, measures: a name stands twice")


def _check_measure(measure: Measure, snapshot: Snapshot, columns: dict[str, Column]) -> None:
    if measure.column is None:
        if measure.metric is not Metric.COUNT:
            raise QueryError(f"measures: {measure.metric} needs a column, such as {measure.metric}_result")
        return
    kind = _known(measure.column, "measures", snapshot, columns).type
    if kind not in METRICS[measure.metric][1]:
        raise QueryError(f"measures: there is no {measure.metric} of {measure.column}, it is of type {kind}")


def _known(name: str, place: str, snapshot: Snapshot, columns: dict[str, Column]) -> Column:
    if name not in columns:
        raise QueryError(f"{place}: {snapshot.dataset} has no column {name!r}: use one of {', '.join(columns)}")
    return columns[name]


def _bucket_sql(engine: Engine, rows: Matching, query: AggregateQuery, columns: dict[str, Column]) -> tuple[list[str], int]:
    """The select item of the bucket (none if no bucket is asked for), and the unit of its numbers."""
    if query.bucket is None:
        return [], 1
    bucket, zone = read_bucket(query.bucket), read_zone(query.time_zone)
    if _known(query.time_column, "time_column", rows.snapshot, columns).type is not ColumnType.TIME:
        raise QueryError(f"time_column: {query.time_column} is not of type {ColumnType.TIME}")
    if not rows.is_narrow(query.time_column):
        raise QueryError(f"time_column: {query.time_column} can't be cut into buckets")
    first, last = _range(engine, rows, query)
    column = f"o.{quoted(query.time_column)}"
    if not rows.narrow:
        column = f"CAST({column} AS TIMESTAMPTZ)"
    if bucket.real:
        return [real_sql(column, bucket, zone, first, last)], unit(bucket, zone, first, last)
    return [number_sql(column, bucket, zone, first, last)], 1


def _range(engine: Engine, rows: Matching, query: AggregateQuery) -> tuple[datetime, datetime]:
    """Between which moments the rows lie, at most."""
    bounds, times = time_bounds(query.where, query.time_column), None
    if bounds.first is None or bounds.last is None or query.time_column != TIME:
        times = _column_times(engine, rows, query.time_column)
    bounds = Bounds(bounds.first or (times[0] if times else _EARLIEST), bounds.last or (times[1] if times else _EARLIEST))
    day = timedelta(days=1)
    first = min(max(bounds.first or _EARLIEST, _EARLIEST + day), _LATEST)
    return first - day, max(first, min(bounds.last or first, _LATEST)) + day


def _column_times(engine: Engine, rows: Matching, column: str) -> tuple[datetime, datetime] | None:
    if column == TIME and rows.snapshot.kind is Kind.TIMESERIES:
        return widened(file_times(engine, rows.snapshot), rows.snapshot.tail)
    named = f"CAST(o.{quoted(column)} AS TIMESTAMPTZ)"
    found = engine.table(rows.question(f"SELECT min({named}), max({named}) FROM {rows.source()} WHERE {rows.where}"))
    first, last = found.column(0)[0].as_py(), found.column(1)[0].as_py()
    return None if first is None else (first, last)


def _at_once(rows: Matching, query: AggregateQuery, bucket: list[str]) -> str:
    used = [*query.group_by, *(measure.column for measure in query.measures if measure.column)]
    groups = [*bucket, *(rows.at(name) for name in query.group_by)]
    measures = [
        METRICS[measure.metric][0].format(column=rows.at(measure.column)) if measure.column else "count(*)" for measure in query.measures
    ]
    return f"SELECT {_named([*groups, *measures])} FROM {rows.joined(used)} WHERE {rows.where}" + _grouped(len(groups))


def _by_datastream(rows: Matching, query: AggregateQuery, bucket: list[str]) -> str:
    """First per datastream, then the words of its entities beside the few rows that are left: joining each row would cost more."""
    inner = [*bucket, "o.datastream"]
    depth = len(inner)
    outer = [f"o.c{number}" for number in range(len(bucket))]
    own = {"datastream": f"o.c{depth - 1}"}
    outer += [own.get(name) or rows.at(name) for name in query.group_by]
    narrow = [name for name in query.group_by if rows.is_narrow(name) and name != "datastream"]
    parts: list[str] = []
    measures: list[str] = []
    for measure in query.measures:
        pieces, whole = PARTS[measure.metric]
        column = rows.at(measure.column) if measure.column else "*"
        measures.append(whole.format(*(f"o.c{depth + len(parts) + number}" for number in range(len(pieces)))))
        parts += [piece.format(column=column) for piece in pieces]
    named = _named([*inner, *parts]) + "".join(f", o.{quoted(name)}" for name in narrow)
    groups = ", ".join([*(str(number + 1) for number in range(depth)), *(f"o.{quoted(name)}" for name in narrow)])
    step = f"(SELECT {named} FROM {rows.source()} WHERE {rows.where} GROUP BY {groups}) AS o"
    join = rows.entities().replace("o.datastream", f"o.c{depth - 1}")
    return f"SELECT {_named([*outer, *measures])} FROM {step} {join}" + _grouped(len(outer))


def _named(items: list[str]) -> str:
    return ", ".join(f"{item} AS c{number}" for number, item in enumerate(items))


def _grouped(number: int) -> str:
    return f" GROUP BY {', '.join(str(place + 1) for place in range(number))}" if number else ""
