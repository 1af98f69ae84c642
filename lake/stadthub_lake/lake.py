"""Questions to the lake: rows, exports, aggregates, what the data cover. The front door for every face."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import pyarrow as pa

from stadthub_lake import aggregate, cover, export, numbered, query
from stadthub_lake.chart import Span, Veil, thinned
from stadthub_lake.engine import Engine, Question
from stadthub_lake.numbered_forms import as_csv, as_list, as_numbers, as_object, as_tsv
from stadthub_lake.order import read_cursor
from stadthub_lake.query import Page
from stadthub_lake.relation import matching
from stadthub_lake.sandbox import Sandbox, Words
from stadthub_lake.seal import Seal
from stadthub_lake.snapshot import Snapshot
from stadthub_lake.totals import Totals
from stadthub_schemas.dataset import Column, Extent, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import EVERYTHING, ROW_NUMBER, AggregateQuery, Form, NumberedQuery, RowsQuery, Suppression

#: How a row by number is written.
Shape = Callable[[Sequence[Column], Mapping[str, Form]], str]
NUMBER = "_number"
OBJECTS: Shape = as_object
LISTS: Shape = as_list
CSV: Shape = as_csv
TSV: Shape = as_tsv
NUMBERS: Shape = as_numbers


@dataclass(frozen=True, slots=True)
class Asking:
    """Untrusted SQL over these datasets, what of them is hidden, whether it speaks of the numbers of rows, and which times
    (dataset, column) it knows without their zone."""

    text: str
    datasets: tuple[str, ...]
    hidden: Mapping[str, frozenset[str]]
    suppressions: Mapping[str, Suppression]
    numbered: bool = False
    zoneless: frozenset[tuple[str, str]] = frozenset()


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
        self._totals = Totals()
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

    def numbered(self, question: NumberedQuery, shape: Shape) -> pa.Table:
        """One page of rows by number: each as a text in `_row`, its number in `_number` (unless distinct rows are asked for). QueryError,
        NotFound."""
        return self._engine.table(self._numbered(question, shape))

    def numbered_batches(self, question: NumberedQuery, shape: Shape) -> Iterator[pa.RecordBatch]:
        """All of them piece by piece, without end."""
        return self._engine.batches(self._numbered(question, shape))

    def numbered_count(self, question: NumberedQuery) -> int:
        """How many rows there are on all pages."""
        snapshot = self._reader.snapshot(question.dataset, question.as_of)
        return self._totals.of(snapshot, question, partial(numbered.count, self._engine, snapshot, question))

    def _numbered(self, question: NumberedQuery, shape: Shape) -> Question:
        snapshot = self._reader.snapshot(question.dataset, question.as_of)
        known = numbered.columns_of(snapshot, question.hidden)
        for name in question.columns:
            if name not in known:
                raise QueryError(f"{question.dataset} has no column {name!r}")
        select = shape([known[name] for name in question.columns or known], question.forms)
        return numbered.page(self._engine, snapshot, question, select if question.distinct else f"{select}, _id AS {NUMBER}")

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

    def size(self, snapshot: Snapshot) -> int:
        """How many bytes the files of a snapshot have."""
        found = 0
        for path in snapshot.files:
            with suppress(FileNotFoundError):
                found += Path(path).stat().st_size
        return found

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

    def ask(self, question: Asking) -> pa.Table:
        """The same with the number of each row beside it, where the rows don't bear their numbers and the question wants them."""
        snapshots = [self._reader.snapshot(name) for name in question.datasets]
        words = Words(number=ROW_NUMBER if question.numbered else "", zoneless=question.zoneless)
        return self._sandbox.ask(question.text, snapshots, question.hidden, question.suppressions, words)

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
