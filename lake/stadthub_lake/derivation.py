"""SQL models: what the SQL of a derived dataset reads, and its answer as rows that the store takes. Exact values, no veil: what comes
of it is veiled by its own privacy block."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake.layout import microseconds
from stadthub_lake.sandbox import Bounds, Sandbox, Words
from stadthub_lake.snapshot import Reader, Snapshot
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.rows import EXCERPT, FEATURES_IN, OBSERVATIONS_IN, REJECTS

#: No derived dataset is larger; the answer waits in memory.
BOUNDS = Bounds(rows=5_000_000, size=1_000_000_000, ahead=0)

#: What every timeseries says of its times beside `phenomenon_time`, so that no model needs the functions in which engines differ.
LOCAL = "timezone('{zone}', o.phenomenon_time)"
CALENDAR = (
    "epoch_us(o.phenomenon_time) // 1000000 AS epoch",
    f"CAST({LOCAL} AS DATE) AS local_date",
    f"hour({LOCAL}) AS local_hour",
    f"isodow({LOCAL}) AS local_weekday",
)

#: Beyond all times of observations.
EVER, NEVER = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)

#: What each kind needs in every row.
NEEDED = {Kind.TIMESERIES: ("thing", "observed_property", "phenomenon_time"), Kind.FEATURES: ("id",), Kind.TABLE: ()}


@dataclass(frozen=True, slots=True)
class Derivative:
    """The answer of a model, sorted out: rows as the store takes them, and those that it can't."""

    rows: pa.Table
    rejects: pa.Table
    received: int


