"""The writing side of one timeseries: rows come in, are shown in the tail, and go into the table with their position.

Several workers may write one timeseries. Whoever has the turn looks first at what the others committed and at their tails, so at no
moment does one observation stand in two places, whichever of them got it, or got it again after another one was killed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from stadthub_lake import entities, inventory
from stadthub_lake.batch import WORDS, Batch, Words, read_batch
from stadthub_lake.datafiles import joined, mended, pieces, write_files
from stadthub_lake.dedupe import COMPARABLE, NONE, Flags, compared, first_of_each, in_files, in_memory
from stadthub_lake.delta import DataFile, Mark, Table
from stadthub_lake.layout import ENTITIES, OBSERVATIONS, POSITION, TAIL, Numbers
from stadthub_lake.newest import MOST_UNSAID, Newest
from stadthub_lake.peers import Peers, Rows
from stadthub_lake.progress import Appended, Corrected, Marks, Progress
from stadthub_lake.storage import storing
from stadthub_lake.tail import TailWriter
from stadthub_lake.turns import Turn
from stadthub_schemas.errors import Conflict, StorageError

#: A batch larger than this is not shown in the tail: it is committed soon.
MOST_TAIL_ROWS = 200_000

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
    """One timeseries, one lock among all workers. Whatever fails leaves it as it was, so that the same call works once the machine can again."""

    def __init__(self, name: str, folder: Path, data_dir: Path, worker: str) -> None:
        self.name = name
        beside, tail = data_dir / "progress", data_dir / "tail" / name
        own = f"{name}@{worker}" if worker else name
        self.lock = Turn(beside / f"{name}.lock", name)
        self.maintaining = Turn(beside / f"{name}.upkeep.lock", name)
        self.table = Table(folder / inventory.OBSERVATIONS)
        self.marks = Marks(self.table, beside / f"{own}.json")
        self._newest_file = beside / f"{own}.newest.arrow"
        self._datastreams = folder / inventory.DATASTREAMS
        self._tail = TailWriter(tail / worker)
        self._peers = Peers(tail, tail / worker)
        self._seen: tuple[int, frozenset[str]] = (-1, frozenset())
        self._words_version: entities.EntityFile | None = None
        self._pending: list[Pending] = []
        self._newest: Newest | None = None
        self._words: dict[str, Words] = {}
        self._changed: set[str] = set()
        with self.lock, storing(name):
            self.table.create(OBSERVATIONS)
            (tail / worker).mkdir(parents=True, exist_ok=True)

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
            newest = self.look()
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
            newest = self.look()
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
                tables = chain((mended(file, batch, places) for file in old), pieces(batch.take(pa.array(added)).stored()))
                self.transact(self.table.commit, self.write_files(tables), old, {})
                newest.store(numbers[added], batch.times[added])
            self._tail.forget({name: mark.position for name, mark in self.marks.all().items()}, self._fresh_words())
            stored, moved = int(added.sum()), int(changed.sum())
            return Corrected(stored, moved, batch.rows.num_rows - stored - moved, _shown(taken))

    def commit(self, progress: Mapping[str, Progress]) -> None:
        """Everything up to these positions is in the table and on disk, with the positions and counts, in one transaction."""
        with self.lock:
            self.look()
            ready = [one for one in self._pending if one.feed in progress and one.position <= progress[one.feed].position]
            marks = self.marks.moved(progress)
            self._write_words()
            if ready:
                self.transact(self.table.commit, self.write_files(pieces(joined([one.rows for one in ready]))), (), marks)
                self._landed(ready)
            else:
                self.marks.note(marks)
            self._pending = [one for one in self._pending if one not in ready]
            self._tail.forget({feed: mark.position for feed, mark in marks.items()}, self._fresh_words())

    def transact(self, act: Transact, added: Sequence[DataFile], removed: Sequence[DataFile], moved: Mapping[str, Mark]) -> None:
        """Files in and out, and the marks that moved; if that fails, files that no version names are taken away again."""
        self.look()
        marks = {**self.marks.all(), **moved}
        try:
            act(added, removed, marks)
        except StorageError:
            if not self.table.holds(added):
                for file in added:
                    Path(file.path).unlink(missing_ok=True)
                raise
        self.marks.committed(marks)
        self._see()

    def save_newest(self) -> None:
        """Writes down the newest times, so that the next start needn't look for them."""
        if self._newest is not None:
            with self.lock:
                self.look().save(self.table.files())

    def look(self) -> Newest:
        """What is stored, and what the other workers have accepted. The owner has the turn."""
        newest = self._load()
        self._peers.look(newest)
        if self._peers.there:
            self.table.refresh()
            if self.table.version != self._seen[0]:
                newest.read(file.path for file in self.table.files() if file.path not in self._seen[1])
                self.marks.refresh()
                self._read_words()
                self._see()
        return newest

    def _see(self) -> None:
        """Takes note that all files of the table's version are known."""
        self._seen = (self.table.version, frozenset(file.path for file in self.table.files()))

    def _read_words(self) -> None:
        """Learns the words that are stored. What waits to be written is newer."""
        version = entities.choose(entities.versions(self._datastreams), None)
        if version != self._words_version:
            stored = entities.read(version)
            rows = zip(stored["datastream"].to_pylist(), zip(*(stored[name].to_pylist() for name in WORDS), strict=True), strict=True)
            self._words.update((key, words) for key, words in rows if key not in self._changed)
            self._words_version = version

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
                self._read_words()
                self._see()
            self._newest = newest
        return self._newest

    def _new(self, batch: Batch, numbers: Numbers, marks: Numbers) -> Flags:
        """True for each row that is stored neither before nor earlier in the batch."""
        first = first_of_each(numbers, batch.times)
        new: Flags = first & (batch.times > marks)
        late = np.flatnonzero(first & (batch.times < marks))
        if len(late):
            held = in_memory((numbers[late], batch.times[late]), self._waiting())
            new[late] = ~held
            late = late[~held]
        if len(late):
            keys = batch.datastreams().take(pa.array(late)).cast(pa.string())
            new[in_files(pa.table({"datastream": keys, "time": batch.times[late], "number": late}), self.table.files())] = False
        return new

    def _waiting(self) -> list[Rows]:
        """What waits for its commit, here and in the other workers."""
        return [*((one.numbers, one.times) for one in self._pending), *self._peers.rows]

    def _compare(self, batch: Batch, numbers: Numbers) -> tuple[Flags, Flags, pa.Table]:
        """Which rows are new, which are to take the place of a stored one, and where that one is (`number`, `file`, `row`)."""
        added: Flags = first_of_each(numbers, batch.times) & ~in_memory((numbers, batch.times), self._waiting())
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
        large = rows.num_rows > MOST_TAIL_ROWS and not self._peers.there  # what another worker must know of is always shown
        if large or accepted.position <= self.marks.position(accepted.feed):
            rows = rows.slice(0, 0)
        labelled = rows.append_column(POSITION, pa.array(np.full(rows.num_rows, accepted.position, dtype=np.int64))).cast(TAIL)
        words = {key: self._words[key] for key in self._changed} | dict(changed)
        self._tail.append(accepted.feed, labelled, accepted.position, entity_table(words) if changed else None)

    def _fresh_words(self) -> pa.Table | None:
        return entity_table({key: self._words[key] for key in self._changed}) if self._changed else None

    def _write_words(self) -> None:
        """A new version of the datastreams, if anything changed: before the observations that speak of them."""
        if self._changed:
            self._words_version = entities.write(self._datastreams, entity_table(self._words), datetime.now(UTC))
            self._changed.clear()

    def write_files(self, tables: Iterable[pa.Table]) -> list[DataFile]:
        """The tables as files that are on disk but in no version yet."""
        return write_files(self.name, self.table.folder, tables)


def entity_table(words: Mapping[str, Words]) -> pa.Table:
    """The datastreams and their words as a table."""
    columns = [list(words), *(list(column) for column in zip(*words.values(), strict=True))]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, ENTITIES, strict=True)], schema=ENTITIES)


def _shown(batch: Batch) -> pa.Table:
    return batch.rows.add_column(0, "datastream", batch.datastreams())
