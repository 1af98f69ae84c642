"""Questions to the lake: rows, exports, aggregates, what the data cover. The front door for every face."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

import pyarrow as pa

from stadthub_lake import aggregate, cover, export, query
from stadthub_lake.chart import Span, Veil, thinned
from stadthub_lake.engine import Engine
from stadthub_lake.order import read_cursor
from stadthub_lake.query import Page
from stadthub_lake.relation import matching
from stadthub_lake.sandbox import Sandbox
from stadthub_lake.seal import Seal
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import Extent, Kind
from stadthub_schemas.query import EVERYTHING, AggregateQuery, RowsQuery, Suppression


class Snapshots(Protocol):
    """Whoever knows which files a dataset consists of: `snapshot.Reader`."""

    def snapshot(self, dataset: str, as_of: datetime | None = None) -> Snapshot:
        """The dataset now, or as it was; NotFound."""
        ...


class Lake:
    """Answers questions. Thread-safe; one engine a process."""

    def __init__(
        self, reader: Snapshots, threads: int = 2, seconds: float = 30.0, memory_mb: int = 2500, cursor_key: bytes | None = None
    ) -> None:
        """`cursor_key`: what cursors are sealed with; processes that share it take one another's. Without it only this lake takes its own."""
        self._reader = reader
        self._seal = Seal(cursor_key)
        self._engine = Engine(threads, seconds, memory_mb)
        self._cover = cover.Cover(self._engine)
        self._sandbox = Sandbox(seconds, memory_mb)

    def close(self) -> None:
        """End the engine and the process that runs users' SQL."""
        self._sandbox.close()
        self._engine.close()

    def rows(self, question: RowsQuery) -> Page:
        """One page of rows as Arrow. QueryError, NotFound."""
        opened = self._opened(question)
        page = query.page(self._engine, self._page_snapshot(opened), opened)
        return Page(page.table, self._sealed(page.cursor))

    def json(self, question: RowsQuery) -> tuple[bytes, str | None]:
        """One page of rows as a JSON array, and the cursor to the next."""
        opened = self._opened(question)
        body, cursor = query.page_json(self._engine, self._page_snapshot(opened), opened)
        return body, self._sealed(cursor)

    def export(self, question: RowsQuery, format: str) -> Iterator[bytes]:  # noqa: A002 - the contract's word
        """All rows of the query as a stream of csv, json, geojson, parquet or arrow; mistakes are told before the first byte."""
        snapshot = self._reader.snapshot(question.dataset, question.as_of)
        return export.export(self._engine, snapshot, question, format)

    def aggregate(self, question: AggregateQuery) -> pa.Table:
        """Measures per bucket and group, in that order."""
        return aggregate.aggregate(self._engine, self._reader.snapshot(question.dataset, question.as_of), question)

    def count(self, question: RowsQuery) -> int:
        """How many rows match; without a filter this is known without reading."""
        snapshot = self._reader.snapshot(question.dataset, question.as_of)
        if question.where == EVERYTHING or not snapshot.columns:
            return snapshot.rows
        rows = matching(self._engine, snapshot, question.where, question.hidden, question.suppression)
        return int(self._engine.table(rows.question(f"SELECT count(*) AS n FROM {rows.source()} WHERE {rows.where}")).column(0)[0].as_py())

    def extent(self, dataset: str) -> Extent:
        """What the stored data cover in time and space."""
        return self._cover.extent(self._reader.snapshot(dataset))

    def things(self, dataset: str) -> pa.Table:
        """The things of a timeseries: thing, thing_name, longitude, latitude, observed_properties. QueryError for another kind."""
        return self._cover.things(self._reader.snapshot(dataset))

    def series(
        self,
        dataset: str,
        datastreams: Sequence[str],
        span: Span = (None, None),
        points: int = 2000,
        hidden: frozenset[str] = frozenset(),
        suppression: Suppression | None = None,
    ) -> pa.Table:
        """For a chart: datastream, bucket, min, avg, max, count, at most `points` buckets for each datastream."""
        veil = Veil(hidden, suppression)
        return thinned(self._engine, self._reader.snapshot(dataset), datastreams, span, points, veil)

    def sql(
        self,
        text: str,
        datasets: Sequence[str],
        hidden: Mapping[str, frozenset[str]],
        suppressions: Mapping[str, Suppression] = MappingProxyType({}),
    ) -> pa.Table:
        """Untrusted SQL over these datasets, run in its own process. The answer's schema metadata say `truncated`."""
        return self._sandbox.ask(text, [self._reader.snapshot(name) for name in datasets], hidden, suppressions)

    def _opened(self, question: RowsQuery) -> RowsQuery:
        """The question with its cursor as it was before it was sealed."""
        return question if question.cursor is None else replace(question, cursor=self._seal.open(question.cursor))

    def _sealed(self, cursor: str | None) -> str | None:
        return None if cursor is None else self._seal.close(cursor)

    def _page_snapshot(self, question: RowsQuery) -> Snapshot:
        """The snapshot to page in. The rows of a table have no lasting key: its pages stay in the version where they began."""
        snapshot = self._reader.snapshot(question.dataset, question.as_of)
        if snapshot.kind is not Kind.TABLE or question.cursor is None or question.as_of is not None:
            return snapshot
        cursor = read_cursor(question, question.cursor)
        if cursor.version == snapshot.version:
            return snapshot
        return self._reader.snapshot(question.dataset, cursor.time)
