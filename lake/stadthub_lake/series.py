"""The writing side of one timeseries: rows come in, are shown in the tail, and go into the table with their position."""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake import entities, inventory
from stadthub_lake.batch import WORDS, Batch, Words, read_batch
from stadthub_lake.dedupe import COMPARABLE, NONE, Flags, compared, first_of_each, in_files, in_memory
from stadthub_lake.delta import DataFile, Mark, Table
from stadthub_lake.layout import (
    ENTITIES,
    OBSERVATIONS,
    POSITION,
    TAIL,
    Numbers,
    bounds,
    in_order,
    read_observations,
    write_observations,
)
from stadthub_lake.newest import MOST_UNSAID, Newest
from stadthub_lake.progress import Appended, Corrected, Marks, Progress
from stadthub_lake.storage import make_folder, placing, storing
from stadthub_lake.tail import TailWriter
from stadthub_schemas.errors import Conflict, StorageError

#: A batch larger than this is not shown in the tail: it is committed soon.
MOST_TAIL_ROWS = 200_000

#: No file gets more rows than this.
FILE_ROWS = 4_000_000

#: `commit` or `rearrange` of the table.
Transact = Callable[[Sequence[DataFile], Sequence[DataFile], Mapping[str, Mark]], int]


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """Accepted rows that wait for their commit; `numbers` are those of the datastreams in this process."""

    feed: str
    position: int
    rows: pa.Table
    numbers: Numbers
    times: Numbers


