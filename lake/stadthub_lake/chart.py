"""A time series for a chart: so few buckets that it can be drawn, with what was lost between them (min, avg, max)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from stadthub_lake.cover import file_times, widened
from stadthub_lake.engine import Engine
from stadthub_lake.relation import TIME, matching, visible
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import And, Comparison, Operator, Suppression

#: From when (included) to when (excluded); None: as far as there are data.
Span = tuple[datetime | None, datetime | None]

MOST_POINTS = 20_000

#: Widths of a bucket in seconds that a reader can make sense of.
WIDTHS = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
    1_209_600,
    2_592_000,
)

SERIES = """
SELECT o.datastream AS datastream, make_timestamptz(epoch_us(o.phenomenon_time) // {width} * {width}) AS bucket,
  min(o.result) AS min, avg(o.result) AS avg, max(o.result) AS max, count(o.result) AS count
FROM {source} WHERE {where} AND o.result IS NOT NULL AND isfinite(o.result) GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Veil:
    """What the reader of a chart must not see."""

    hidden: frozenset[str] = frozenset()
    suppression: Suppression | None = None


def thinned(engine: Engine, snapshot: Snapshot, datastreams: Sequence[str], span: Span, points: int, veil: Veil) -> pa.Table:
    """Per datastream and bucket: min, avg, max and count of the results. QueryError if the dataset has no such series."""
    if snapshot.kind is not Kind.TIMESERIES:
        raise QueryError(f"{snapshot.dataset} is not a timeseries and can't be drawn as one")
    if not {"datastream", TIME, "result"} <= visible(snapshot, veil.hidden).keys():
        raise QueryError(f"{snapshot.dataset} has no results that could be drawn")
    if not 2 <= points <= MOST_POINTS:
        raise QueryError(f"points: their number lies between 2 and {MOST_POINTS}")
    parts = [Comparison("datastream", Operator.IN, tuple(datastreams))]
    for operator, moment in zip((Operator.GE, Operator.LT), span, strict=True):
        if moment is not None:
            parts.append(Comparison(TIME, operator, (moment.isoformat(),)))
    rows = matching(engine, snapshot, And(tuple(parts)), frozenset(), veil.suppression)
    known = widened(file_times(engine, rows.snapshot), snapshot.tail) or (datetime(1970, 1, 1, tzinfo=UTC),) * 2
    length = max((span[1] or known[1]) - (span[0] or known[0]), timedelta(seconds=1))
    width = bucket_seconds(length, points) * 1_000_000
    return engine.table(rows.question(SERIES.format(width=width, source=rows.source(), where=rows.where)))


def bucket_seconds(length: timedelta, points: int) -> int:
    """The width of a bucket so that at most `points` of them cover the length, wherever it begins."""
    least = length.total_seconds() / (points - 1)
    return next((width for width in WIDTHS if width >= least), int(-(-least // WIDTHS[-1]) * WIDTHS[-1]))
