"""What the stored data cover: from when to when, where, which things. Remembered as long as the files stay the same."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake.engine import Engine, Question
from stadthub_lake.filters import quoted
from stadthub_lake.relation import TIME
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import ColumnType, Extent, Kind
from stadthub_schemas.errors import QueryError

Times = tuple[datetime, datetime] | None
Box = tuple[float, float, float, float] | None

THINGS = """
SELECT thing, last(thing_name) AS thing_name, last(longitude) FILTER (longitude IS NOT NULL AND latitude IS NOT NULL) AS longitude,
  last(latitude) FILTER (longitude IS NOT NULL AND latitude IS NOT NULL) AS latitude, list(DISTINCT observed_property ORDER BY observed_property) AS observed_properties
FROM entities WHERE thing IS NOT NULL GROUP BY thing ORDER BY thing
"""
THINGS_BOX = """
SELECT min(longitude), min(latitude), max(longitude), max(latitude) FROM entities WHERE longitude IS NOT NULL AND latitude IS NOT NULL
"""
FEATURES_BOX = """
SELECT min(ST_XMin(g)), min(ST_YMin(g)), max(ST_XMax(g)), max(ST_YMax(g)) FROM (SELECT ST_GeomFromWKB(geometry) AS g FROM read_parquet($files))
"""


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """What one version of the datastreams says: the things, where they stand, how many there are."""

    entities: pa.Table
    things: pa.Table
    box: Box
    count: int


class Cover:
    """Answers extents, and keeps the part of the answer that comes out of files."""

    KEPT = 256

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._known: dict[tuple[str, tuple[str, ...]], tuple[Times, Box]] = {}
        self._words: dict[str, Words] = {}

    def extent(self, snapshot: Snapshot) -> Extent:
        """The extent of a snapshot."""
        key = (snapshot.dataset, snapshot.files)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = (file_times(self._engine, snapshot), self._features_box(snapshot))
            with self._lock:
                if len(self._known) >= self.KEPT:
                    self._known.clear()
                self._known[key] = known
        times, box = known
        times = widened(times, snapshot.tail)
        entities = snapshot.entities
        words = None if entities is None else self._entities(snapshot.dataset, entities)
        return Extent(
            rows=snapshot.rows,
            first_time=iso(times[0]) if times else None,
            last_time=iso(times[1]) if times else None,
            bbox=box if words is None else words.box,
            datastreams=0 if entities is None else entities.num_rows,
            things=0 if words is None else words.count,
        )

    def things(self, snapshot: Snapshot) -> pa.Table:
        """The things of a timeseries with their place and what they observe."""
        if snapshot.entities is None:
            raise QueryError(f"{snapshot.dataset} is not a timeseries and has no things")
        return self._entities(snapshot.dataset, snapshot.entities).things

    def _entities(self, dataset: str, entities: pa.Table) -> Words:
        """What the datastreams say together, asked once for each of their versions."""
        with self._lock:
            words = self._words.get(dataset)
        if words is None or words.entities is not entities:
            things = self._engine.table(Question(THINGS, tables={"entities": entities}))
            box = _box(self._engine.table(Question(THINGS_BOX, tables={"entities": entities})))
            words = Words(entities, things, box, pc.count_distinct(entities.column("thing")).as_py())
            with self._lock:
                self._words[dataset] = words
        return words

    def _features_box(self, snapshot: Snapshot) -> Box:
        if snapshot.kind is not Kind.FEATURES or not snapshot.files:
            return None
        return _box(self._engine.table(Question(FEATURES_BOX, {"files": list(snapshot.files)}, spatial=True)))


def file_times(engine: Engine, snapshot: Snapshot) -> Times:
    """The first and last time in the files: of the observations, or of the first time column of a table."""
    if snapshot.kind is Kind.TIMESERIES and len(snapshot.ranges) == len(snapshot.files):
        spans = [span for span in snapshot.ranges if span is not None]
        if len(spans) == len(snapshot.files):
            return (min(span[0] for span in spans), max(span[1] for span in spans)) if spans else None
    named = {
        Kind.TIMESERIES: [TIME],
        Kind.TABLE: [column.name for column in snapshot.columns if column.type is ColumnType.TIME],
        Kind.FEATURES: [],
    }[snapshot.kind]
    if not named or not snapshot.files:
        return None
    column = quoted(named[0])
    sql = f"SELECT min({column})::TIMESTAMPTZ, max({column})::TIMESTAMPTZ FROM read_parquet($files, union_by_name = true, hive_partitioning = false)"
    first, last = (found[0].as_py() for found in engine.table(Question(sql, {"files": list(snapshot.files)})).columns)
    return (first, last) if first is not None else None


def widened(times: Times, tail: pa.Table | None) -> Times:
    """The range of times with the fresh rows in it."""
    if tail is None or not tail.num_rows:
        return times
    found = pc.min_max(tail.column(TIME)).as_py()
    spans = [(found["min"], found["max"]), *([times] if times else [])]
    return min(span[0] for span in spans), max(span[1] for span in spans)


def iso(time: datetime) -> str:
    """A moment as text, in UTC with Z."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _box(table: pa.Table) -> Box:
    west, south, east, north = (column[0].as_py() for column in table.columns)
    return None if west is None else (west, south, east, north)