class Series:
    """One timeseries, one lock. Whatever fails leaves it as it was, so that the same call works once the machine can again."""

    def __init__(self, name: str, folder: Path, data_dir: Path) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.maintaining = threading.Lock()
        self.table = Table(folder / inventory.OBSERVATIONS)
        self.table.create(OBSERVATIONS)
        self.marks = Marks(self.table, data_dir / "progress" / f"{name}.json")
        self._newest_file = data_dir / "progress" / f"{name}.newest.arrow"
        self._datastreams = folder / inventory.DATASTREAMS
        self._tail = TailWriter(data_dir / "tail" / name)
        self._pending: list[Pending] = []
        self._newest: Newest | None = None
        self._words: dict[str, Words] = {}
        self._changed: set[str] = set()

    @property
    def pending(self) -> int:
        """How many accepted rows wait for their commit."""
        return sum(one.rows.num_rows for one in self._pending)

    def progress(self, feed: str) -> Progress:
        """What is committed of a feed."""
        return self.marks.of(feed)

    def append(self, feed: str, position: int, rows: pa.Table) -> Appended:
        """Which rows were new; they are visible when this returns. Large batches and replays of committed positions are visible
        after their commit."""
        with self.lock:
            batch = read_batch(self.name, rows)
            newest = self._load()
            numbers = newest.number_all(batch.keys)[batch.which] if batch.keys else batch.which
            marks = newest.of(numbers)
            new = self._new(batch, numbers, marks)
            changed = self._changes(batch, pa.array(batch.times >= marks))
            fresh = batch if new.all() else batch.take(pa.array(new))
            accepted = Pending(feed, position, fresh.stored(), numbers[new], fresh.times)
            self._show(accepted, changed)
            self._words.update(changed)
            self._changed.update(changed)
            if accepted.rows.num_rows:
                newest.accept(accepted.numbers, accepted.times)
                self._pending.append(accepted)
            return Appended(fresh.rows.num_rows, batch.rows.num_rows - fresh.rows.num_rows, _shown(fresh))

    def correct(self, feed: str, position: int, rows: pa.Table) -> Corrected:
        """New rows are added, and one with another value takes the place of the stored one, in one transaction, on disk when this
        returns. A row that another feed has pending is left alone and counts as a duplicate. Conflict if the position isn't committed."""
        with self.maintaining, self.lock:
            if position > self.marks.position(feed):
                raise Conflict(f"{self.name}: {feed} is committed up to {self.marks.position(feed)} and not to {position}: commit first")
            batch = read_batch(self.name, rows)
            if not len(batch.times):
                return Corrected(0, 0, 0, _shown(batch))
            newest = self._load()
            self.table.refresh()
            numbers = newest.number_all(batch.keys)[batch.which]
            added, changed, places = self._compare(batch, numbers)
            words = self._changes(batch, pa.array(batch.times >= newest.of(numbers)))
            self._words.update(words)
            self._changed.update(words)
            self._write_words()
            taken = batch.take(pa.array(added | changed))
            if taken.rows.num_rows:
                old = [file for file in self.table.files() if file.path in set(places["file"].to_pylist())]
                tables = chain((_mended(file, batch, places) for file in old), pieces(batch.take(pa.array(added)).stored()))
                self.transact(self.table.commit, self.write_files(tables), old, self.marks.all())
                newest.store(numbers[added], batch.times[added])
            self._tail.forget({name: mark.position for name, mark in self.marks.all().items()}, self._fresh_words())
            stored, moved = int(added.sum()), int(changed.sum())
            return Corrected(stored, moved, batch.rows.num_rows - stored - moved, _shown(taken))

    def commit(self, progress: Mapping[str, Progress]) -> None:
        """Everything up to these positions is in the table and on disk, with the positions and counts, in one transaction."""
        with self.lock:
            self._load()
            ready = [one for one in self._pending if one.feed in progress and one.position <= progress[one.feed].position]
            marks = self.marks.moved(progress)
            self._write_words()
            if ready:
                self.transact(self.table.commit, self.write_files(pieces(_joined(ready))), (), marks)
                self._landed(ready)
            else:
                self.marks.note(marks)
            self._pending = [one for one in self._pending if one not in ready]
            self._tail.forget({feed: mark.position for feed, mark in marks.items()}, self._fresh_words())

    def transact(self, act: Transact, added: Sequence[DataFile], removed: Sequence[DataFile], marks: Mapping[str, Mark]) -> None:
        """Files in and out; if that fails, files that no version names are taken away again."""
        try:
            act(added, removed, marks)
        except StorageError:
            if not self.table.holds(added):
                for file in added:
                    Path(file.path).unlink(missing_ok=True)
                raise
        self.marks.committed(marks)

    def save_newest(self) -> None:
        """Writes down the newest times, so that the next start needn't look for them. The owner holds the lock."""
        if self._newest is not None:
            self.table.refresh()
            self._newest.save(self.table.files())

    def _landed(self, ready: Sequence[Pending]) -> None:
        """Takes note of rows that are in the table now."""
        newest = self._load()
        for one in ready:
            newest.store(one.numbers, one.times)
        if newest.unsaid(self.table.files()) > MOST_UNSAID:
            self.save_newest()

    def _load(self) -> Newest:
        """What is stored so far, asked once."""
        if self._newest is None:
            with storing(self.name):
                newest = Newest(self._newest_file)
                self.table.refresh()
                newest.load(self.table.files())
                stored = entities.read(entities.choose(entities.versions(self._datastreams), None))
            rows = zip(stored["datastream"].to_pylist(), zip(*(stored[name].to_pylist() for name in WORDS), strict=True), strict=True)
            self._words = dict(rows)
            self._newest = newest
        return self._newest

    def _new(self, batch: Batch, numbers: Numbers, marks: Numbers) -> Flags:
        """True for each row that is stored neither before nor earlier in the batch."""
        first = first_of_each(numbers, batch.times)
        new: Flags = first & (batch.times > marks)
        late = np.flatnonzero(first & (batch.times < marks))
        if len(late):
            held = in_memory((numbers[late], batch.times[late]), [(one.numbers, one.times) for one in self._pending])
            new[late] = ~held
            late = late[~held]
        if len(late):
            keys = batch.datastreams().take(pa.array(late)).cast(pa.string())
            new[in_files(pa.table({"datastream": keys, "time": batch.times[late], "number": late}), self.table.files())] = False
        return new

    def _compare(self, batch: Batch, numbers: Numbers) -> tuple[Flags, Flags, pa.Table]:
        """Which rows are new, which are to take the place of a stored one, and where that one is (`number`, `file`, `row`)."""
        pending = [(one.numbers, one.times) for one in self._pending]
        added: Flags = first_of_each(numbers, batch.times) & ~in_memory((numbers, batch.times), pending)
        changed: Flags = np.zeros(len(added), dtype=np.bool_)
        places = NONE.empty_table()
        late = np.flatnonzero(added & (batch.times <= self._load().of(numbers)))
        if len(late):
            rows = batch.stored().select(COMPARABLE).take(pa.array(late))
            keys = batch.datastreams().take(pa.array(late)).cast(pa.string())
            rows = rows.append_column("datastream", keys).append_column("time", pa.array(batch.times[late]))
            found = compared(rows.append_column("number", pa.array(late)), self.table.files())
            added[found["number"].to_numpy()] = False
            places = found.filter(found["changed"])
            changed[places["number"].to_numpy()] = True
        return added, changed, places

    def _changes(self, batch: Batch, newest: pa.Array) -> dict[str, Words]:
        """The datastreams whose words or position are new; a missing word does not take a known one away."""
        current = batch if newest.true_count == len(newest) else batch.take(newest)
        changed: dict[str, Words] = {}
        for key, words in current.words().items():
            known = self._words.get(key)
            if words != known:
                merged = words if known is None else tuple(old if new is None else new for new, old in zip(words, known, strict=True))
                if merged != known:
                    changed[key] = merged
        return changed

    def _show(self, accepted: Pending, changed: Mapping[str, Words]) -> None:
        rows = accepted.rows
        if rows.num_rows > MOST_TAIL_ROWS or accepted.position <= self.marks.position(accepted.feed):
            rows = rows.slice(0, 0)
        labelled = rows.append_column(POSITION, pa.array(np.full(rows.num_rows, accepted.position, dtype=np.int64))).cast(TAIL)
        words = {key: self._words[key] for key in self._changed} | dict(changed)
        self._tail.append(accepted.feed, labelled, accepted.position, entity_table(words) if changed else None)

    def _fresh_words(self) -> pa.Table | None:
        return entity_table({key: self._words[key] for key in self._changed}) if self._changed else None

    def _write_words(self) -> None:
        """A new version of the datastreams, if anything changed: before the observations that speak of them."""
        if self._changed:
            entities.write(self._datastreams, entity_table(self._words), datetime.now(UTC))
            self._changed.clear()

    def write_files(self, tables: Iterable[pa.Table]) -> list[DataFile]:
        """The tables as files that are on disk but in no version yet; if one fails, none stays."""
        written: list[DataFile] = []
        with storing(self.name):
            make_folder(self.table.folder)
            try:
                for table in tables:
                    path = self.table.folder / f"part-{uuid.uuid4()}.parquet"
                    with placing(path) as hidden:
                        write_observations(table, hidden)
                    first, last = bounds(table["phenomenon_time"])
                    written.append(DataFile(str(path), path.stat().st_size, table.num_rows, first, last))
            except (OSError, pa.ArrowInvalid):
                for file in written:
                    Path(file.path).unlink(missing_ok=True)
                raise
        return written


