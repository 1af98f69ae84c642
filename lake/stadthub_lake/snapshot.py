"""The reading side: what a dataset consists of at one moment, for any number of processes, without a lock on the writer."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stadthub_lake import entities, inventory, manifest
from stadthub_lake.delta import DataFile, Table
from stadthub_lake.layout import ENTITIES, REJECTS_STORED, columns_of, moment
from stadthub_lake.noted import note_of
from stadthub_lake.storage import local_folder, storing
from stadthub_lake.tail import Tails, overlay, uncommitted
from stadthub_schemas.dataset import TIMESERIES_COLUMNS, Column, Kind
from stadthub_schemas.errors import NotFound

#: The range of one file's times; None where it is not known.
Range = tuple[datetime, datetime] | None

#: How many past states of a dataset stay open.
PAST_KEPT = 8


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A dataset at one moment. `files` are absolute paths of Parquet files with `ranges` of their times beside; `tail` has the
    fresh rows of a timeseries that are in no file, `entities` its datastreams; `rows` counts files and tail, `counts` each file."""

    dataset: str
    kind: Kind
    version: int
    time: datetime
    files: tuple[str, ...]
    tail: pa.Table | None
    entities: pa.Table | None
    columns: tuple[Column, ...]
    rows: int
    ranges: tuple[Range, ...] = ()
    schema: pa.Schema | None = None
    counts: tuple[int, ...] = ()


@dataclass(slots=True)
class _Shelf:
    """What stays open of one dataset between two questions."""

    entry: inventory.Entry
    table: Table
    tails: Tails
    stamp: tuple[int, int]
    lock: threading.Lock = field(default_factory=threading.Lock)
    words: tuple[entities.EntityFile | None, pa.Table | None, pa.Table | None] = (None, None, None)
    fresh: tuple[list[tuple[str, pa.Table]], dict[str, int], pa.Table | None] = ([], {}, None)
    note: tuple[int, str | None] = (-1, None)
    past: OrderedDict[int, Table] = field(default_factory=OrderedDict)


class Reader:
    """Answers what the lake holds. Thread-safe; sees what another process wrote as soon as it is on disk."""

    def __init__(self, uri: str, data_dir: Path) -> None:
        self._root = local_folder(uri)
        self._tails = data_dir.absolute() / "tail"
        self._shelves: dict[str, _Shelf] = {}
        self._lock = threading.Lock()

    def datasets(self) -> list[str]:
        """The names of all datasets, in order."""
        return inventory.names(self._root)

    def kind(self, dataset: str) -> Kind:
        """The kind of a dataset. NotFound if there is none."""
        return self._shelf(dataset).entry.kind

    def columns(self, dataset: str) -> tuple[Column, ...]:
        """The columns of a dataset as they are queried; none before the first rows of a table or of features."""
        return self.snapshot(dataset).columns

    def snapshot(self, dataset: str, as_of: datetime | None = None) -> Snapshot:
        """The dataset now, or as it was. NotFound if there is none, or if its history begins later."""
        shelf = self._shelf(dataset)
        if as_of is not None and as_of < shelf.entry.created:
            raise NotFound(f"{dataset}: nothing is known of {as_of.isoformat()}, the dataset begins {shelf.entry.created.isoformat()}")
        with shelf.lock:
            return _SNAPSHOTS[shelf.entry.kind](shelf, self._root / dataset, as_of)

    def noted(self, dataset: str, as_of: datetime | None = None) -> tuple[Snapshot, str | None]:
        """A table now, or as it was, and what its writer said of the whole of it. NotFound."""
        snapshot = self.snapshot(dataset, as_of)
        shelf = self._shelf(dataset)
        with shelf.lock:
            if not shelf.table.exists:
                return snapshot, None
            table = shelf.table if as_of is None else _past(shelf, as_of)
            if shelf.note[0] != table.version:
                shelf.note = (table.version, note_of(table))
            return snapshot, shelf.note[1]

    def rejects(self, feed: str, limit: int = 100) -> pa.Table:
        """The refused rows of a feed, newest first, whichever worker received them."""
        if "/" in feed:
            return REJECTS_STORED.empty_table()
        root = self._root / inventory.REJECTS
        found = [_rejects(Table(folder), limit) for folder in (root / feed, *root.glob(f"{feed}@*"))]
        order = [("received_time", "descending"), ("position", "descending"), ("row", "descending")]
        return pa.concat_tables(found).sort_by(order).slice(0, limit)

    def _shelf(self, dataset: str) -> _Shelf:
        with self._lock:
            known = self._shelves.get(dataset)
            stamp = inventory.stamp(self._root, dataset)
            if known is None or known.stamp != stamp:
                entry = inventory.read(self._root, dataset)
                folder = inventory.OBSERVATIONS if entry.kind is Kind.TIMESERIES else inventory.ROWS
                tails = Tails(self._tails / dataset)
                self._shelves[dataset] = _Shelf(entry, Table(self._root / dataset / folder), tails, stamp)
            return self._shelves[dataset]


