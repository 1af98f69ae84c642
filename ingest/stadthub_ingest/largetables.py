"""A table that is larger than the memory: its columns have declared types, so it is judged page by page, by columns where that is plain."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from stadthub_ingest import registry, tables
from stadthub_ingest.columnar import Columnar
from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged, Payload, excerpt, lines
from stadthub_ingest.rules import RowError
from stadthub_ingest.sheets import Tabled, rows_of
from stadthub_ingest.typedcolumns import Typed, plain_columns, typed_columns
from stadthub_schemas.feed import Feed


class LargeTable:
    """Judges the pages of one file. A key that comes again in any of them is refused."""

    def __init__(self, feed: Feed, judge: Judge) -> None:
        self._feed = feed
        self._judge = judge
        self._decoder = registry.find(feed.decoder)
        self._options = registry.read_options(feed)
        self._declared = registry.declared(feed)
        self._keys: tables.Seen = set()

    def pages(self, payloads: Iterable[Payload]) -> Iterator[Judged]:
        """What becomes of each page; all have the declared columns, and no others."""
        schema = pa.schema([(name, tables.ARROW[kind]) for name, kind in self._declared.items()])
        for payload in payloads:
            judged = self._by_columns(payload) or self._judge.guarded([payload], self._keys)
            there, rows = set(judged.accepted.column_names), judged.accepted.num_rows
            columns = [judged.accepted[one.name] if one.name in there else pa.nulls(rows, one.type) for one in schema]
            yield replace(judged, accepted=pa.table(columns, schema=schema))

    def _by_columns(self, payload: Payload) -> Judged | None:
        """The page column by column; None where its decoder has no sheet of text."""
        options = self._options
        if self._decoder.sheet is None or not isinstance(options, Tabled) or self._feed.renames:
            return None
        try:
            sheet = self._decoder.sheet(payload.body, options)
            if isinstance(sheet, Columnar):
                return self._plain(sheet, options)
            found = typed_columns(sheet, payload.body, options, self._feed.key, self._keys)
        except DecodeError:
            return None
        if found is None:
            return None
        if not found.rest.places:
            return Judged(found.rows, lines([]), found.total, 0, lines([]), frozenset(found.rows.column_names))
        return self._completed(payload, found, options)

    def _plain(self, sheet: Columnar, options: Tabled) -> Judged | None:
        """The page of a file with typed columns; None where its rows must be looked at: for a key, or a cell that is not plain."""
        rows = None if self._feed.key else plain_columns(sheet, options)
        return None if rows is None else Judged(rows, lines([]), rows.num_rows, 0, lines([]), frozenset(rows.column_names))

    def _completed(self, payload: Payload, found: Typed, options: Tabled) -> Judged:
        """The page with those rows that are not plainly right, each judged by itself, in its place."""
        rows = list(rows_of(found.rest, options, payload.name))
        kept: list[Any] = []
        order, refused = found.numbers.to_pylist(), []
        for place, row, one in zip(
            found.rest.places, rows, tables.judge_rows(rows, self._declared, self._feed.key, self._keys), strict=True
        ):
            if isinstance(one, RowError):
                refused.append((payload.position, place + 1, payload.received_time, str(one), excerpt(row)))
            else:
                kept.append(one)
                order.append(place)
        mended = tables.as_table(kept, self._declared) if kept else found.rows.slice(0, 0)
        together = pa.concat_tables([found.rows, mended.select(found.rows.column_names).cast(found.rows.schema)])
        accepted = together.take(pa.array(sorted(range(len(order)), key=order.__getitem__), pa.int64()))
        return Judged(accepted, lines(refused), found.total, 0, lines([]), frozenset(found.rows.column_names))