def entity_table(words: Mapping[str, Words]) -> pa.Table:
    """The datastreams and their words as a table."""
    columns = [list(words), *(list(column) for column in zip(*words.values(), strict=True))]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, ENTITIES, strict=True)], schema=ENTITIES)


def pieces(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows, sorted by datastream and time, as tables of which each fits in a file."""
    rows = in_order(rows.combine_chunks()) if rows.num_rows else rows
    return (rows.slice(start, FILE_ROWS) for start in range(0, rows.num_rows, FILE_ROWS))


def _joined(ready: Sequence[Pending]) -> pa.Table:
    return pa.concat_tables([one.rows for one in ready]).unify_dictionaries()


def _mended(file: DataFile, batch: Batch, places: pa.Table) -> pa.Table:
    """The rows of a file, those of the batch in the places of their old ones."""
    mine = places.filter(pc.equal(places["file"], file.path))
    stored = read_observations([file.path])
    kept = np.ones(stored.num_rows, dtype=np.bool_)
    kept[mine["row"].to_numpy()] = False
    new = batch.stored().take(mine["number"])
    return in_order(pa.concat_tables([stored.filter(pa.array(kept)), new]).unify_dictionaries().combine_chunks())


def _shown(batch: Batch) -> pa.Table:
    return batch.rows.add_column(0, "datastream", batch.datastreams())