def _timeseries(shelf: _Shelf, folder: Path, as_of: datetime | None) -> Snapshot:
    """Observations: the tail is read before the table, so that a row is in one of them whenever it is committed between."""
    if not shelf.table.exists:
        return replace(_empty(shelf), tail=uncommitted([], {}), entities=ENTITIES.empty_table(), columns=TIMESERIES_COLUMNS)
    fresh, fresh_words = shelf.tails.read() if as_of is None else ([], None)
    table = shelf.table if as_of is None else _past(shelf, as_of)
    files = table.files() if as_of is not None else _newest(table)
    tail = uncommitted([], {}) if as_of else _tail(shelf, fresh, {feed: table.position(feed) for feed, _ in fresh})
    return Snapshot(
        dataset=shelf.entry.name,
        kind=Kind.TIMESERIES,
        version=table.version,
        time=table.committed_time(),
        files=tuple(file.path for file in files),
        tail=tail,
        entities=_words(shelf, folder / inventory.DATASTREAMS, fresh_words, as_of),
        columns=TIMESERIES_COLUMNS,
        rows=sum(file.rows for file in files) + tail.num_rows,
        ranges=tuple(_range(file) for file in files),
        counts=tuple(file.rows for file in files),
    )


def _rows(shelf: _Shelf, _folder: Path, as_of: datetime | None) -> Snapshot:
    """A table: the files of one version."""
    if not shelf.table.exists:
        return _empty(shelf)
    table = shelf.table if as_of is None else _past(shelf, as_of)
    files = table.files() if as_of is not None else _newest(table)
    schema = table.schema()
    return Snapshot(
        dataset=shelf.entry.name,
        kind=Kind.TABLE,
        version=table.version,
        time=table.committed_time(),
        files=tuple(file.path for file in files),
        tail=None,
        entities=None,
        columns=columns_of(schema),
        rows=sum(file.rows for file in files),
        schema=schema,
        counts=tuple(file.rows for file in files),
    )


def _features(shelf: _Shelf, folder: Path, as_of: datetime | None) -> Snapshot:
    """Features: the one file of a version."""
    versions = manifest.read(folder / inventory.FEATURES)
    chosen = versions.newest if as_of is None else versions.at(as_of)
    if chosen is None:
        return _empty(shelf)
    return Snapshot(
        dataset=shelf.entry.name,
        kind=Kind.FEATURES,
        version=chosen.number,
        time=chosen.time,
        files=(str(folder / inventory.FEATURES / chosen.file),),
        tail=None,
        entities=None,
        columns=chosen.columns,
        rows=chosen.rows,
        counts=(chosen.rows,),
    )


_SNAPSHOTS: dict[Kind, Callable[[_Shelf, Path, datetime | None], Snapshot]] = {
    Kind.TIMESERIES: _timeseries,
    Kind.TABLE: _rows,
    Kind.FEATURES: _features,
}


def _empty(shelf: _Shelf) -> Snapshot:
    """A dataset that was made, but nothing came yet."""
    entry = shelf.entry
    return Snapshot(entry.name, entry.kind, 0, entry.created, (), None, None, (), 0)


def _newest(table: Table) -> tuple[DataFile, ...]:
    table.refresh()
    return table.files()


def _past(shelf: _Shelf, as_of: datetime) -> Table:
    """The table as it was; the last few states that were asked for stay open."""
    version = shelf.table.version_at(as_of)
    if version not in shelf.past:
        shelf.past[version] = shelf.table.at(version)
    shelf.past.move_to_end(version)
    while len(shelf.past) > PAST_KEPT:
        shelf.past.popitem(last=False)
    return shelf.past[version]


def _rejects(table: Table, limit: int) -> pa.Table:
    """At least the newest of the refused rows in a table."""
    parts = [REJECTS_STORED.empty_table()]
    if table.exists:
        with storing(f"rejects of {table.folder.name}"):
            for file in sorted(table.files(), key=lambda one: Path(one.path).name, reverse=True):
                parts.append(pq.read_table(file.path, schema=REJECTS_STORED, partitioning=None))
                if sum(part.num_rows for part in parts) >= limit:
                    break
    return pa.concat_tables(parts)


def _range(file: DataFile) -> Range:
    return None if file.first is None or file.last is None else (moment(file.first), moment(file.last))


def _tail(shelf: _Shelf, fresh: list[tuple[str, pa.Table]], positions: dict[str, int]) -> pa.Table:
    """The rows that are in no file yet; the joined table stays the same object as long as nothing changed."""
    known, known_positions, joined = shelf.fresh
    same = len(known) == len(fresh) and all(old[1] is new[1] for old, new in zip(known, fresh, strict=True))
    if joined is None or not same or known_positions != positions:
        joined = uncommitted(fresh, positions)
        shelf.fresh = (fresh, positions, joined)
    return joined


def _words(shelf: _Shelf, folder: Path, fresh: pa.Table | None, as_of: datetime | None) -> pa.Table:
    """The datastreams; the joined table stays the same object as long as nothing changed."""
    for _ in range(3):
        chosen = entities.choose(entities.versions(folder), as_of)
        known, known_fresh, table = shelf.words
        if table is not None and chosen == known and fresh is known_fresh:
            return table
        try:
            table = overlay(entities.read(chosen), fresh)
        except FileNotFoundError:
            continue
        shelf.words = (chosen, fresh, table)
        return table
    raise NotFound(f"{shelf.entry.name}: the datastreams change faster than they can be read")
