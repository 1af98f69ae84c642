"""The writing side of a `table` dataset: each delivery is the whole table, a new version of one Delta table."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stadthub_lake.changes import compare
from stadthub_lake.delta import Table
from stadthub_lake.progress import Change, Marks, Progress
from stadthub_lake.storage import storing
from stadthub_schemas.counts import Counts
from stadthub_schemas.errors import TypeConflict

#: Types that Delta does not know become their nearest one that it does.
NEAREST: Sequence[tuple[Callable[[Any], bool], Callable[[Any], Any]]] = (
    (pa.types.is_dictionary, lambda kind: kind.value_type),
    (pa.types.is_null, lambda _: pa.string()),
    (pa.types.is_large_string, lambda _: pa.string()),
    (pa.types.is_string_view, lambda _: pa.string()),
    (pa.types.is_large_binary, lambda _: pa.binary()),
    (pa.types.is_unsigned_integer, lambda _: pa.int64()),
    (pa.types.is_date64, lambda _: pa.date32()),
    (pa.types.is_timestamp, lambda kind: pa.timestamp("us", kind.tz)),
)

#: A stored type takes a given one without loss.
TAKES = (
    (pa.types.is_floating, pa.types.is_integer),
    (pa.types.is_floating, pa.types.is_floating),
    (pa.types.is_int64, pa.types.is_integer),
)


class RowSet:
    """The versions of one table, one lock."""

    def __init__(self, name: str, folder: Path, progress_file: Path, key: tuple[str, ...]) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.table = Table(folder)
        self._key = key
        self._progress_file = progress_file
        self._marks: Marks | None = None

    @property
    def marks(self) -> Marks | None:
        """The progress of all feeds; None before the first delivery."""
        if self._marks is None and self.table.exists:
            self._marks = Marks(self.table, self._progress_file)
        return self._marks

    def progress(self, feed: str) -> Progress:
        """Up to where a feed is in the versions."""
        return self.marks.of(feed) if self.marks else Progress(0, Counts())

    def replace(self, feed: str, rows: pa.Table, progress: Progress) -> Change:
        """A new version, on disk when this returns; none if the content is the same. TypeConflict leaves the old one."""
        with self.lock:
            rows = _storable(rows)
            if self.marks is None:
                self.table.create(rows.schema)
            marks = self.marks or Marks(self.table, self._progress_file)
            stored = self._stored()
            rows = self._typed(rows, stored.schema)
            key = self._key if set(self._key) <= set(rows.column_names) & set(stored.column_names) else ()
            change = compare(stored, rows, key) if stored.num_rows else {"added": rows.num_rows, "changed": 0, "removed": 0, "unchanged": 0}
            moved = marks.moved({feed: progress})
            if change["unchanged"] == rows.num_rows == stored.num_rows and rows.schema.names == stored.schema.names:
                marks.note(moved)
            else:
                self.table.write(rows, "overwrite", moved)
                marks.committed(moved)
            return Change(version=self.table.version, **change)

    def reshape(self, feed: str, rows: pa.Table, progress: Progress) -> Change:
        """A new version with the columns and types of these rows, whatever the one before had."""
        with self.lock:
            rows = _storable(rows)
            if self.marks is None:
                return self.replace(feed, rows, progress)
            self.table.refresh()
            if rows.schema.equals(self.table.schema()):
                return self.replace(feed, rows, progress)
            moved = self.marks.moved({feed: progress})
            removed = sum(file.rows for file in self.table.files())
            self.table.reshape(rows, moved)
            self.marks.committed(moved)
            return Change(version=self.table.version, added=rows.num_rows, changed=0, removed=removed, unchanged=0)

    def advance(self, progress: Mapping[str, Progress]) -> None:
        """The feeds are this far, though no new version came of it. Before the first version there is nothing to keep it beside."""
        with self.lock:
            if self.marks is not None:
                self.marks.note(self.marks.moved(progress))

    def _stored(self) -> pa.Table:
        self.table.refresh()
        schema = self.table.schema()
        with storing(self.name):
            parts = [pq.read_table(file.path, partitioning=None) for file in self.table.files()]
        return pa.concat_tables([schema.empty_table(), *parts], promote_options="permissive").cast(schema)

    def _typed(self, rows: pa.Table, stored: pa.Schema) -> pa.Table:
        """The rows with the stored types; a stored column that is missing is empty, a new one comes behind."""
        columns: dict[str, pa.ChunkedArray | pa.Array] = {}
        for field in stored:
            if field.name not in rows.column_names:
                columns[field.name] = pa.nulls(rows.num_rows, field.type)
                continue
            given = rows[field.name]
            if given.null_count < len(given) and not _fits(field.type, given.type):
                raise TypeConflict(f"{self.name}: {field.name} is stored as {field.type}, but {given.type} was given")
            columns[field.name] = given.cast(field.type) if given.null_count < len(given) else pa.nulls(rows.num_rows, field.type)
        columns |= {name: rows[name] for name in rows.column_names if name not in columns}
        return pa.table(columns)


def _storable(rows: pa.Table) -> pa.Table:
    """The rows with types that Delta knows."""
    for number, field in enumerate(rows.schema):
        kind = next((nearest(field.type) for matches, nearest in NEAREST if matches(field.type)), field.type)
        if kind != field.type or not field.nullable:
            rows = rows.set_column(number, pa.field(field.name, kind), rows[field.name].cast(kind))
    return rows.replace_schema_metadata(None)


def _fits(stored: pa.DataType, given: pa.DataType) -> bool:
    return stored == given or any(is_stored(stored) and is_given(given) for is_stored, is_given in TAKES)