class Workshop:
    """Runs models, each in a process of its own that is gone afterwards."""

    def __init__(self, reader: Reader, time_zone: str, seconds: float, memory_mb: int) -> None:
        self._reader = reader
        self._zone = ZoneInfo(time_zone)
        self._sandbox = Sandbox(seconds, memory_mb, BOUNDS)

    def close(self) -> None:
        """End what waits."""
        self._sandbox.close()

    def derive(self, sql: str, snapshots: Sequence[Snapshot], dataset: Dataset, since: datetime | None) -> Derivative:
        """What the model makes of these snapshots, of a timeseries only what lies at or after `since`. QueryError."""
        where = "true" if since is None else f"o.phenomenon_time >= make_timestamptz({microseconds(since)})"
        words = Words(tuple(item.format(zone=self._zone.key) for item in CALENDAR), where)
        answer = self._sandbox.ask(sql, snapshots, {}, {}, words)
        if answer.schema.metadata[b"truncated"] == b"true":
            raise QueryError(f"sql: its answer is larger than {BOUNDS.rows} rows or {BOUNDS.size // 1_000_000} MB: {COARSER}")
        return sort_out(answer, dataset)

    def changed(self, new: Snapshot, old: Snapshot) -> datetime:
        """From when on a timeseries may differ between two snapshots; EVER: anywhere, NEVER: nowhere."""
        known = set(old.files)
        spans = [span for file, span in zip(new.files, new.ranges, strict=True) if file not in known]
        if None in spans:
            return EVER
        # what was fresh may have been corrected on its way into a file
        tails = [one.tail for one in (new, old) if one.tail is not None and one.tail.num_rows]
        fresh = [pc.min(tail["phenomenon_time"]).as_py() for tail in tails]
        return min([*fresh, *(span[0] for span in spans if span is not None)], default=NEVER)

    def beginning(self, time: datetime, bucket: timedelta) -> datetime:
        """The beginning of the bucket on the city's clocks; a day's bucket may have 23 or 25 hours."""
        if time in (EVER, NEVER):
            return time
        local = time.astimezone(self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if bucket >= DAY:
            return (midnight - DAY * (midnight.toordinal() % (bucket // DAY))).astimezone(UTC)
        first = midnight.astimezone(UTC)
        return first + (time - first) // bucket * bucket


COARSER = "group more coarsely, or filter"


def named_in(sql: str) -> frozenset[str]:
    """The tables that a model names, if it may be run at all. QueryError."""
    return Sandbox(30.0, 1000, BOUNDS).names(sql)


def sort_out(answer: pa.Table, dataset: Dataset) -> Derivative:
    """The answer in the shape of the dataset's kind. QueryError names the column that does not fit."""
    names = answer.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise QueryError(f"sql: the column {twice} stands twice in its answer: give each its own name with AS")
    missing = [name for name in (*NEEDED[dataset.kind], *dataset.key) if name not in names]
    if missing:
        raise QueryError(f"sql: its answer lacks {', '.join(missing)}: a {dataset.kind} needs it")
    answer = pa.table({name: _plain(name, answer[name]) for name in names})
    needed = tuple(dict.fromkeys((*NEEDED[dataset.kind], *dataset.key)))
    reasons = _reasons(answer, needed, dataset)
    wrong = pa.array([reason is not None for reason in reasons], pa.bool_())
    rejects = _rejects(answer.filter(wrong), [reason for reason in reasons if reason is not None])
    return Derivative(SHAPES[dataset.kind](answer.filter(pc.invert(wrong))), rejects, answer.num_rows)


def _plain(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column with a type that every kind stores: sums of whole numbers come as decimals without places."""
    kind = column.type
    if pa.types.is_decimal(kind) and kind.scale == 0:
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise QueryError(f"sql: {name} holds a number too large to be stored: cast it to DOUBLE") from error
    if pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind):
        raise QueryError(f"sql: {name} is of type {kind}, which no dataset stores: make it text or a number, for example with to_json")
    if isinstance(kind, pa.ExtensionType):
        return pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
    return column


def _reasons(answer: pa.Table, needed: Collection[str], dataset: Dataset) -> list[str | None]:
    """For each row why it can't be stored, or None."""
    reasons: list[str | None] = [None] * answer.num_rows
    for name in needed:
        for row in pc.indices_nonzero(pc.is_null(answer[name])).to_pylist():
            reasons[row] = reasons[row] or f"{name}: missing, every row needs it"
    key = dataset.key or (("id",) if dataset.kind is Kind.FEATURES else ())
    seen: set[tuple[Any, ...]] = set()
    for row, values in enumerate(zip(*(answer[name].to_pylist() for name in key), strict=True) if key else ()):
        if reasons[row] is None and values in seen:
            reasons[row] = f"{', '.join(key)}: an earlier row has the same"
        seen.add(values)
    return reasons


def _rejects(rows: pa.Table, reasons: Sequence[str]) -> pa.Table:
    """The refused rows as they are kept; of what they hold only the reason, for they may hold exact counts of people."""
    now = datetime.now(UTC)
    found = [
        {"position": 0, "row": number, "received_time": now, "reason": reason[:EXCERPT], "excerpt": ""}
        for number, reason in enumerate(reasons, 1)
    ]
    assert rows.num_rows == len(found)
    return pa.Table.from_pylist(found, schema=REJECTS)


def _observations(answer: pa.Table) -> pa.Table:
    """Observations. Their received_time is their phenomenon_time: a later computation takes the place of an earlier one."""
    unknown = sorted(set(answer.column_names) - (set(OBSERVATIONS_IN.names) - {"received_time"}))
    if unknown:
        raise QueryError(f"sql: a timeseries has no column {unknown[0]}: use {', '.join(OBSERVATIONS_IN.names[:-1])}")
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for field in OBSERVATIONS_IN:
        name = "phenomenon_time" if field.name == "received_time" else field.name
        column = answer[name] if name in answer.column_names else pa.nulls(answer.num_rows, field.type)
        if pa.types.is_timestamp(field.type) and not (pa.types.is_timestamp(column.type) and column.type.tz):
            raise QueryError(f"sql: {name} is of type {column.type}: a time with time zone is needed, as phenomenon_time of a dataset is")
        try:
            columns[field.name] = column.cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise QueryError(f"sql: {name} is of type {column.type}, but {field.type} is needed") from error
    return pa.table(columns, schema=OBSERVATIONS_IN)


def _features(answer: pa.Table) -> pa.Table:
    """Features: id, geometry (well-known binary), and every other column as an attribute."""
    geometry = answer["geometry"] if "geometry" in answer.column_names else pa.nulls(answer.num_rows, pa.binary())
    if not (pa.types.is_binary(geometry.type) or pa.types.is_null(geometry.type) or pa.types.is_large_binary(geometry.type)):
        raise QueryError(f"sql: geometry is of type {geometry.type}: write ST_AsWKB(…) AS geometry")
    words: Mapping[str, list[Any]] = {name: answer[name].to_pylist() for name in answer.column_names if name not in ("id", "geometry")}
    properties = [
        orjson.dumps({name: values[row] for name, values in words.items()}, default=str).decode() for row in range(answer.num_rows)
    ]
    return pa.table([answer["id"].cast(pa.string()), geometry.cast(pa.binary()), pa.array(properties, pa.string())], schema=FEATURES_IN)


def _table(answer: pa.Table) -> pa.Table:
    return answer


SHAPES = {Kind.TIMESERIES: _observations, Kind.FEATURES: _features, Kind.TABLE: _table}
